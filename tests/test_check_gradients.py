"""The stage that compares gradients in three ways: all are right, and mistakes are found."""

import json
import math
from collections.abc import Iterator
from copy import copy
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stages import check_gradients as stage
from stages.graph import kernels
from stages.graph.operation import OPERATIONS
from stages.graph.operations import pooling
from stages.graph.value import Array
from stages.proofs.cases import CASES
from stages.proofs.formulas import operation_formulas
from stages.proofs.gradients import worst
from stages.task.errors import InputError

SEED, STEP = 1, 5e-4
CHECKS = SimpleNamespace(seed=SEED, step=STEP)

# Each gradient is a sum of a few terms, each rounded a few times: 100 roundings at most, where the
# gradient is no smaller than its terms. Largest seen with ten seeds: 1.8e-15 and 3.3e-6.
TOLERANCE = {"": 100 * 2.0**-53, "_float32": 100 * 2.0**-24}
# ε/h · f is 1e-11 for a loss of 20, h⁴/30 · f⁽⁵⁾ less. Largest seen with ten seeds: 1.2e-11.
DIFFERENCE_TOLERANCE = 1e-10


def check(name: str, seed: int = SEED) -> dict[str, Any]:
    return worst(partial(operation_formulas, name, seed), STEP)


def written(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    stage.main(CHECKS)
    return json.loads((directory / "metrics" / "gradients.json").read_text())


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    directory = tmp_path_factory.mktemp("gradients")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        yield written(directory)


def test_everything_is_compared_and_right(metrics: dict[str, Any]) -> None:
    assert list(metrics) == ["operations", "models"]
    assert set(metrics["operations"]) == set(OPERATIONS)
    kinds = {f"{a}_{b}" for a in ("relu", "tanh", "sigmoid") for b in ("half_mse", "cross_entropy")}
    assert set(metrics["models"]) == kinds
    for name, found in (metrics["operations"] | metrics["models"]).items():
        assert found["cases"] >= 3, name
        assert 0 < found["difference_quotient"] < DIFFERENCE_TOLERANCE, name
        for suffix, tolerance in TOLERANCE.items():
            assert 0 <= found[f"relative_error{suffix}"] < tolerance, name


@pytest.mark.parametrize(
    "name", ["negative", "transpose", "absolute", "floor", "less", "relu", "clip", "accuracy"]
)
def test_what_only_passes_gradients_on_is_bit_for_bit_that_of_torch(
    name: str, metrics: dict[str, Any]
) -> None:
    found = metrics["operations"][name]
    assert (found["ulp"], found["ulp_float32"]) == (0, 0)


def replace(patch: pytest.MonkeyPatch, name: str, position: int, derivative: Any) -> None:
    """Gives an operation another derivative with respect to one of its operands."""
    derivatives = list(OPERATIONS[name].derivatives)
    derivatives[position] = derivative
    wrong = copy(OPERATIONS[name])
    wrong.derivatives = tuple(derivatives)
    patch.setitem(OPERATIONS, name, wrong)


DERIVATIVES = [
    (name, position)
    for name, operation in OPERATIONS.items()
    for position, derivative in enumerate(operation.derivatives)
    if derivative is not None
]


@pytest.mark.parametrize(("name", "position"), DERIVATIVES)
def test_a_derivative_that_is_wrong_by_a_thousandth_is_found(
    name: str, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = OPERATIONS[name].derivatives[position]
    replace(monkeypatch, name, position, lambda *g, **axes: right(*g, **axes) * 1.001)
    found = check(name)
    assert found["ulp"] > 1e11  # a thousandth of a number is at least 2⁵²/1000 · ½ units of it
    assert 1e-4 < found["relative_error"] < 1e-2
    assert 1e-4 < found["relative_error_float32"] < 1e-2
    assert 1e-4 < found["difference_quotient"] < 1e-2


TANH = ["tanh", "tanh_half_mse", "tanh_cross_entropy"]


def test_a_mistake_is_found_at_its_name_and_where_it_is_used(
    metrics: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    replace(monkeypatch, "tanh", 0, lambda g, y, a: g * (1 - y))
    found = written(tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert {line.split(": ")[1].split(".")[1] for line in lines} == set(TANH)
    assert all(line.startswith("metrics/gradients.json: ") for line in lines)
    for part, names in metrics.items():
        different = {name for name in names if found[part][name] != metrics[part][name]}
        assert different == set(TANH[:1] if part == "operations" else TANH[1:])
        assert all(found[part][name]["relative_error"] > 0.01 for name in different)
        assert all(found[part][name]["difference_quotient"] > 0.01 for name in different)


repeated = OPERATIONS["sum"].derivatives[0]  # to the shape before the axes were reduced

AT_A_KINK = {
    "relu'(0) = 1": ("relu", 0, lambda g, y, a: g * ((a > 0) + a.equals(0))),
    "relu'(0) = 1/2": ("relu", 0, lambda g, y, a: g * ((a > 0) + a.equals(0) * 0.5)),
    "all to the first of equals": ("maximum", 0, lambda g, y, a, b: g * ((a > b) + a.equals(b))),
    "all to the second of equals": ("maximum", 1, lambda g, y, a, b: g * ((b > a) + a.equals(b))),
    "all to the first of equals in a minimum": (
        "minimum",
        0,
        lambda g, y, a, b: g * (a <= b),
    ),
    "|a|'(0) = 1": ("absolute", 0, lambda g, y, a: g * ((a >= 0) - (a < 0))),
    "leaky_relu'(0) = 1": ("leaky_relu", 0, lambda g, y, a, negative_slope: g * (a >= 0)),
    "elu'(0) is not that from below": (
        "elu",
        0,
        lambda g, y, a, alpha: g * (a > 0).where(1, 0.9 * (y + alpha)),
    ),
    "hardtanh' at its bounds is 1": (
        "hardtanh",
        0,
        lambda g, y, a, low, high: g * ((a >= low) * (a <= high)),
    ),
    "clip' at its bounds is 0": (
        "clip",
        0,
        lambda g, y, a, low, high: g * ((a > low) * (a < high)),
    ),
    "all to each of the largest": (
        "max",
        0,
        lambda g, y, a, **axes: repeated(g, y, a, **axes) * a.equals(repeated(y, y, a, **axes)),
    ),
    "nothing to a factor of 0": (
        "prod",
        0,
        lambda g, y, a, **axes: repeated(g * y, y, a, **axes) / (a + a.equals(0)),
    ),
    "norm'(0) = 1": (
        "norm",
        0,
        lambda g, y, a, **axes: repeated(g / (y + y.equals(0)), y, a, **axes) * (a + a.equals(0)),
    ),
    "nothing to equals": ("maximum", 0, lambda g, y, a, b: g * (a > b)),
}


@pytest.mark.parametrize("mistake", AT_A_KINK)
def test_another_choice_than_torchs_at_a_kink_is_found(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, position, derivative = AT_A_KINK[mistake]
    replace(monkeypatch, name, position, derivative)
    for seed in range(5):
        assert check(name, seed)["relative_error"] > 0.01


TO_OTHERS = {
    "each of equals": lambda hits, first: hits,
    "the last of equals": lambda hits, first: first(hits[::-1])[::-1],
}


@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d"])
@pytest.mark.parametrize("mistake", TO_OTHERS)
def test_a_gradient_of_a_largest_that_goes_to_others_than_torchs_is_found(
    mistake: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pooling._first
    monkeypatch.setattr(pooling, "_first", lambda hits: TO_OTHERS[mistake](hits, first))
    for seed in range(3):
        assert check(name, seed)["relative_error"] > 0.01


def last_wins(gradient: Array, positions: Array, out: Array) -> None:
    out.fill(0)
    for total, numbers, places in zip(out, gradient, positions, strict=True):
        total[places.reshape(-1)] = numbers.reshape(-1)


def without(option: str, kernel: Any, value: int) -> Any:
    def mistaken(*arrays: Array, out: Array, **options: tuple[int, ...]) -> None:
        kernel(*arrays, out=out, **options | {option: (value,) * len(options[option])})

    return mistaken


CONVOLUTIONS, AVERAGES = ["conv1d", "conv2d"], ["avg_pool1d", "avg_pool2d"]
MISTAKEN_KERNELS = {
    "what is taken twice counts once": ("scattered", last_wins, ["take", "gather"]),
    "windows begin without padding": (
        "folded",
        without("padding", kernels.folded, 0),
        CONVOLUTIONS + AVERAGES,
    ),
    "windows lie side by side": (
        "folded",
        without("strides", kernels.folded, 1),
        CONVOLUTIONS + AVERAGES,
    ),
    "windows have no gaps": ("folded", without("dilation", kernels.folded, 1), CONVOLUTIONS),
    "the largest of the window beside it": (
        "routed",
        without("strides", kernels.routed, 1),
        ["max_pool1d", "max_pool2d"],
    ),
}


@pytest.mark.parametrize(
    ("mistake", "name"),
    [(mistake, name) for mistake in MISTAKEN_KERNELS for name in MISTAKEN_KERNELS[mistake][2]],
)
def test_a_gradient_at_the_wrong_place_is_found(
    mistake: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, mistaken, _ = MISTAKEN_KERNELS[mistake]
    monkeypatch.setattr(kernels, kernel, mistaken)
    found = check(name)
    assert found["relative_error"] > 0.01
    assert found["difference_quotient"] > 0.01


def test_a_difference_quotient_knows_nothing_of_the_choice_at_a_kink(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace(monkeypatch, *AT_A_KINK["relu'(0) = 1"])
    assert check("relu")["difference_quotient"] < DIFFERENCE_TOLERANCE


def test_a_gradient_that_is_no_number_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, "exp", 0, lambda g, y, a: g * math.nan)
    found = check("exp")
    assert found["ulp"] > 1e11
    assert found["relative_error"] is found["difference_quotient"] is None


def test_an_accuracy_has_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, "accuracy", 0, lambda g, y, z, k: g * z)
    assert check("accuracy")["relative_error"] > 0.01


def test_operations_that_nothing_compares_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cosh", "sinh"):
        monkeypatch.setitem(OPERATIONS, name, OPERATIONS["exp"])
    monkeypatch.setitem(CASES, "sinh", CASES["exp"])
    with pytest.raises(InputError) as error:
        stage.main(CHECKS)
    assert str(error.value).splitlines() == [
        "CASES in stages/proofs/cases: is missing the graph's operation cosh",
        "OPERATIONS in stages/reference/operations: is missing the graph's operation cosh",
        "OPERATIONS in stages/reference/operations: is missing the graph's operation sinh",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_numbers_do_not_depend_on_what_else_is_compared(metrics: dict[str, Any]) -> None:
    assert check("relu") == metrics["operations"]["relu"]
    assert check("add") == metrics["operations"]["add"]
