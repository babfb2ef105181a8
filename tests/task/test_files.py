import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from repository import ROOT

from stages.task.files import (
    Files,
    read_history,
    read_tensors,
    write_history,
    write_metrics,
    write_tensors,
)
from stages.task.table import Table, read_table, write_table

finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw) -> Table:
    shape = draw(st.tuples(st.integers(1, 30), st.integers(1, 4)))
    names = draw(
        st.lists(st.text(min_size=1), min_size=shape[1] + 1, max_size=shape[1] + 1, unique=True)
    )
    features = draw(arrays(np.float64, shape, elements=finite))
    targets = draw(st.sampled_from([shape[:1], (shape[0], 1), (shape[0], 3)]))
    if draw(st.booleans()):
        target, classes = draw(arrays(np.int64, targets, elements=st.integers(0, 2))), [*"abé"]
    else:
        target, classes = draw(arrays(np.float64, targets, elements=finite)), None
    return Table(features, target, names[:-1], names[-1], classes)


@given(table=tables())
def test_a_table_reads_as_it_was_written(tmp_path_factory, table):
    path = tmp_path_factory.getbasetemp() / "table" / "t.parquet"
    write_table(path, table)
    again = read_table(path)
    assert again.features.tobytes() == table.features.tobytes()
    assert again.features.shape == table.features.shape
    assert again.target.dtype == table.target.dtype
    assert again.target.shape == table.target.shape
    assert again.target.tobytes() == table.target.tobytes()
    assert again.target.flags.writeable
    assert (list(again.feature_names), again.target_name) == (
        list(table.feature_names),
        table.target_name,
    )
    assert again.classes == table.classes


def test_a_table_of_several_row_groups_reads_as_it_was_written(tmp_path):
    samples = 1_100_000  # pyarrow begins a new row group after 1024 * 1024 rows
    table = Table(np.arange(2.0 * samples).reshape(samples, 2), np.arange(samples), ["a", "b"], "c")
    write_table(tmp_path / "t.parquet", table)
    again = read_table(tmp_path / "t.parquet")
    np.testing.assert_array_equal(again.features, table.features)
    np.testing.assert_array_equal(again.target, table.target)


def test_the_same_table_is_the_same_bytes(tmp_path):
    table = Table(np.random.default_rng(0).random((50, 3)), np.arange(50.0), ["a", "b", "c"], "y")
    write_table(tmp_path / "1.parquet", table)
    write_table(tmp_path / "2.parquet", table.rows(np.arange(50)))
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_tables_are_written_and_read_without_importing_pandas(tmp_path):
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from stages.task.table import *\n"
        "write_table(Path('t.parquet'), Table(np.ones((2, 1)), np.ones(2), ['x'], 'y'))\n"
        "read_table(Path('t.parquet')); assert not {'pandas', 'torch'} & set(sys.modules)"
    )

    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True
    )


def test_rows_are_those_at_the_index_in_its_order():
    table = Table(np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 0]), ["x"], "y", ["a", "b"])
    rows = table.rows(np.array([2, 0]))
    assert rows.features.tolist() == [[3.0], [1.0]]
    assert rows.target.tolist() == [0, 0]
    assert (rows.feature_names, rows.target_name, rows.classes) == (["x"], "y", ["a", "b"])


dtypes = st.sampled_from([np.float32, np.float64, np.int64])


@given(
    st.dictionaries(
        st.text("ab.0", min_size=1),
        arrays(dtypes, array_shapes(min_dims=0, max_dims=3)),
        min_size=1,
        max_size=3,
    )
)
def test_tensors_read_as_they_were_written(tmp_path_factory, tensors):
    path = tmp_path_factory.getbasetemp() / "tensors" / "t.safetensors"
    write_tensors(path, tensors)
    again = read_tensors(path)
    assert list(again) == sorted(tensors)
    for name, array in tensors.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        assert again[name].tobytes() == array.tobytes()


def test_a_transposed_tensor_keeps_its_values(tmp_path):
    array = np.arange(6.0).reshape(2, 3).T
    write_tensors(tmp_path / "t.safetensors", {"a": array})
    np.testing.assert_array_equal(read_tensors(tmp_path / "t.safetensors")["a"], array)


@given(st.lists(st.tuples(finite, st.floats()), min_size=1))
def test_a_history_reads_as_it_was_written_but_for_what_is_not_finite(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "history" / "h.csv"
    steps, losses = (list(column) for column in zip(*rows, strict=True))
    write_history(path, {"step": steps, "train_loss": losses})
    again = read_history(path)
    assert list(again) == ["step", "train_loss"]
    assert again["step"] == steps
    for loss, read in zip(losses, again["train_loss"], strict=True):
        assert read == loss if math.isfinite(loss) else math.isnan(read)


def test_a_history_is_csv_for_people(tmp_path):
    write_history(tmp_path / "h.csv", {"epoch": [0, 1], "train_loss": [0.1, math.inf]})
    assert (tmp_path / "h.csv").read_text() == "epoch,train_loss\n0,0.1\n1,\n"


def test_metrics_are_json_a_line_each(tmp_path):
    write_metrics(tmp_path / "m" / "a.json", {"numpy": {"test_loss": 0.1}, "steps": 3})
    assert (tmp_path / "m" / "a.json").read_text() == (
        '{\n  "numpy": {\n    "test_loss": 0.1\n  },\n  "steps": 3\n}\n'
    )


def test_metrics_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_metrics(tmp_path / "a.json", {"loss": math.nan})


def test_every_file_of_a_task_lies_under_its_name():
    files = Files("moons")
    assert files.raw == Path("data/moons/raw.parquet")
    assert files.model["torch"] == Path("data/moons/torch.safetensors")
    assert files.metrics == Path("metrics/moons.json")
