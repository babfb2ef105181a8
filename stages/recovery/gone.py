"""What stages that are gone left: of a task that was removed, or that has another name now."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

KEY = "${key}"


class Pipeline:
    """The stages of dvc.yaml, and the files in metrics/ and plots/ that they write.

    Raises LookupError, TypeError, AttributeError, OSError or yaml.YAMLError if dvc.yaml or
    params.yaml is not what DVC needs.
    """

    def __init__(self) -> None:
        parameters = yaml.safe_load(Path("params.yaml").read_bytes())
        self._tasks: dict[str, Collection[str] | None] = {}  # None of a stage that is not of tasks
        self._files: set[Path] = set()
        self._of_tasks: list[str] = []
        for name, stage in yaml.safe_load(Path("dvc.yaml").read_bytes())["stages"].items():
            if str(stage.get("foreach")).startswith("${"):
                self._tasks[name] = tasks = parameters[stage["foreach"].strip("${}")].keys()
                of_task = list(_files(stage["do"]))
                self._files.update(Path(file.replace(KEY, t)) for file in of_task for t in tasks)
                self._of_tasks += of_task
            else:
                self._tasks[name] = None
                self._files.update(map(Path, _files(stage)))

    def is_gone(self, stage: str) -> bool:
        """Whether dvc.yaml and params.yaml name no such stage, as `train_numpy@moons`."""
        name, _, task = stage.partition("@")
        tasks = self._tasks.get(name, ())
        return tasks is not None and task not in tasks

    def left_behind(self) -> list[Path]:
        """The files that a stage wrote for a task that it is not there for any more.

        The report depends on all of metrics/ and plots/. What lies in data/ matters to nobody, and
        some of it took long: it stays.
        """
        tasks = [folder.name for folder in Path("plots").glob("*") if folder.is_dir()]
        files = {Path(file.replace(KEY, task)) for file in self._of_tasks for task in tasks}
        return sorted(file for file in files - self._files if file.is_file())


def _files(stage: Mapping[str, Any]) -> Iterator[str]:
    """The metrics and plots of a stage: a path each, or a path with its settings."""
    for entry in [*stage.get("metrics", []), *stage.get("plots", [])]:
        yield from [entry] if isinstance(entry, str) else entry
