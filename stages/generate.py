"""Makes the samples of a task, or reads them from a table: `python -m stages.generate <task>`."""

from pathlib import Path

from stages.files.paths import Files
from stages.files.table import write_table
from stages.models.model import Model
from stages.params.command import run
from stages.params.errors import InputError
from stages.samples.columns import make_table
from stages.samples.generator import run_generator
from stages.samples.reader import read_csv, read_parquet
from stages.samples.source import Generator, Source


def main(task: str, data: Source, model: Model) -> None:
    """Writes the table of all samples of a task; the loss says whether the target is classes."""
    place = f"params.yaml: tasks.{task}.data"
    if not Path(data.source).is_file():
        raise InputError(f"{place}.source: there is no file {data.source}")
    if isinstance(data, Generator):
        columns = run_generator(data, place)
    elif data.source.endswith(".csv"):
        columns = read_csv(data, place)
    else:
        columns = read_parquet(data, place)
    write_table(Files(task).raw, make_table(columns, model.loss))


if __name__ == "__main__":
    run(main)
