"""A small project with three stages, whose metrics and plots are what params.yaml says."""

import json
import shlex
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import yaml
from dvc.repo import Repo
from repository import commit

PIPELINE: dict[str, Any] = {
    "stages": {
        "words": {"cmd": "cp code/words.txt words.txt", "deps": ["code"], "outs": ["words.txt"]},
        "count": {
            "cmd": "wc -w < words.txt > count.txt",
            "deps": ["words.txt"],
            "outs": ["count.txt"],
        },
        "train": {
            "cmd": f"{shlex.quote(sys.executable)} train.py",
            "deps": ["train.py"],
            "params": ["metrics", "curve", "picture"],
            "metrics": [{"metrics/moons.json": {"cache": False}}],
            "plots": [
                {"plots/curve.csv": {"cache": False, "x": "step", "y": "loss"}},
                {"plots/table.csv": {"cache": False}},
                {"plots/a picture.png": {"cache": False}},
            ],
        },
    }
}
PARAMETERS: dict[str, Any] = {
    "metrics": {"loss": 0.25, "accuracy": 0.5, "steps": 7, "drift": {"parameters": 1.5e-15}},
    "curve": [4, 2, 1],
    "picture": "one",
    "unused": {"sizes": [8, 8]},
}
GATES = {
    "metrics/*:drift.*": {"better": "lower", "absolute": 1e-12},
    "metrics/*:*loss": {"better": "lower", "relative": 0.01},
    "metrics/*:accuracy": {"better": "higher", "gate": "warn"},
    "metrics/*:*": {},
}
TRAIN = """
import json, pathlib, yaml
parameters = yaml.safe_load(pathlib.Path("params.yaml").read_text())
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("plots").mkdir(exist_ok=True)
pathlib.Path("metrics/moons.json").write_text(json.dumps(parameters["metrics"]))
rows = [f"{step},{loss}" for step, loss in enumerate(parameters["curve"])]
pathlib.Path("plots/curve.csv").write_text("\\n".join(["step,loss", *rows]))
pathlib.Path("plots/table.csv").write_text("\\n".join(["name,loss", *rows]))
pathlib.Path("plots/a picture.png").write_text(parameters["picture"])
"""


class Project:
    """A git repository with the pipeline above."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def change(self, **parameters: Any) -> None:
        """Sets parameters; JSON is YAML, too."""
        path = self.root / "params.yaml"
        path.write_text(json.dumps(json.loads(path.read_text()) | parameters))

    def measure(self, **metrics: Any) -> None:
        """Sets metrics, and runs what then has to run."""
        self.change(metrics=PARAMETERS["metrics"] | metrics)
        self.reproduce()

    def edit_pipeline(self, **stages: Any) -> None:
        """Sets stages; None removes one."""
        changed = PIPELINE["stages"] | stages
        kept = {name: stage for name, stage in changed.items() if stage}
        (self.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": kept}))

    def reproduce(self) -> None:
        with chdir(self.root), Repo() as repo:
            repo.reproduce()

    def commit(self) -> None:
        commit(self.root)
