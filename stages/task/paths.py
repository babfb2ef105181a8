"""Where the files of a task lie."""

from pathlib import Path

TWINS = ("numpy", "torch")


class Files:
    """The paths of one task, relative to the root of the project."""

    def __init__(self, task: str) -> None:
        data, plots = Path("data", task), Path("plots", task)
        self.raw = data / "raw.parquet"
        self.train = data / "train.parquet"
        self.test = data / "test.parquet"
        self.model = {twin: data / f"{twin}.safetensors" for twin in TWINS}
        self.snapshots = {twin: data / f"{twin}_snapshots.safetensors" for twin in TWINS}
        self.history = {twin: plots / f"{twin}.csv" for twin in TWINS}
        self.metrics = Path("metrics", f"{task}.json")
        self.plots = plots
        self.sweep = data / "sweep.parquet"
        self.blocks = data / "sweep_blocks"
        self.sweep_metrics = Path("metrics", task, "sweep.json")
        self.curves = plots / "sweep.csv"
