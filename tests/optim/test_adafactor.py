"""Adafactor: closed forms, its refusals, its sums, and torch bit for bit.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file replays gradients of all kinds with every variant, and prints where they differ.
"""

import json
import math
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim.adafactor import Adafactor, mean, mean_square, root_of_sum


def test_the_first_step_of_a_vector_is_its_size_times_lr_whatever_the_gradients() -> None:
    p = np.array([3.0, 4.0, 0.0, 0.0])  # with a root mean square of 2.5
    Adafactor(lr=0.1)(p, np.array([1e-6, -2.0, 3e5, -1.0]))
    np.testing.assert_allclose(p, [2.75, 4.25, -0.25, 0.25], rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 2), (4, 1), (1, 5), (2, 3, 4), (2, 1, 3, 2)])
def test_two_factors_are_exact_where_the_squares_are_their_product(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    rows = random.uniform(1, 3, (*shape[:-1], 1))
    columns = random.uniform(-3, -1, (*shape[:-2], 1, shape[-1]))
    p = np.ones(shape)
    Adafactor(lr=0.1)(p, rows * columns)
    np.testing.assert_allclose(p, np.full(shape, 1.1), rtol=1e-14)


def test_a_matrix_has_one_state_for_each_row_and_one_for_each_column() -> None:
    """Of the mean squares [[8, 2], [0, 6]] their product keeps the sums of rows and columns."""
    g = np.sqrt([[8.0, 2.0], [0.0, 6.0]])
    p = np.ones((2, 2))
    Adafactor(lr=0.1, d=9.0)(p, g)
    factored = np.array([[5.0], [3.0]]) * np.array([4.0, 4.0]) / 4
    np.testing.assert_allclose(p, 1 - 0.1 * g / np.sqrt(factored), rtol=1e-14)


def test_steps_become_shorter_with_the_root_of_their_number() -> None:
    p, optimizer = np.zeros(1), Adafactor(lr=9.0, eps=(None, 8.0))
    positions = [0.0]
    for gradient in (-2.0, 2.0, -2.0, 2.0):  # to and fro, where eps stays the size of p
        optimizer(p, np.array([gradient]))
        positions.append(p.item())
    lengths = [8 / math.sqrt(step) for step in (1, 2, 3, 4)]
    np.testing.assert_allclose(abs(np.diff(positions)), lengths, rtol=1e-14)


def test_old_squares_are_forgotten_with_the_power_of_the_step() -> None:
    """After squares of 1 and 9, with a weight of ¼ for the second, the mean square is 3."""
    p, optimizer = np.zeros(1), Adafactor(lr=0.1, beta2_decay=-2.0, eps=(None, 1.0), d=9.0)
    optimizer(p, np.array([1.0]))
    before = p.item()
    optimizer(p, np.array([3.0]))
    assert p.item() - before == pytest.approx(-0.1 * 3 / math.sqrt(3), rel=1e-14)


@pytest.mark.parametrize("d", [1.0, 1.25])
def test_an_update_beyond_d_is_scaled_down_to_it(d: float) -> None:
    p, optimizer = np.zeros(3), Adafactor(lr=0.1, beta2_decay=-2.0, eps=(None, 1.0), d=d)
    optimizer(p, np.array([1.0, 1.0, 1.0]))
    before = p.copy()
    optimizer(p, np.array([9.0, -9.0, 9.0]))  # beyond by √(81 / 21)
    np.testing.assert_allclose(p - before, [-0.1 * d, 0.1 * d, -0.1 * d], rtol=1e-14)


@pytest.mark.parametrize("shape", [(2,), (2, 2)])
def test_small_gradients_are_divided_by_eps(shape: tuple[int, ...]) -> None:
    p = np.ones(shape)
    Adafactor(lr=0.5, eps=(0.5, 0.0))(p, np.full(shape, 0.125))
    np.testing.assert_allclose(p, np.full(shape, 1 - 0.5 * 0.25), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_eps_of_none_is_the_rounding_unit_of_the_dtype(dtype: str) -> None:
    unit = float(np.finfo(dtype).eps)
    by_default, by_value = np.zeros((3, 2), dtype), np.zeros((3, 2), dtype)
    gradient = np.full((3, 2), unit / 8, dtype)
    Adafactor()(by_default, gradient)
    Adafactor(eps=(unit, 1e-3))(by_value, gradient)
    assert by_default.any()
    np.testing.assert_array_equal(by_default, by_value)


def test_the_size_of_a_single_number_is_its_own_even_where_its_square_underflows() -> None:
    p = np.array([1e-30], np.float32)
    Adafactor(lr=0.5, eps=(None, 0.0))(p, np.array([2.0], np.float32))
    np.testing.assert_allclose(p, [5e-31], rtol=1e-6)


def test_the_smallest_size_of_parameters_counts_where_they_are_zero() -> None:
    p = np.zeros(2)
    Adafactor(lr=0.5, eps=(None, 0.25))(p, np.array([3.0, -3.0]))
    np.testing.assert_allclose(p, [-0.125, 0.125], rtol=1e-15)


def test_weight_decay_is_that_of_the_parameters_and_leaves_the_step_its_size() -> None:
    p = np.array([3.0, 3.0])
    Adafactor(lr=0.5, weight_decay=0.5)(p, np.array([2.0, 0.0]))
    u = np.array([1.0, 0.0])
    np.testing.assert_allclose(p, 0.75 * 3 - 0.5 * 3 * u, rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_maximize_is_the_way_up(shape: tuple[int, ...]) -> None:
    up, down = np.ones(shape), np.ones(shape)
    climb, descend = Adafactor(0.1, maximize=True), Adafactor(0.1)
    for gradient in np.random.default_rng(1).normal(size=(3, *shape)):
        climb(up, np.array(gradient))
        descend(down, np.array(-gradient))
    assert (up != 1).all()
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Adafactor(0.1, weight_decay=0.1, maximize=True)
    gradient = np.array([[1.0, -2.0]])
    for _ in range(3):
        optimizer(np.ones((1, 2)), gradient)
    np.testing.assert_array_equal(gradient, [[1.0, -2.0]])


COUNTS = [1, 2, 3, 4, 7, 8, 9, 15, 16, 31, 33, 63, 64, 65, 100, 255, 256, 257, 1000, 4097, 70000]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("count", COUNTS)
def test_sums_are_complete(count: int, dtype: str) -> None:
    """Whatever their order: small integers leave no doubt."""
    values = np.random.default_rng(count).integers(1, 10, (2, count)).astype(dtype)
    exact = values.sum(axis=-1, dtype=int)
    np.testing.assert_array_equal(mean(values[..., None])[:, 0, 0], (exact / count).astype(dtype))
    np.testing.assert_array_equal(root_of_sum(values)[:, 0], np.sqrt(exact.astype(dtype)))
    for axis, turned in ((-1, values), (-2, np.ascontiguousarray(values.T))):
        np.testing.assert_allclose(
            mean_square(turned, axis).ravel(), exact / count, rtol=4 * np.finfo(dtype).eps
        )


VARIANTS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1},
    {"lr": 3.0},  # 1 / √t is less from the start
    {"lr": 0.1, "beta2_decay": -0.1},
    {"lr": 0.1, "beta2_decay": 0.0},  # the last squares are all
    {"lr": 0.1, "beta2_decay": -3.0},
    {"lr": 0.1, "eps": (1e-3, 0.1)},
    {"lr": 0.1, "eps": (1e-30, 1e-30)},
    {"lr": 0.1, "eps": (0.0, 0.0)},
    {"lr": 1.0, "eps": (2.0, 3.0)},
    {"lr": 0.1, "d": 2.5},
    {"lr": 0.1, "weight_decay": 0.1},
    {"weight_decay": 0.3, "maximize": True},
    {"lr": 0.1, "d": 1.5, "eps": (None, 0.01), "maximize": True},
]
SHAPES = [(), (5,), (40,), (4, 3), (40, 1), (1, 9), (2, 4, 3), (33, 65)]
LARGE = [(300, 200), (40000,), (140000, 2)]
KINDS = ["smooth", "noisy", "zeros", "sign flips", "tiny", "huge", "of all sizes"]
STEPS, STEPS_OF_LARGE = 30, 3


def gradients(kind: str, steps: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """(steps, *shape)."""
    random = np.random.default_rng(1)
    noise, size = random.normal(size=(2, steps, *shape))
    step = np.arange(steps).reshape(-1, *(1 for _ in shape))
    position = np.arange(math.prod(shape)).reshape(shape)
    of_kind: dict[str, Any] = {
        "smooth": np.cos(step / 40 + position),
        "noisy": noise,
        "zeros": noise * random.integers(0, 2, noise.shape) * (position != 1),
        "sign flips": (1 + abs(size)) * (-1.0) ** step,
        "tiny": noise * 1e-30,
        "huge": noise * 1e30,
        "of all sizes": noise * 10.0 ** random.integers(-6, 7, step.shape),
    }
    return np.asarray(of_kind[kind].astype(dtype))


def difference(
    variant: dict[str, Any], shape: tuple[int, ...], kind: str, dtype: str, steps: int
) -> str | None:
    """Where our parameters differ from torch's for the first time, in any bit."""
    from stages.reference.ieee import torch

    parameters = np.random.default_rng(2).normal(size=math.prod(shape)).astype(dtype)
    parameters[1::2] = 0  # where even a tiny step is seen
    parameters = parameters.reshape(shape)
    start, optimizer = parameters.copy(), Adafactor(**variant)
    theirs = torch.tensor(parameters, requires_grad=True)
    torch_optimizer = torch.optim.Adafactor([theirs], foreach=False, **variant)
    for step, gradient in enumerate(gradients(kind, steps, shape, dtype), 1):
        optimizer(parameters, np.asarray(gradient))
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
        expected = theirs.detach().numpy()
        if parameters.tobytes() != expected.tobytes():
            same = (parameters == expected) & (np.signbit(parameters) == np.signbit(expected))
            same |= np.isnan(parameters) & np.isnan(expected)  # whose bits mean nothing
            if not same.all():
                return f"step {step}"
    return None if (parameters != start).any() else "nothing moves"


def main() -> None:
    """Prints {variant, shape, kind of gradients, dtype: where it differs, or null}."""
    import torch

    torch.set_num_threads(1)  # several would share the sum of a column of 32768 rows or more
    cases = []
    for dtype in ("float64", "float32"):
        for number, variant in enumerate(VARIANTS):
            first = (number + (dtype == "float32")) % 2  # the other dtype has the other shapes
            for place, shape in enumerate(SHAPES[first::2]):
                kind = KINDS[(number + place) % len(KINDS)]
                cases.append((variant, shape, kind, dtype, STEPS))
        cases += [({"lr": 0.1}, shape, "noisy", dtype, STEPS_OF_LARGE) for shape in LARGE]
    with np.errstate(all="ignore"):
        print(json.dumps({str(case): difference(*case) for case in cases}))


def test_every_variant_follows_torch_bit_for_bit() -> None:
    differences = printed_by(__file__)
    assert len(differences) == len(VARIANTS) * len(SHAPES) + 2 * len(LARGE)
    assert {case: where for case, where in differences.items() if where} == {}


if __name__ == "__main__":
    main()
