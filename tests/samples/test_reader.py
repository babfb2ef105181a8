"""What people's tables look like, and the options of `data` that read them."""

import csv
import gzip
import io
import re
import time
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT

from stages.samples.cells import Reader
from stages.samples.columns import make_table
from stages.samples.labels import Labels
from stages.samples.reader import read_parquet, read_text
from stages.task.errors import InputError
from stages.task.source import OwnTable
from stages.task.table import Table


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(
    content: str | bytes | pa.Table,
    features: str | None = "a b",
    target: str = "k",
    loss: str = "half_mse",
    **options: Any,
) -> Table:
    """The table that a file with that content becomes."""
    options.setdefault("source", "t.parquet" if isinstance(content, pa.Table) else "t.csv")
    data = OwnTable(features=features and tuple(features.split()), target=target, **options)
    if isinstance(content, pa.Table):
        pq.write_table(content, data.source)
        return make_table(read_parquet(data, "data"), loss == "cross_entropy")
    Path(data.source).write_bytes(content.encode() if isinstance(content, str) else content)
    return make_table(read_text(data, "data"), loss == "cross_entropy")


def refusal(content: str | bytes | pa.Table, *arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        table(content, *arguments, **options)
    return str(caught.value)


PLAIN = "a,b,k\n1,2,3\n4,-5.5,6\n"
LATIN = "a,é,k\n1,2,3\n4,5.5,6\n"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (PLAIN, {}),
        (PLAIN, {"source": "T.CSV"}),
        (PLAIN.replace("\n", "\r\n"), {}),
        (PLAIN.replace("\n", "\r\n").encode("utf-8-sig"), {}),
        (PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
        (gzip.compress(PLAIN.encode(), mtime=0), {"source": "t.csv.gz"}),
        (PLAIN.replace(",", "\t"), {"source": "t.tsv"}),
        (PLAIN.replace(",", "\t"), {"separator": "tab"}),
        (gzip.compress(PLAIN.replace(",", "\t").encode(), mtime=0), {"source": "t.tsv.gz"}),
        (PLAIN.replace(",", ";").replace(".", ","), {"separator": ";", "decimal": ","}),
        (PLAIN.replace(",", " | "), {"separator": "|", "source": "t.txt"}),
        ("  a   b  k\n  1.0\t 2  3\n4 -5.5 6   \n", {"separator": "spaces", "source": "t.data"}),
        ("# of 2019\n\na,b,k\n1,2,3\n  # a comment\n4,-5.5,6\n", {"comment": "#"}),
        ("'a','b','k'\n'1','2','3'\n4,-5.5,6\n", {"quote": "'"}),
        ('a,b,k,note\n1,2,3,5\'11"\n4,-5.5,6,"\n', {"quote": "none"}),
        ("a,b,k\n1,2%,3 km\n4,-5.5 %,$6\n", {"units": ["%", "km", "$"]}),
        ("a,b,k\n1,2,3\n?,2,3\n4,-5.5,6\n", {"missing": "drop", "missing_values": ["?"]}),
        ("a,b,k\n1,2,3\n1,2,NA\n4,-5.5,6\n,,\n", {"missing": "drop"}),
        ("a,b,k\n1,2,3\n1,-999.0,3\n4,-5.5,6\n", {"missing": "drop", "missing_values": [-999]}),
        ("id,a,b,k\n7,1,2,3\n8,4,-5.5,6\n", {"features": None, "ignore": ["id"]}),
        (",a,b,k\n7,1,2,3\n8,4,-5.5,6\n", {"features": None, "ignore": [""]}),
    ],
)
def test_a_table_as_it_comes_is_read_by_an_option(content, options):
    read = table(content, **options)
    assert read.features.tolist() == [[1, 2], [4, -5.5]]
    assert read.target.tolist() == [3, 6]
    assert list(read.feature_names) == ["a", "b"]


def test_without_a_header_line_columns_have_numbers():
    read = table("1,2,3\n4,5,6\n", "3 1", "2", header=False)
    assert read.features.tolist() == [[3, 1], [6, 4]]
    assert read.target.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1,509", ",", None, 1.509),
        ("1,509", ".", ",", 1509),
        ("-1.234.567,89", ",", ".", -1234567.89),
        ("+1 234 567.5", ".", " ", 1234567.5),
        ("1'234", ".", "'", 1234),
        ("1234567", ".", ",", 1234567),
        (",5", ",", None, 0.5),
        ("1,5e-3", ",", None, 0.0015),
        ("€ 1.234,50", ",", ".", 1234.5),
        ("-$5", ".", None, -5),
        ("Yes", ".", None, 1),
        ("no", ".", None, 0),
        ("TRUE", ".", None, 1),
    ],
)
def test_numbers_as_people_write_them(text, decimal, thousands, value):
    options = {"decimal": decimal, "thousands": thousands, "units": ["$", "€"], "separator": ";"}
    read = table(f"a;k\n{text};0\n{text};0\n", "a", **options)
    assert read.features.tolist() == [[value]] * 2


@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    signs=st.sampled_from([",.", ". ", ".,"]),
)
def test_a_number_is_exact_in_every_notation(value, signs):
    decimal, thousands = signs
    text = f"{value:,f}" if 1e-3 < abs(value) < 1e15 else repr(value)
    expected = float(text.replace(",", ""))
    text = text.replace(",", "T").replace(".", decimal).replace("T", thousands)
    options = {"decimal": decimal, "thousands": thousands, "separator": ";"}
    assert table(f"a;k\n{text};0\n1;0\n", "a", **options).features[0, 0] == expected


@given(data=st.data())
def test_what_pandas_writes_is_read_as_it_was(data):
    def any_of(*values):
        return data.draw(st.sampled_from(values))

    separator, decimal = any_of((",", "."), (";", ","), ("\t", ","), ("|", "."))
    encoding, source = (
        any_of("utf-8", "utf-8-sig", "latin-1", "utf-16"),
        any_of("t.csv", "t.csv.gz"),
    )
    numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)
    texts = st.text("aéß;,|\"'\n x", min_size=1).filter(lambda text: text == text.strip())
    rows = data.draw(st.lists(st.tuples(numbers, texts, numbers), min_size=2))
    pd.DataFrame(rows, columns=["a", "b", "k"]).to_csv(
        source,
        index=False,
        sep=separator,
        decimal=decimal,
        encoding=encoding,
        lineterminator=any_of("\n", "\r\n"),
        quoting=any_of(csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC),
    )
    options = {"separator": separator, "decimal": decimal, "encoding": encoding, "source": source}
    read = table(Path(source).read_bytes(), categories=["b"], **options)
    assert read.features[:, 0].tolist() == [float(a) for a, _, _ in rows]
    assert [read.categories["b"][int(code)] for code in read.features[:, 1]] == [
        b for _, b, _ in rows
    ]
    assert read.target.tolist() == [float(k) for _, _, k in rows]


# What is seen and not understood is answered with the option that would read it.
DROP = "or data.missing: drop"
FILL = f"{DROP}, mean or median"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            PLAIN.replace(",", ";"),
            {},
            "has no column 'a'; data.separator: ';' would find 3 in its first line",
        ),
        (
            PLAIN.replace(",", "\t"),
            {},
            "has no column 'a'; data.separator: 'tab' would find 3 in its first line",
        ),
        (
            PLAIN.replace(",", "  "),
            {},
            "has no column 'a'; data.separator: 'spaces' would find 3 in its first line",
        ),
        (
            PLAIN,
            {"separator": ";"},
            "has no column 'a'; data.separator: ',' would find 3 in its first line",
        ),
        (
            "# my data\n" + PLAIN,
            {},
            "has no column 'a'; data.comment: '#' would skip line 1, '# my data'",
        ),
        (
            "1,2,3\n4,5,6\n",
            {},
            "has no column 'a'; its first line holds numbers; without a header line, "
            "data.header: false names the columns '1', '2', ...",
        ),
        (
            LATIN.encode("latin-1"),
            {},
            "line 1: must be text in utf-8, got b'\\xe9'; data.encoding can be another, such as "
            "latin-1, cp1252 or utf-16",
        ),
        (
            PLAIN.encode("utf-16"),
            {},
            "line 1: must be text in utf-8, got b'\\xff'; data.encoding can be another, such as "
            "latin-1, cp1252 or utf-16",
        ),
        (
            'a,b,k\n1,"2,3\n',
            {},
            "line 2: unexpected end of data; data.quote: none takes quotes for text",
        ),
        ("a,b,k\n1,NA,3\n", {}, f"line 2, column b: is missing; expected a number, {FILL}"),
        ("a,b,k\n1,2,\n", {}, f"line 2, column k: is missing; expected a number, {DROP}"),
        (
            "a,b,k\n1,2,\n",
            {"missing": "mean"},
            f"line 2, column k: is missing; expected a number, {DROP}",
        ),
        (
            ",a,k\n0,1,2\n",
            {"features": None},
            "column 1 has no name; data.ignore: [''] leaves it out",
        ),
        ("k\n1\n", {"features": None}, "has no column besides the target and those to ignore"),
        ("a,b,k\n1,2,3\n4,5,6,\n", {}, "line 3: must have 3 values, one for each column, got 4"),
        (b"no gzip at all", {"source": "t.csv.gz"}, "cannot be read as gzip: Not a gzipped file"),
        (
            gzip.compress(PLAIN.encode() * 99, mtime=0)[:40],
            {"source": "t.csv.gz"},
            "cannot be read as gzip: Compressed file ended before the end-of-stream marker",
        ),
    ],
)
def test_a_table_that_needs_an_option_is_refused_with_its_name(content, options, message):
    source = options.get("source", "t.csv")
    refused = refusal(content, **options)
    assert refused.startswith(f"{source}: {message}")
    assert "\n" not in refused


@pytest.mark.parametrize(
    ("cell", "option"),
    [
        ("1,5", "data.decimal ',' reads it"),
        ("1,509", "data.decimal ',' reads it as a fraction, data.thousands ',' as a whole"),
        ("-1,234,567.5", "data.thousands ',' reads it"),
        ("1.234.567,5", "data.thousands '.' with data.decimal ',' reads it"),
        ("1 234", "data.thousands reads it"),
        ("5.1%", "data.units takes off the unit"),
        ("$5", "data.units takes off the unit"),
        ("12 kg", "data.units takes off the unit"),
        ("?", "data.missing_values can say that it stands for no value"),
        ("-", "data.missing_values can say that it stands for no value"),
        ("2020-01-31", "data.dates reads it as a date"),
        ("31.1.2020", "data.dates reads it as a date"),
        ("1/31/20", "data.dates reads it as a date"),
        ("Biscoe", "data.categories makes a column of each of its texts"),
        ("1_000", "data.categories makes a column of each of its texts"),
    ],
)
def test_a_cell_that_is_no_number_is_refused_with_the_option_that_reads_it(cell, option):
    assert refusal(f"a;k\n1;2\n{cell};2\n", "a", separator=";") == (
        f"t.csv: line 3, column a: must be a number, got {cell!r}; {option}"
    )


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("1,50", {"thousands": ","}),
        ("12,34,567", {"thousands": ","}),
        ("1.5", {"decimal": ","}),
        ("1.5.0", {"thousands": ".", "decimal": ","}),
        ("5 miles", {"units": ["km"]}),
        ("nan", {"missing_values": []}),
    ],
)
def test_a_cell_in_another_notation_than_the_stated_one_is_refused(cell, options):
    message = refusal(f"a;k\n1;2\n{cell};2\n", "a", separator=";", **options)
    assert message.startswith(f"t.csv: line 3, column a: must be a number, got {cell!r}")


def test_the_lines_of_rows_are_those_of_the_file():
    text = '# first\n\na,b,k\n"1",2,"3"\n# again\n\n1,2,3\n"4","\n",6\n1,x,3\n'
    assert refusal(text, comment="#").startswith("t.csv: line 9, column b: is missing")
    text = text.replace('"4","\n",6', '"4","\n5",6')
    assert refusal(text, comment="#").startswith("t.csv: line 10, column b: must be a number")


def test_the_rows_of_a_table_larger_than_a_block_keep_their_lines(monkeypatch):
    monkeypatch.setattr("stages.samples.reader.CELLS", 10)
    rows = "".join(f"{row},{row % 3},{row % 2}\n" for row in range(100))
    read = table("a,b,k\n" + rows, loss="cross_entropy")
    assert read.features[:, 0].tolist() == list(range(100))
    assert read.target.tolist() == [0, 1] * 50
    assert refusal("a,b,k\n" + rows + "x,1,1\n").startswith("t.csv: line 102, column a: ")
    frame = pa.table({"a": range(100), "b": [0.5] * 100, "k": ["u", "v"] * 50})
    assert table(frame, loss="cross_entropy").features[:, 0].tolist() == list(range(100))
    assert refusal(frame).startswith("t.parquet: row 1, column k: must be a number, got 'u'")


@given(texts=st.lists(st.text(st.sampled_from('a,"\n #'))))
def test_a_row_is_on_the_line_that_the_csv_module_says(texts):
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerows([["k", "a"], *([text, 0] for text in texts)])
    content.write("x,y\n")
    lines = content.getvalue().count("\n")
    message = refusal(content.getvalue(), "a", missing="drop", loss="cross_entropy")
    assert message.startswith(f"t.csv: line {lines}, column a: must be a number, got 'y'")


# ----------------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("labels", "classes", "target"),
    [
        (
            ["9007199254740993.0", "9007199254740992.0"] * 2,
            ["9007199254740992", "9007199254740993"],
            [1, 0, 1, 0],
        ),
        (["1.0", "1", "2e0", "2"], ["1", "2"], [0, 0, 1, 1]),
        (["0.1", "0.10", "1e-1", ".2", "0.2"], ["0.1", "0.2"], [0, 0, 0, 1, 1]),
        (["-0", "0", "1", "1.0"], ["0", "1"], [0, 0, 1, 1]),
        (["1_0", "10", "1_0", "10"], ["10", "1_0"], [1, 0, 1, 0]),
        (["yes", "no", "yes", "no"], ["no", "yes"], [1, 0, 1, 0]),
        (["1e400", "b", "1e400", "b"], ["1e400", "b"], [0, 1, 0, 1]),
        (
            ["0.1000000000000000000000000001", "0.1"] * 2,
            ["0.1", "0.1000000000000000000000000001"],
            [1, 0, 1, 0],
        ),
    ],
)
def test_labels_that_are_numbers_are_told_apart_exactly(labels, classes, target):
    rows = "".join(f"0,{label}\n" for label in labels)
    read = table("a,k\n" + rows, "a", loss="cross_entropy")
    assert read.classes == classes
    assert read.target.tolist() == target


def test_many_labels_take_a_time_that_grows_with_them():
    labels = Labels(Reader(None), "class")
    codes = labels.read([str(index) for index in reversed(range(50_000))])
    start = time.process_time()
    assert labels.sort(codes)[:2] == ["0", "1"]
    assert codes[:2].tolist() == [49_999, 49_998]
    assert time.process_time() - start < 5  # minutes where each was looked for among all


@pytest.mark.parametrize("label", ["1e400", "-1E+999", "inf", "9" * 5000])
def test_no_class_is_infinite(label):
    text = f"a,k\n0,1\n0,1\n0,{label}\n0,{label}\n"
    assert refusal(text, "a", loss="cross_entropy") == (
        "t.csv: line 4, column k: must not be infinite"
    )


def test_a_class_of_dropped_samples_only_is_none():
    text = "a,k\n0,x\n,z\n1,y\n0,x\n1,y\n"
    read = table(text, "a", loss="cross_entropy", missing="drop")
    assert read.classes == ["x", "y"]
    assert read.target.tolist() == [0, 1, 0, 1]


def test_how_many_samples_are_dropped_is_said(capsys):
    table("a,b,k\n1,2,3\n,2,3\n1,,3\n4,5,6\n", missing="drop")
    assert capsys.readouterr().out == "t.csv: 2 samples that lack a value are dropped\n"


def test_what_is_to_be_filled_in_is_left_to_the_split():
    read = table("a,b,k\n1,2,3\n,x,3\n4,,6\n", missing="median", missing_values=["x"])
    np.testing.assert_array_equal(read.features, [[1, 2], [np.nan, np.nan], [4, np.nan]])
    assert read.fill == "median"


def test_groups_are_neither_features_nor_lost():
    text = "id,patient,a,k\n1,x,1,1\n2,y,2,2\n3,x,3,3\n"
    read = table(text, features=None, group="patient", ignore=["id"])
    assert list(read.feature_names) == ["a"]
    assert read.groups.tolist() == [0, 1, 0]
    assert refusal(text.replace("y", ""), features=None, group="patient").startswith(
        "t.csv: line 3, column patient: is missing; expected a group"
    )
    assert refusal(text, "a", group="patent").startswith(
        "data.group: t.csv has no column 'patent' (did you mean patient?)"
    )
    frame = pa.table({"a": [1.0, 2.0], "patient": ["u", "u"], "k": [1, 2]})
    assert table(frame, None, group="patient").groups.tolist() == [0, 0]


# ------------------------------------------------------------------- categories and dates


def test_categories_are_the_distinct_texts_in_order():
    text = "a,b,k\nDream,10,1\nBiscoe,9,2\nDream,9.0,3\n"
    read = table(text, categories=["a", "b"])
    assert read.categories == {"a": ["Biscoe", "Dream"], "b": ["9", "10"]}
    assert read.features.tolist() == [[1, 1], [0, 0], [1, 0]]


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("iso", ["1970-01-02", "2000-02-29", "1969-12-31T12:00"]),
        ("iso", ["1970-01-02T01:00+01:00", "2000-02-29 00:00:00Z", "19691231T120000"]),
        ("%d.%m.%Y %H", ["2.1.1970 00", "29.2.2000 00", "31.12.1969 12"]),
    ],
)
def test_a_date_is_the_days_since_1970(form, cells):
    rows = "".join(f"{cell},0\n" for cell in cells)
    read = table("a,k\n" + rows, "a", dates={"a": form})
    assert read.features[:, 0].tolist() == [1, 11016, -0.5]


def test_dates_of_a_parquet_file():
    moments = [datetime(1970, 1, 2), datetime(2000, 2, 29), datetime(1969, 12, 31, 12)]
    days = [moment.date() for moment in moments]
    frame = pa.table({"a": pa.array(moments, pa.timestamp("ns")), "b": days, "k": [1, 2, 3]})
    read = table(frame, dates={"a": "iso", "b": "iso"})
    assert read.features.tolist() == [[1, 1], [11016, 11016], [-0.5, -1]]


@pytest.mark.parametrize(
    ("form", "wanted"), [("iso", "ISO 8601, such as 2020-12-31"), ("%d.%m.%Y", "%d.%m.%Y")]
)
def test_what_is_no_date_is_refused(form, wanted):
    assert refusal("a,k\n2020-02-30,1\n", "a", dates={"a": form}) == (
        f"t.csv: line 2, column a: must be a date as {wanted}, got '2020-02-30'"
    )


# -------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"categories": ["c"]}, "data.categories[0]: must be one of the features, got 'c'"),
        ({"dates": {"kk": "iso"}}, "data.dates.kk: must be one of the features, got 'kk'"),
        (
            {"features": None, "ignore": ["bb"]},
            "data.ignore[0]: t.csv has no column 'bb' (did you mean b?); its columns are a, b, k",
        ),
    ],
)
def test_a_column_that_an_option_names_is_a_feature(options, message):
    assert refusal(PLAIN, **options) == message


def test_a_column_that_is_not_among_thousands_is_answered_with_similar_names_and_a_count():
    names = [f"pixel{index}" for index in range(20_000)]
    frame = pa.table({name: [1.0, 2.0] for name in names})
    message = refusal(frame, "pixel1 pixl4321", "pixel0")
    assert message == (
        "data.features[1]: t.parquet has no column 'pixl4321' (did you mean pixel4321 or "
        "pixel14321 or pixel432?); it has 20,000 columns"
    )
    lines = refusal(frame, " ".join(f"x{index}" for index in range(1000)), "pixel0").splitlines()
    assert len(lines) == 6
    assert lines[-1] == "data: and 995 more that are not there"


@pytest.mark.parametrize("loss", ["half_mse", "cross_entropy"])
@pytest.mark.parametrize(
    "cells", [[[0.0, 100.0], [1.0, 2.0]], [[0.0], [1.0]], [{"x": 1}, {"x": 2}], [b"1", b"2"]]
)
def test_a_column_of_lists_is_refused(loss, cells):
    frame = pa.table({"a": cells, "b": [1, 2], "k": cells})
    words = "must be a number" if loss == "half_mse" else "must be a class, a text or a number"
    got = f"{words}{',' if loss == 'half_mse' else ';'} got {cells[0]}"
    assert refusal(frame, "b", loss=loss) == f"t.parquet: row 1, column k: {got}"
    assert refusal(frame, "a", "b") == (
        f"t.parquet: row 1, column a: must be a number, got {cells[0]}"
    )


def test_text_that_is_not_utf_8_in_a_parquet_file_is_refused():
    texts = pa.array([b"x", b"\xff", b"y"]).cast(pa.string(), safe=False)
    try:
        texts.to_pylist()
    except UnicodeDecodeError:
        pass
    else:
        texts = pa.Array.from_buffers(pa.string(), 3, pa.array([b"x", b"\xff", b"y"]).buffers())
    frame = pa.table({"a": [1.0, 2.0, 3.0], "k": texts})
    assert refusal(frame, "a", loss="cross_entropy").startswith(
        "t.parquet: row 2, column k: cannot be read: 'utf-8' codec can't decode byte 0xff"
    )


def test_a_table_of_many_columns_is_read_in_a_time_that_grows_with_them():
    names = [f"x{index}" for index in range(20_000)]
    rows = [[str(index % 7) for index in range(20_000)] for _ in range(4)]
    text = "\n".join(",".join(row) for row in [names, *rows])
    data = {"target": "x0", "features": tuple(names[1:]), "source": "t.csv"}
    Path("t.csv").write_text(text)
    start = time.process_time()
    read = make_table(read_text(OwnTable(**data), "data"), classifies=False)
    assert read.features.shape == (4, 19_999)
    assert time.process_time() - start < 3  # it took 9 when each name was looked for among all


def test_a_long_table_takes_memory_in_proportion_to_its_numbers(monkeypatch):
    monkeypatch.setattr("stages.samples.reader.CELLS", 10_000)
    rows, line = 50_000, "0.123456789012345,-9.87654321098765,1\n"
    Path("t.csv").write_text("a,b,k\n" + line * rows)
    data = OwnTable(source="t.csv", target="k")
    tracemalloc.start()
    read = make_table(read_text(data, "data"), classifies=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = read.features.nbytes + read.target.nbytes
    assert peak < 5 * size  # with all of its texts in memory it is 16 times


# ----------------------------------------------------------------------------------- the page

PAGE = (ROOT / "docs" / "tables.md").read_text()


def test_the_table_on_the_page_is_read_as_it_says():
    text, options, message = re.findall(
        r"^```(?:text|yaml)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
    )
    data = OwnTable.model_validate(yaml.safe_load(options)["data"])
    Path(data.source).write_text(text)
    with pytest.raises(InputError) as caught:
        make_table(read_text(data, "data"), classifies=False)
    assert str(caught.value) == message.strip()
    Path(data.source).write_text("".join(text.splitlines(keepends=True)[:-1]))
    read = make_table(read_text(data, "data"), classifies=False)
    assert read.feature_names == ["island", "sex", "measured", "bill, mm"]
    assert read.target.tolist() == [3750, 4675, 4500]
    np.testing.assert_array_equal(
        read.features, [[1, 0, 14186, 39.1], [0, 1, 14187, np.nan], [0, 0, 14187, 46.1]]
    )


def test_the_page_has_every_option_and_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)` )?\|", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(OwnTable.model_fields)
    given = {name: yaml.safe_load(text) for name, text in rows if text and text not in ',"'}
    without = {name for name, text in rows if not text}
    data = OwnTable(source="my.csv", target="k")
    expected = data.model_dump(exclude={*without, "separator", "quote"})
    assert given == {
        name: list(value) if isinstance(value, tuple) else value for name, value in expected.items()
    }
