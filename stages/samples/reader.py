"""A table of the user's own: the columns of a task from a text or a parquet file.

The text is read by Python's csv module: pandas and pyarrow do not say on which line of the file a
row stands, and pandas takes a row that is too short for one with missing values.
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from stages.samples.cells import Cells
from stages.samples.columns import Block, Columns
from stages.samples.labels import is_number
from stages.task.errors import InputError, did_you_mean, shown
from stages.task.source import OwnTable

if TYPE_CHECKING:
    import pyarrow as pa

CELLS = 2**20  # in memory at once, as Python's objects; then they are numbers
COMMENTS = ("#", "%", "//")
COLUMNS_SHOWN, MISTAKES_SHOWN = 20, 5


def read_text(data: OwnTable, place: str) -> Columns:
    """The columns of a task from a text, whose first line names them unless it has no header.

    Cells stay text: whether they are numbers or labels is for the target and the loss to say.
    place: the key of `data` in params.yaml
    Raises InputError, some of it only when the blocks of the columns are read.
    """
    rows = _rows(data)
    _, first = next(rows, (0, []))
    if not any(first):
        raise InputError(f"{data.source}: is empty; its first line must name the columns")
    names = [name.strip() for name in first]
    if not data.header:
        names = [str(index + 1) for index in range(len(first))]
        rows = _rows(data)
    features = _check_names(data, names, place, first)
    wanted = {*features, data.target}
    positions = {name: index for index, name in enumerate(names) if name in wanted}

    def blocks() -> Iterator[Block]:
        while block := list(islice(rows, CELLS // len(names) + 1)):
            for line, row in block:
                if len(row) != len(names):
                    raise InputError(
                        f"{data.source}: line {line}: must have {len(names)} values, "
                        f"one for each column, got {len(row)}"
                    )
            lines = [line for line, _ in block]
            yield lines, {name: [row[at] for _, row in block] for name, at in positions.items()}

    return Columns(features, data.target, blocks(), data.source, "line", data)


def read_parquet(data: OwnTable, place: str) -> Columns:
    """The columns of a task from a parquet file; arguments and errors are those of `read_text`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def refuse(error: Exception) -> InputError:
        reason = str(error).splitlines()[0]
        return InputError(f"{data.source}: cannot be read as parquet: {reason}")

    try:
        with pq.ParquetFile(data.source) as file:
            names = file.schema_arrow.names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise refuse(error) from None
    features = _check_names(data, names, place)
    wanted = [*features, data.target]

    def blocks() -> Iterator[Block]:
        end = 0
        try:
            with pq.ParquetFile(data.source) as file:
                size = CELLS // len(wanted) + 1
                for batch in file.iter_batches(size, columns=wanted, use_threads=False):
                    rows = range(end + 1, end + 1 + len(batch))
                    end += len(batch)
                    cells = {
                        name: _cells(batch.column(name), f"column {name}", rows, data.source)
                        for name in wanted
                    }
                    yield rows, cells
        except (pa.ArrowException, OSError) as error:
            raise refuse(error) from None

    return Columns(features, data.target, blocks(), data.source, "row", data)


def _rows(data: OwnTable) -> Iterator[tuple[int, list[str]]]:
    """The rows of a text that are not blank, and the line on which each ends."""
    unquoted = data.quote == "none"
    with _open(data) as file:
        reader = csv.reader(
            _lines(file, data.comment, data.separator == "spaces"),
            delimiter=_delimiter(data),
            quotechar=None if unquoted else data.quote,
            quoting=csv.QUOTE_NONE if unquoted else csv.QUOTE_MINIMAL,
            skipinitialspace=True,
            strict=True,
        )
        try:
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    yield reader.line_num, row
        except UnicodeError:
            raise _wrong_encoding(data) from None
        except csv.Error as error:
            advice = "" if unquoted else "; data.quote: none takes quotes for text"
            raise InputError(f"{data.source}: line {reader.line_num}: {error}{advice}") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{data.source}: cannot be read as gzip: {error}") from None


def _delimiter(data: OwnTable) -> str:
    separator = data.separator or ("tab" if data.suffix == ".tsv" else ",")
    return {"tab": "\t", "spaces": " "}.get(separator, separator)


def _open(data: OwnTable) -> IO[str]:
    # A byte-order mark, which spreadsheets write, is no part of the first name.
    encoding = "utf-8-sig" if re.fullmatch("utf[-_]?8", data.encoding.lower()) else data.encoding
    if data.source.lower().endswith(".gz"):
        return gzip.open(data.source, "rt", newline="", encoding=encoding)
    return Path(data.source).open(newline="", encoding=encoding)


def _lines(file: IO[str], comment: str | None, spaces: bool) -> Iterator[str]:
    """The lines of a file, a blank one for each comment, so that they keep their numbers.

    spaces: make one space of each run of spaces and tabs, and none at either end
    """
    for line in file:
        if comment and line.lstrip().startswith(comment):
            yield "\n"
        else:
            yield re.sub(r"[ \t]+", " ", line.strip(" \t\r\n")) + "\n" if spaces else line


def _wrong_encoding(data: OwnTable) -> InputError:
    """The error that says what is no text in the encoding, and for UTF-8 on which line."""
    place, got = data.source, ""
    if data.encoding == OwnTable.model_fields["encoding"].default:
        opened = gzip.open if data.source.lower().endswith(".gz") else open
        with opened(data.source, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    place = f"{data.source}: line {number}"
                    got = f", got {shown(line[error.start : error.end])}"
                    break
    return InputError(
        f"{place}: must be text in {data.encoding}{got}; data.encoding can be another, such as "
        "latin-1, cp1252 or utf-16"
    )


def _cells(column: "pa.Array", name: str, rows: range, source: str) -> Cells:
    """The cells of a column, an array of numbers or Python's objects, None for a missing one."""
    import pyarrow as pa

    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if numeric and not column.null_count:
        return np.from_dlpack(column)
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (ValueError, OverflowError):  # text that is not UTF-8, a date beyond Python's
        for row, cell in zip(rows, column, strict=True):
            try:
                cell.as_py()
            except (ValueError, OverflowError) as error:
                raise InputError(f"{source}: row {row}, {name}: cannot be read: {error}") from None
        raise


def _check_names(
    data: OwnTable, names: Sequence[str], place: str, first: Sequence[str] = ()
) -> list[str]:
    """The features among the names of the columns.

    first: the first row of a text
    Raises InputError unless each column that the parameters name is there, and there once.
    """
    known, left_out = Counter(names), {data.target, *data.ignore}
    features = list(data.features or [name for name in known if name not in left_out])
    asked = {
        **{f"features[{index}]": name for index, name in enumerate(data.features or ())},
        "target": data.target,
        **{f"ignore[{index}]": name for index, name in enumerate(data.ignore)},
    }
    absent = {key: name for key, name in asked.items() if name not in known}
    if option := _other_option(data, first, [*(data.features or ()), data.target]):
        name = next(iter(absent.values()))
        raise InputError(f"{data.source}: has no column {shown(name)}; {option}")
    has = f"its columns are {', '.join(names)}"
    if len(names) > COLUMNS_SHOWN:
        has = f"it has {len(names):,} columns"
    problems = [
        f"{place}.{key}: {data.source} has no column {shown(name)}"
        f"{did_you_mean(name, known, 3 if len(names) > COLUMNS_SHOWN else 1)}; {has}"
        for key, name in islice(absent.items(), MISTAKES_SHOWN)
    ]
    if len(absent) > MISTAKES_SHOWN:
        problems.append(f"{place}: and {len(absent) - MISTAKES_SHOWN:,} more that are not there")
    taken = set(features)
    problems += [
        f"{data.source}: has {known[name]} columns {shown(name)}; "
        "each column needs a name of its own"
        for name in [*features, data.target]
        if known[name] > 1
    ][:MISTAKES_SHOWN]
    if "" in taken:
        at = names.index("") + 1
        problems.append(f"{data.source}: column {at} has no name; data.ignore: [''] leaves it out")
    if not features:
        problems.append(f"{data.source}: has no column besides the target and those to ignore")
    marked = {f"categories[{index}]": name for index, name in enumerate(data.categories)}
    marked |= {f"dates.{name}": name for name in data.dates}
    problems += [
        f"{place}.{key}: must be one of the features{did_you_mean(name, features)}, "
        f"got {shown(name)}"
        for key, name in marked.items()
        if name not in taken
    ]
    if problems:
        raise InputError("\n".join(problems))
    return features


def _other_option(data: OwnTable, first: Sequence[str], wanted: Collection[str]) -> str:
    """The option of `data` that would find the wanted columns, if the first row lacks one."""

    def names(fields: Sequence[str]) -> list[str]:
        return [field.strip() if data.header else str(at) for at, field in enumerate(fields, 1)]

    if not first or set(names(first)).issuperset(wanted):
        return ""
    for sign in COMMENTS:
        if first[0].startswith(sign) and not data.comment:
            return f"data.comment: '{sign}' would skip line 1, {shown(first[0])}"
    line = _delimiter(data).join(first).strip()
    separators = {",": ",", ";": ";", "tab": "\t", "|": "|", "spaces": None}
    for name, separator in separators.items():
        fields = line.split(separator)
        if set(names(fields)).issuperset(wanted) or (len(first) == 1 < len(fields)):
            return f"data.separator: '{name}' would find {len(fields)} in its first line"
    if data.header and any(map(is_number, names(first))) and not any(map(is_number, wanted)):
        return (
            "its first line holds numbers; without a header line, data.header: false names the "
            "columns '1', '2', ..."
        )
    return ""
