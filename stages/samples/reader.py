"""A table of the user's own: the columns of a task from a .csv or a .parquet file."""

import csv
from collections.abc import Sequence
from pathlib import Path

from stages.samples.columns import Columns
from stages.task.errors import InputError, did_you_mean, shown
from stages.task.source import OwnTable


def read_csv(data: OwnTable, place: str) -> Columns:
    """Reads the columns of a task from a CSV file whose first line names them.

    Cells stay text: whether they are numbers or labels is for the target and the loss to say.
    """
    wanted = [*data.features, data.target]
    lines: list[int] = []
    try:
        with Path(data.source).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            names = [name.strip() for name in next(reader, [])]
            check_names(data, names, place)
            index = [names.index(name) for name in wanted]
            cells: list[list[str]] = [[] for _ in wanted]
            for row in reader:
                if not row:  # a blank line
                    continue
                if len(row) != len(names):
                    raise InputError(
                        f"{data.source}: line {reader.line_num}: must have {len(names)} values, "
                        f"one for each column, got {len(row)}"
                    )
                lines.append(reader.line_num)
                for column, position in zip(cells, index, strict=True):
                    column.append(row[position])
    except UnicodeDecodeError:
        raise InputError(f"{data.source}: must be text in UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{data.source}: line {reader.line_num}: {error}") from None
    return Columns(
        dict(zip(wanted, cells, strict=True)), data.source, lambda row: f"line {lines[row]}"
    )


def read_parquet(data: OwnTable, place: str) -> Columns:
    """Reads the columns of a task from a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [*data.features, data.target]
    try:
        with pq.ParquetFile(data.source) as file:
            check_names(data, file.schema_arrow.names, place)
            content = file.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{data.source}: cannot be read as parquet: {reason}") from None
    cells = {name: content[name].to_pylist() for name in wanted}
    return Columns(cells, data.source, lambda row: f"row {row + 1}")


def check_names(data: OwnTable, names: Sequence[str], place: str) -> None:
    """Raises InputError unless each feature and the target is the name of just one column."""
    if not any(names):
        raise InputError(f"{data.source}: is empty; its first line must name the columns")
    if len(names) == 1 and (others := {";", "\t", "|"} & set(names[0])):
        raise InputError(
            f"{data.source}: line 1: must have a comma between two values, "
            f"got {', '.join(map(shown, sorted(others)))}"
        )
    keys = [f"features[{index}]" for index in range(len(data.features))] + ["target"]
    problems = []
    for key, name in zip(keys, [*data.features, data.target], strict=True):
        if name not in names:
            problems.append(
                f"{place}.{key}: {data.source} has no column {shown(name)}"
                f"{did_you_mean(name, names)}; its columns are {', '.join(names)}"
            )
        elif names.count(name) > 1:
            problems.append(
                f"{data.source}: has {names.count(name)} columns {shown(name)}; "
                "each column needs a name of its own"
            )
    if problems:
        raise InputError("\n".join(problems))
