"""Makes the samples of a task, or reads them from a table: `python -m stages.generate <task>`."""

from pathlib import Path

from stages.samples.columns import make_table
from stages.samples.generator import run_generator
from stages.samples.reader import read_parquet, read_text
from stages.task.command import run
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.model import Model
from stages.task.source import Generator, Source
from stages.task.table import write_table


def main(task: str, data: Source, model: Model) -> None:
    """Writes the table of all samples of a task; the loss says whether the target is classes."""
    place = f"params.yaml: tasks.{task}.data"
    if not Path(data.source).is_file():
        raise InputError(f"{place}.source: there is no file {data.source}")
    if isinstance(data, Generator):
        columns = run_generator(data, place)
    else:
        read = read_parquet if data.suffix == ".parquet" else read_text
        columns = read(data, place)
    write_table(Files(task).raw, make_table(columns, model.takes_classes))


if __name__ == "__main__":
    run(main)
