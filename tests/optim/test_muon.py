"""Muon: singular values, closed forms, its refusals, and torch.optim.Muon bit for bit.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file replays gradients with every variant, and prints those that differ.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim.muon import Muon, orthogonalized

Shape = tuple[int, int]

A, B, C = QUINTIC = (3.4445, -4.7750, 2.0315)
SHAPES: list[Shape] = [
    *[(1, 1), (1, 2), (2, 1), (2, 3), (4, 3), (3, 4), (16, 16), (10, 30), (30, 10)],
    *[(64, 32), (100, 50)],
]
VARIANTS: list[dict[str, Any]] = [
    {"lr": 0.1, "nesterov": False},
    {"lr": 0.1, "momentum": 0.3, "adjust_lr_fn": "match_rms_adamw"},
    {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "adjust_lr_fn": "original"},
    {"lr": 0.1, "momentum": 0.5, "ns_coefficients": (2.0, -1.5, 0.5), "eps": 1e-3, "ns_steps": 9},
    {"lr": 0.1, "momentum": 1.2, "weight_decay": 0.3},
    {"lr": 0.1, "ns_steps": 0},
    {"lr": 0.1, "ns_coefficients": (0.0, 1.0, 0.0), "ns_steps": 2},
    {"lr": 0.1, "ns_coefficients": (1.5, 0.0, -0.5), "ns_steps": 2},
]
KINDS = ("noisy", "smooth", "zeros", "sign flips", "tiny", "huge", "of all sizes", "rank one")


def gradients(kind: str, steps: int, shape: Shape, dtype: str) -> Iterator[np.ndarray]:
    random = np.random.default_rng(1)
    numbers = np.arange(np.prod(shape)).reshape(shape)
    for step in range(steps):
        noise, size = random.normal(size=shape), random.uniform(0.5, 2, size=shape)
        yield {
            "noisy": noise,
            "smooth": np.cos(step / 40 + numbers),
            "zeros": noise * random.integers(0, 2, shape) * (numbers != 1),
            "sign flips": size * (-1.0) ** step,
            "tiny": noise * 1e-30,
            "huge": noise * 1e30,
            "of all sizes": noise * 10.0 ** random.integers(-6, 7),
            "rank one": noise[:, :1] * size[:1],
        }[kind].astype(dtype)


def difference(
    variant: dict[str, Any], shape: Shape, kind: str, steps: int, dtype: str
) -> str | None:
    """Where our parameters differ from torch's for the first time, in any bit."""
    import torch

    parameters = np.random.default_rng(2).normal(size=shape).astype(dtype)
    parameters.ravel()[::2] = 0  # where even a tiny step is seen
    start, optimizer = parameters.copy(), Muon(**variant)
    theirs = torch.tensor(parameters, requires_grad=True)
    torch_optimizer = torch.optim.Muon([theirs], **variant)
    for step, gradient in enumerate(gradients(kind, steps, shape, dtype), 1):
        optimizer(parameters, gradient)
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
        expected = theirs.detach().numpy()
        if parameters.tobytes() != expected.tobytes():
            same = (parameters == expected) & (np.signbit(parameters) == np.signbit(expected))
            same |= np.isnan(parameters) & np.isnan(expected)  # whose bits mean nothing
            if not same.all():
                return f"step {step}, {np.abs(parameters - expected).max()}"
    return "nothing moves" if (parameters == start).all() else None


def cases() -> Iterator[tuple[dict[str, Any], Shape, str, int]]:
    """Variant, shape, kind of gradients, and number of steps."""
    for shape in SHAPES:
        # the large ones take both sides milliseconds
        yield {}, shape, "noisy", 100 if shape[0] * shape[1] < 1000 else 10
    # many numbers, of which some show the order of the sums in the first of the steps
    yield {"ns_coefficients": (0.0, 1.0, 0.0), "ns_steps": 1}, (400, 50), "noisy", 10
    for kind in KINDS[1:]:
        for shape in ((1, 1), (3, 4), (30, 10)):
            yield {}, shape, kind, 25
    for variant in VARIANTS:
        for shape in ((1, 2), (4, 3), (10, 30)):
            yield variant, shape, "noisy", 25


def main() -> None:
    """Prints {case: where it differs, or null}."""
    import stages.reference.ieee  # isort: skip  # chooses torch's kernels  # noqa: F401
    import torch

    torch.backends.mkldnn.enabled = False  # its order of summation depends on the processor
    torch.set_num_threads(1)  # on arrays this small several only wait for each other
    with np.errstate(all="ignore"):
        differences = {
            f"{case} {dtype}": difference(*case, dtype)
            for case in cases()
            for dtype in ("float64", "float32")
        }
    print(json.dumps(differences))


def test_every_variant_follows_torch_bit_for_bit() -> None:
    differences = printed_by(__file__)
    assert len(differences) == 2 * len(list(cases()))
    assert {case: where for case, where in differences.items() if where} == {}


def exactly_orthogonalized(matrix: np.ndarray) -> np.ndarray:
    """The polynomial five times on each singular value by itself, in double precision."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values /= np.linalg.norm(matrix)
    for _ in range(5):
        values = A * values + B * values**3 + C * values**5
    return (left * values) @ right


# of matrices whose singular values are all above 1/100 of the norm
WELL_CONDITIONED: list[Shape] = [(3, 4), (10, 30), (30, 10), (64, 32), (100, 50), (20, 400)]


@pytest.mark.parametrize("shape", WELL_CONDITIONED)
def test_singular_values_are_drawn_to_one(shape: Shape) -> None:
    """Into [0.68, 1.13] as published; bfloat16 moves them by up to another 0.01."""
    x = orthogonalized(np.random.default_rng(1).normal(size=shape), QUINTIC, 5, 1e-7)
    values = np.linalg.svd(x, compute_uv=False)
    assert 0.67 < values.min() < values.max() < 1.14


@pytest.mark.parametrize("shape", WELL_CONDITIONED)
def test_the_polynomial_acts_on_the_singular_values_alone(shape: Shape) -> None:
    """In exact arithmetic. Here each number has 8 bits: the difference was 0.07 at most."""
    matrix = np.random.default_rng(1).normal(size=shape)
    x = orthogonalized(matrix, QUINTIC, 5, 1e-7)
    assert 0.001 < np.linalg.norm(x - exactly_orthogonalized(matrix), 2) < 0.08


@pytest.mark.parametrize("shape", [(64, 32), (50, 100)])
def test_native_kernels_stay_within_the_errors_of_bfloat16(shape: Shape) -> None:
    """With oneDNN, which adds up in another order, the products of these sizes differ.

    An order moves a sum by 2γₙ Σ|terms| at most, 2⁻¹⁶ of it for n = 100, so now and then the
    rounding to bfloat16 falls on the other side, by a unit of 2⁻⁸; the polynomial then multiplies
    that by up to 3.4445 at each step where singular values are still small. On x86-64 with AMX 5 to
    20 % of the numbers differ, by up to 6 units of the largest; the spectral norm of the difference
    was 0.036 at most, less than the distance of either from exact arithmetic.
    """
    import torch

    matrix = np.random.default_rng(1).normal(size=shape)
    parameters, theirs = np.zeros(shape), torch.zeros(shape, dtype=torch.float64)
    variant = {"lr": 1.0, "weight_decay": 0.0, "nesterov": False}
    Muon(**variant)(parameters, matrix)
    theirs.grad = torch.tensor(matrix)
    torch.optim.Muon([theirs], **variant).step()
    scale = max(1, shape[0] / shape[1]) ** 0.5
    assert np.linalg.norm(parameters - theirs.numpy(), 2) / scale < 0.08


@pytest.mark.parametrize("shape", [(30, 10), (2, 3)])
def test_a_tall_matrix_is_transposed_meanwhile(shape: Shape) -> None:
    matrix = np.random.default_rng(1).normal(size=shape)
    x = orthogonalized(matrix, QUINTIC, 5, 1e-7)
    of_transpose = orthogonalized(matrix.T, QUINTIC, 5, 1e-7).T
    assert x.shape == matrix.shape
    np.testing.assert_allclose(x, of_transpose, rtol=0, atol=2**-6)


def update(shape: Shape, adjust_lr_fn: str | None) -> np.ndarray:
    parameters = np.zeros(shape)
    gradient = np.random.default_rng(1).normal(size=shape)
    Muon(lr=1.0, weight_decay=0.0, adjust_lr_fn=adjust_lr_fn)(parameters, gradient)
    return -parameters


@pytest.mark.parametrize("shape", WELL_CONDITIONED)
def test_updates_have_the_root_mean_square_of_adam(shape: Shape) -> None:
    """0.2, times that of the singular values (Liu and others, section 2.2)."""
    size = np.sqrt(np.square(update(shape, "match_rms_adamw")).mean())
    assert 0.2 * 0.68 < size < 0.2 * 1.13


@pytest.mark.parametrize(("shape", "factor"), [((40, 10), 2), ((10, 40), 1), ((20, 20), 1)])
def test_a_tall_matrix_goes_further(shape: Shape, factor: float) -> None:
    original = update(shape, "original")
    np.testing.assert_array_equal(update(shape, None), original)
    side = max(shape) ** 0.5
    np.testing.assert_allclose(original / factor, update(shape, "match_rms_adamw") / (0.2 * side))
    assert 0.9 * factor < np.linalg.norm(original, 2) < 1.3 * factor


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_momentum_is_a_running_mean(nesterov: bool) -> None:
    """Gradients 4 and 8, momentum ¾: m = ¼·4 = 1 and then 1 + ¼·7 = 2¾, u = 8 - ¾·5¼ with nesterov.

    Divided by eps, while the norm is below it, and by nothing else: the sum of the documentation of
    torch, m = ¾ m + ∇f, would be 4 times as large.
    """
    parameters = np.zeros((1, 1))
    optimizer = Muon(1.0, 0.0, 0.75, nesterov, eps=64.0, ns_steps=0)
    optimizer(parameters, np.array([[4.0]]))
    first = 4 - 0.75 * 3 if nesterov else 1
    assert parameters == -first / 64
    optimizer(parameters, np.array([[8.0]]))
    second = 8 - 0.75 * 5.25 if nesterov else 2.75
    assert parameters == -first / 64 - second / 64


def test_updates_do_not_depend_on_the_scale_of_the_gradient() -> None:
    small, large = np.zeros((3, 4)), np.zeros((3, 4))
    ours, theirs = Muon(), Muon()
    for gradient in np.random.default_rng(1).normal(size=(5, 3, 4)):
        ours(small, gradient)
        theirs(large, gradient * 2.0**20)
    np.testing.assert_array_equal(small, large)
    assert small.any()


def test_weight_decay_does_not_touch_the_gradient() -> None:
    parameters = np.array([[2.0, -4.0]])
    Muon(lr=0.5, weight_decay=0.5)(parameters, np.zeros((1, 2)))
    np.testing.assert_array_equal(parameters, [[1.5, -3.0]])


def test_gradients_are_left_as_they_are() -> None:
    for nesterov in (False, True):
        optimizer, gradient = Muon(nesterov=nesterov), np.array([[1.0, -2.0], [3.0, 0.5]])
        for _ in range(3):
            optimizer(np.ones((2, 2)), gradient)
        np.testing.assert_array_equal(gradient, [[1.0, -2.0], [3.0, 0.5]])


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"ns_coefficients": (1.0, 2.0)}, "ns_coefficients must be 3 numbers, got (1.0, 2.0)"),
        (
            {"adjust_lr_fn": "none"},
            "adjust_lr_fn must be one of original, match_rms_adamw; got 'none'",
        ),
    ],
)
def test_what_torch_refuses_at_the_first_step_is_refused(
    variant: dict[str, Any], message: str
) -> None:
    import torch

    parameter = torch.zeros(2, 2)
    parameter.grad = torch.ones(2, 2)
    with pytest.raises(ValueError, match=r"not supported|must be"):
        torch.optim.Muon([parameter], **variant).step()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Muon(**variant)


@pytest.mark.parametrize("shape", [(3,), (), (2, 3, 4)])
def test_only_matrices_are_accepted_as_by_torch(shape: tuple[int, ...]) -> None:
    import torch

    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([torch.zeros(shape)])
    with pytest.raises(ValueError, match=f"^parameters must have two dimensions, got {len(shape)}"):
        Muon()(np.zeros(shape), np.zeros(shape))


if __name__ == "__main__":
    main()
