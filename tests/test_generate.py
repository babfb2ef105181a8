import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT, commit, edit_parameters, new_repository
from repository import run as git

from stages.generate import main
from stages.task.command import run
from stages.task.files import Files
from stages.task.table import Table, read_table


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for folder in ("samples", "models"):
        shutil.copytree(ROOT / "stages" / folder, tmp_path / "stages" / folder)
    return tmp_path


def use(data: dict[str, Any], loss: str = "cross_entropy") -> None:
    """Makes `data` and `loss` those of the task `moons`."""

    def edit(parameters: dict[str, Any]) -> None:
        parameters["tasks"]["moons"]["data"] = data
        parameters["tasks"]["moons"]["model"]["loss"] = loss

    edit_parameters(Path(), edit)


def use_csv(text: str, features: str, target: str, loss: str = "cross_entropy") -> None:
    Path("my.csv").write_text(text, encoding="utf-8")
    use({"source": "my.csv", "features": features.split(), "target": target}, loss)


def use_generator(source: str, options: dict[str, Any] | None = None, loss="cross_entropy") -> None:
    Path("my.py").write_text(source)
    use({"source": "my.py", "options": options or {}, "seed": 1}, loss)


def generated(task: str = "moons") -> Table:
    run(main, [task])
    return read_table(Files(task).raw)


def refusal(task: str = "moons") -> str:
    with pytest.raises(SystemExit) as stopped:
        run(main, [task])
    assert not Files(task).raw.exists()
    return stopped.value.code


# ------------------------------------------------------------------------------- generators


def test_the_regression_of_the_first_script():
    table = generated("regression")
    assert table.features.shape == (1100, 1)
    assert table.target.dtype == np.float64
    assert (table.feature_names, table.target_name, table.classes) == (["x"], "y", None)
    np.testing.assert_array_equal(table.features[:, 0], np.linspace(0, 10, 1100))


def test_the_classification_of_the_third_script():
    table = generated("classification")
    assert table.features.shape == (200, 2)
    assert table.target.dtype == np.int64
    assert (list(table.feature_names), table.target_name) == (["x1", "x2"], "class")
    assert table.classes == ["0", "1"]
    np.testing.assert_allclose(table.features[:100].mean(axis=0), [2, 2], atol=0.5)
    np.testing.assert_allclose(table.features[100:].mean(axis=0), [-2, -2], atol=0.5)
    np.testing.assert_array_equal(table.target, np.arange(2).repeat(100))


def test_the_seed_decides_the_samples():
    first = generated()
    np.testing.assert_array_equal(first.features, generated().features)
    edit_parameters(Path(), lambda p: p["tasks"]["moons"]["data"].update(seed=2))
    assert (first.features != generated().features).any()


def test_two_runs_write_the_same_bytes():
    generated()
    first = Files("moons").raw.read_bytes()
    generated()
    assert Files("moons").raw.read_bytes() == first


def test_the_loss_decides_whether_the_target_is_a_number():
    edit_parameters(Path(), lambda p: p["tasks"]["moons"]["model"].update(loss="half_mse"))
    table = generated()
    assert table.classes is None
    assert table.target.dtype == np.float64


def test_a_command_line_makes_the_table_without_torch_or_pandas():
    code = (
        "import sys; from stages.generate import main; from stages.task.command import run\n"
        "run(main, ['classification']); assert not {'pandas', 'torch'} & set(sys.modules)"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    first = Files("classification").raw.read_bytes()
    command = [sys.executable, "-m", "stages.generate", "classification"]
    subprocess.run(command, env=environment, check=True)
    assert Files("classification").raw.read_bytes() == first


OWN_GENERATOR = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated, Literal
import numpy as np
from pydantic import Field

@dataclass
class Shape:
    rows: int

def generate(random, copy: float, *, rows: Annotated[int, Field(gt=1)] = 4, _flag: bool = False,
             kind: Literal["a", "b"] = "a", size: tuple[int, int] = (1, 2)):
    assert isinstance(copy, float) and isinstance(rows, int) and isinstance(size, tuple)
    target = ["yes", "no"] * (Shape(rows).rows // 2)
    return {"x": np.full(rows, copy), "flag": random.random(rows) > 2, "answer": target}
"""


def test_a_generator_of_ones_own_may_lie_anywhere():
    use_generator(OWN_GENERATOR, {"copy": "1e-05", "rows": 6.0, "_flag": True, "size": [3, 4]})
    table = generated()
    assert table.features.tolist() == [[1e-5, 0]] * 6
    assert table.features.dtype == np.float64
    assert table.target.tolist() == [1, 0] * 3
    assert table.classes == ["no", "yes"]


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({}, ["copy: is missing; expected a value"]),
        (
            {"copy": 1, "row": 4},
            ["row: unknown key (did you mean rows?); valid keys are copy, rows, _flag, kind, size"],
        ),
        (
            {"copy": True, "rows": 1.5, "kind": "c", "size": [1]},
            [
                "copy: must be a number, got true",
                "rows: must be a whole number, got 1.5",
                "kind: must be one of a, b; got 'c'",
                "size[1]: is missing; expected a value",
            ],
        ),
        ({"copy": "x", "rows": 1}, ["copy: must be a number, got 'x'",
                                    "rows: must be greater than 1, got 1"]),
        ({"copy": float("nan")}, ["copy: must be a finite number, got nan"]),
    ],
)  # fmt: skip
def test_every_option_that_the_generator_does_not_take_is_refused(options, lines):
    use_generator(OWN_GENERATOR, options)
    place = "params.yaml: tasks.moons.data.options"
    assert refusal().splitlines() == [f"{place}.{line}" for line in lines]


@pytest.mark.parametrize(
    ("task", "options", "line"),
    [
        ("regression", {"samples": -3}, "samples: must be at least 2, got -3"),
        ("regression", {"samples": 1e9}, "samples: must be at most 100000000, got 1000000000.0"),
        (
            "classification",
            {"samples_per_class": 10**9},
            "samples_per_class: must be at most 100000000, got 1000000000",
        ),
        ("moons", {"samples": 10**400}, f"samples: must be at most 100000000, got 1{'0' * 56}..."),
        ("moons", {"samples": 1e30}, "samples: must be a smaller whole number, got 1e+30"),
        ("regression", {"noise": -1}, "noise: must be at least 0, got -1"),
        ("classification", {"centers": [[2, 2]]}, "centers: must have 2 or more entries, got 1"),
        (
            "classification",
            {"centers": [[2, 2], [1]]},
            "centers: must all have the same number of coordinates, got [[2.0, 2.0], [1.0]]",
        ),
        (
            "classification",
            {"centers": [[2, "a"], [1, 1]]},
            "centers[0][1]: must be a number, got 'a'",
        ),
        (
            "moons",
            {"nois": 0.1},
            "nois: unknown key (did you mean noise?); valid keys are samples, noise",
        ),
    ],
)
def test_options_of_the_generators_have_bounds(task, options, line):
    edit_parameters(Path(), lambda p: p["tasks"][task]["data"].update(options=options))
    assert refusal(task).splitlines()[0] == f"params.yaml: tasks.{task}.data.options.{line}"


def test_a_target_of_two_dimensions_is_several_of_one_set_of_classes():
    use_generator("def generate(random): return {'x': [1, 2], 'y': [['b', 'a'], ['c', 'b']]}")
    single = generated().single
    assert single
    assert single.startswith("my.py: row 1, column y_2: is the only sample of class 'a'")
    use_generator("def generate(random): return {'x': [1, 2], 'y': [['10', '9'], ['9', '10']]}")
    table = generated()
    assert (table.feature_names, table.target_name, table.classes) == (["x"], "y", ["9", "10"])
    np.testing.assert_array_equal(table.target, [[1, 0], [0, 1]])
    use_generator(
        "def generate(random): return {'x': [1, 2], 'y': [[3, 1], [2, 4]]}", None, "half_mse"
    )
    np.testing.assert_array_equal(generated().target, [[3, 1], [2, 4]])


RETURNS = "my.py: generate must return a dict of columns by name, the target last"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("[1, 2]", f"{RETURNS}; got list"),
        ("{'y': [1, 2]}", f"{RETURNS}; got the columns 'y'"),
        ("{1: [1, 2], 'y': [1, 2]}", f"{RETURNS}; got the columns 1, 'y'"),
        ("{'x': [1], 'y': [1, 2]}", f"{RETURNS}, all of one length; got 1 in x, 2 in y"),
        ("{'x': [[1], [1, 2]], 'y': [1, 2]}", f"{RETURNS}; got a column x that is not an array"),
        (
            "{'x': [[1], [2]], 'y': [1, 2]}",
            f"{RETURNS}, each one-dimensional, of numbers or text; "
            "got int64 of shape (2, 1) in column x",
        ),
        (
            "{'x': [1, 2], 'y': [[], []]}",
            f"{RETURNS}, each one-dimensional, of numbers or text; "
            "got float64 of shape (2, 0) in column y",
        ),
        (
            "{'y_1': [1, 2], 'y': [[1], [2]]}",
            f"{RETURNS}; got another column y_1 beside those of y",
        ),
        (
            "{'x': [1, 1j], 'y': [1, 2]}",
            f"{RETURNS}, each one-dimensional, of numbers or text; "
            "got complex128 of shape (2,) in column x",
        ),
        (
            "{'x': [1, 2, float('inf')], 'y': [0, 1, 1]}",
            "my.py: row 3, column x: must be a finite number, got inf",
        ),
        (
            "{'x': [1, 'b', 2], 'y': [0, 1, 1]}",
            "my.py: row 2, column x: must be a number, got 'b'",
        ),
    ],
)
def test_what_a_generator_returns_is_checked(returned, message):
    use_generator(f"def generate(random): return {returned}")
    assert refusal() == message


@pytest.mark.parametrize("source", ["x = 1", "generate = 1", "def generate(): return {}"])
def test_a_generator_needs_a_function(source):
    use_generator(source)
    assert refusal() == "my.py: must have a function generate(random, *, options)"


def test_a_mistake_in_the_code_of_a_generator_keeps_its_traceback():
    use_generator("def generate(random): return 1 / 0")
    with pytest.raises(ZeroDivisionError):
        generated()


def test_a_source_that_is_not_there():
    use({"source": "none.py", "seed": 1})
    assert refusal() == "params.yaml: tasks.moons.data.source: there is no file none.py"


# ----------------------------------------------------------------------------------- tables

MISSING = "is missing; expected a number, or data.missing: drop, mean or median"
NO_CLASS = "is missing; expected a class, or data.missing: drop"
CATEGORIES = "; data.categories makes a column of each of its texts"

FLOWERS = """\
name,length, width ,kind
a,1.5,1,rose
b,2,-2e-3,tulip

c,1e1,0.1,rose
d,3,4, lily
e,3,4,"tulip"
f,3,4,lily
"""


def test_a_csv_file():
    use_csv(FLOWERS, "width length", "kind")
    table = generated()
    assert table.features.tolist() == [[1, 1.5], [-2e-3, 2], [0.1, 10], [4, 3], [4, 3], [4, 3]]
    assert table.target.tolist() == [1, 2, 1, 0, 2, 0]
    assert table.classes == ["lily", "rose", "tulip"]
    assert (table.feature_names, table.target_name) == (["width", "length"], "kind")


def test_a_csv_file_as_a_spreadsheet_writes_it():
    Path("my.csv").write_bytes("\ufeffa,b\r\n1,2\r\n3,4\r\n".encode())
    use({"source": "my.csv", "features": ["a"], "target": "b"}, "half_mse")
    table = generated()
    assert table.features.tolist() == [[1], [3]]
    assert table.target.tolist() == [2, 4]
    assert table.classes is None


def test_git_leaves_the_line_ends_of_a_table_as_they_are(project):
    content = b"a,b\r\n1,2\n3,4\r\n"
    original = project / "original"
    original.mkdir()
    new_repository(original)
    shutil.copy(ROOT / ".gitattributes", original)
    for name in ("my.csv", "MY.TXT", "other.py"):
        (original / name).write_bytes(content)
    git(original, "git", "-c", "core.autocrlf=true", "add", "--all")
    commit(original)
    git(project, "git", "-c", "core.autocrlf=true", "clone", "--quiet", "original", "clone")
    for path in original.iterdir():
        if path.is_file():
            assert (project / "clone" / path.name).read_bytes() == path.read_bytes()


def test_numbers_in_a_csv_file_are_read_exactly():
    use({"source": "my.csv", "features": ["a"], "target": "b"}, "half_mse")

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2))
    def check(values):
        Path("my.csv").write_text("a,b\n" + "".join(f"{value!r},0\n" for value in values))
        assert generated().features[:, 0].tobytes() == np.array(values).tobytes()

    check()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("labels", "classes", "target"),
    [
        (["10", "9", "9", "10"], ["9", "10"], [1, 0, 0, 1]),
        ([10, 9, 9, 10], ["9", "10"], [1, 0, 0, 1]),
        ([1.5, -2.0, -2.0, 1.5], ["-2", "1.5"], [1, 0, 0, 1]),
        ([2**60 + 1, 2**60, 2**60 + 1, 2**60], [str(2**60), str(2**60 + 1)], [1, 0, 1, 0]),
        (["b", "10", "b", "10"], ["10", "b"], [1, 0, 1, 0]),
        ([True, False, False, True], ["False", "True"], [1, 0, 0, 1]),
        (["é", "z", "é", "z"], ["z", "é"], [1, 0, 1, 0]),
    ],
)
def test_labels_become_classes_in_order(suffix, labels, classes, target):
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "kind": labels})
    if suffix == "csv":
        frame.to_csv("my.csv", index=False)
    else:
        frame.to_parquet("my.parquet")
    use({"source": f"my.{suffix}", "features": ["a"], "target": "kind"})
    table = generated()
    assert table.classes == classes
    assert table.target.tolist() == target


def test_columns_of_a_parquet_file_may_have_any_type_that_is_a_number():
    pd.DataFrame(
        {
            "float": np.float32([0.5, 1.5, 2.5, 3.5]),
            "integer": np.int8([1, 2, 3, 4]),
            "truth": [True, False, True, False],
            "nullable": pd.array([1, 2, 3, 4], dtype="Int64"),
            "decimal": [Decimal("0.25")] * 4,
            "category": pd.Categorical(["u", "v", "u", "v"]),
        }
    ).to_parquet("my.parquet")
    features = ["float", "integer", "truth", "nullable", "decimal"]
    use({"source": "my.parquet", "features": features, "target": "category"})
    table = generated()
    assert table.features.tolist() == [
        [0.5, 1, 1, 1, 0.25],
        [1.5, 2, 0, 2, 0.25],
        [2.5, 3, 1, 3, 0.25],
        [3.5, 4, 0, 4, 0.25],
    ]
    assert table.classes == ["u", "v"]


def test_pandas_reads_the_table():
    use_csv(FLOWERS, "length", "kind")
    generated()
    frame = pd.read_parquet(Files("moons").raw)
    assert frame.to_dict("list") == {"length": [1.5, 2, 10, 3, 3, 3], "kind": [1, 2, 1, 0, 2, 0]}


def test_true_and_false_in_a_csv_file_are_1_and_0():
    use_csv("a,b\nTrue,1\nfalse,2\n0.5,3\n", "a", "b", "half_mse")
    assert generated().features[:, 0].tolist() == [1, 0, 0.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,k\n1,2,x\n\n3,,y\n", f"my.csv: line 4, column b: {MISSING}"),
        ("a,b,k\n1,NA,x\n3,4,y\n", f"my.csv: line 2, column b: {MISSING}"),
        ("a,b,k\n1,2,x\n3,4,\n", f"my.csv: line 3, column k: {NO_CLASS}"),
        ("a,b,k\n1,2,x\n3,4,NaN\n", f"my.csv: line 3, column k: {NO_CLASS}"),
        ("a,b,k\n1,2,1\n3,4,-inf\n", "my.csv: line 3, column k: must not be infinite"),
        ("a,b,k\n1,2,x\n3,-inf,y\n", "my.csv: line 3, column b: must be a finite number, got -inf"),
        ("a,b,k\n1,1e999,x\n3,4,y\n", "my.csv: line 2, column b: must be a finite number, got inf"),
        (
            "a,b,k\n1,two,x\n3,4,y\n",
            f"my.csv: line 2, column b: must be a number, got 'two'{CATEGORIES}",
        ),
        # The first row counts, then the first column.
        (
            "a,b,k\n1,2,x\n3,four,y\n,6,x\n",
            f"my.csv: line 3, column b: must be a number, got 'four'{CATEGORIES}",
        ),
        (
            "a,b,k\n1,2,x\nthree,four,y\n",
            f"my.csv: line 3, column a: must be a number, got 'three'{CATEGORIES}",
        ),
        (
            "a,b,k\n1,2,x\n3,4,x\n",
            "my.csv: column k: must have at least two classes, got only 'x'",
        ),
        (
            "a,b,k\n",
            "my.csv: must have at least two samples, one to train on and one to test on, got 0",
        ),
        (
            "a,b,k\n1,2,x\n",
            "my.csv: must have at least two samples, one to train on and one to test on, got 1",
        ),
        ("", "my.csv: is empty; its first line must name the columns"),
        ("\n\n", "my.csv: is empty; its first line must name the columns"),
        (
            "a,b,k\n1,2,x\n3,4\n",
            "my.csv: line 3: must have 3 values, one for each column, got 2",
        ),
        (
            'a,b,k\n1,"2,x\n',
            "my.csv: line 2: unexpected end of data; data.quote: none takes quotes for text",
        ),
        (
            "a,b,a,k\n1,2,3,x\n",
            "my.csv: has 2 columns 'a'; each column needs a name of its own",
        ),
        (
            "a,bee,k\n1,2,x\n",
            "params.yaml: tasks.moons.data.features[1]: my.csv has no column 'b'; "
            "its columns are a, bee, k",
        ),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_one_line(text, message):
    use_csv(text, "a b", "k")
    assert refusal() == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,k\n1,2,x\n3,4,y\n5,6,x\n5,6,y\n", None),
        (
            "a,b,k\n1,2,x\n3,4,y\n5,6,x\n",
            "my.csv: line 3, column k: is the only sample of class 'y'; "
            "a class needs one to train on and one to test on",
        ),
        (
            "a,b,k\n1,2,0.5\n3,4,0.25\n",
            "my.csv: line 2, column k: is the only sample of class '0.5'; "
            "a class needs one to train on and one to test on; "
            "for a target of measured numbers choose loss half_mse",
        ),
    ],
)
def test_the_only_sample_of_a_class_is_told_to_the_split(text, message):
    use_csv(text, "a b", "k")
    assert generated().single == message


def test_every_column_that_is_not_there_is_named():
    use_csv("length,width,kind\n", "lenght width size", "kinds")
    place, has = "params.yaml: tasks.moons.data", "its columns are length, width, kind"
    assert refusal().splitlines() == [
        f"{place}.features[0]: my.csv has no column 'lenght' (did you mean length?); {has}",
        f"{place}.features[2]: my.csv has no column 'size'; {has}",
        f"{place}.target: my.csv has no column 'kinds' (did you mean kind?); {has}",
    ]


def test_text_in_a_target_that_is_to_be_a_number():
    use_csv("a,k\n1,2\n3,x\n", "a", "k", "half_mse")
    assert refusal() == (
        "my.csv: line 3, column k: must be a number, got 'x'; "
        "for a target of classes choose loss cross_entropy"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"a": [1.0, None], "k": ["x", "y"]},
            f"my.parquet: row 2, column a: {MISSING}",
        ),
        (
            {"a": [1.0, 2.0], "k": ["x", None]},
            f"my.parquet: row 2, column k: {NO_CLASS}",
        ),
        (
            {"a": ["u", "v"], "k": ["x", "y"]},
            f"my.parquet: row 1, column a: must be a number, got 'u'{CATEGORIES}",
        ),
        (
            {"a": [1.0, float("inf")], "k": ["x", "y"]},
            "my.parquet: row 2, column a: must be a finite number, got inf",
        ),
        (
            {"a": [1.0, 2.0], "k": [1.0, float("-inf")]},
            "my.parquet: row 2, column k: must not be infinite",
        ),
        (
            {"a": [], "k": []},
            "my.parquet: must have at least two samples, one to train on and one to test on, got 0",
        ),
        (
            {"b": [1.0, 2.0], "k": ["x", "y"]},
            "params.yaml: tasks.moons.data.features[0]: my.parquet has no column 'a'; "
            "its columns are b, k",
        ),
    ],
)
def test_what_is_wrong_in_a_parquet_file_is_one_line(columns, message):
    pd.DataFrame(columns).to_parquet("my.parquet")
    use({"source": "my.parquet", "features": ["a"], "target": "k"})
    assert refusal() == message


def test_a_date_is_no_number():
    pd.DataFrame({"a": pd.to_datetime(["2020-01-01"] * 4), "k": list("xxyy")}).to_parquet(
        "my.parquet"
    )
    use({"source": "my.parquet", "features": ["a"], "target": "k"})
    message = refusal()
    assert message.startswith("my.parquet: row 1, column a: must be a number, got ")
    assert message.endswith("; data.dates reads it as a date")


@pytest.mark.parametrize("content", [b"", b"no parquet at all", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_one_line(content):
    Path("my.parquet").write_bytes(content)
    use({"source": "my.parquet", "features": ["a"], "target": "k"})
    message = refusal()
    assert message.startswith("my.parquet: cannot be read as parquet: ")
    assert "\n" not in message
