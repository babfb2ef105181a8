"""Clipping beside torch's, bit for bit where nothing but the order of a sum decides.

As a program, in a process of its own since torch must be told its kernels before it is imported,
this file clips many gradients by both, and prints where they differ.
"""

import json
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim import arithmetic, clipping
from stages.optim.clipping import clip_grad_norm_, clip_grad_value_, total_norm

SHAPES: list[list[tuple[int, ...]]] = [
    [(1,)],
    [(5, 3), (3,)],
    [(2, 10), (10,), (10, 2), (2,)],
    [(1,), (1, 1), ()],
    [(8,), (16,), (31,)],
    [(100, 41), (41,), (41, 7), (7,)],
    [(40_001,)],
]
EXACT = (2.0, np.inf, -np.inf, 0.0)
KINDS = ("normal", "tiny", "of all sizes", "zeros", "infinite", "none")


def gradients(kind: str, count: int, dtype: str) -> np.ndarray:
    random = np.random.default_rng(count)
    noise = random.normal(size=count)
    noise[0] = {"infinite": np.inf, "none": np.nan}.get(kind, noise[0])
    sizes = 10.0 ** random.integers(-6, 7, count)
    factor = {"tiny": 1e-30, "of all sizes": sizes, "zeros": random.integers(0, 2, count)}
    with np.errstate(all="ignore"):
        return (noise * factor.get(kind, 1.0)).astype(dtype)


def clipped_by_torch(
    array: np.ndarray, shapes: list[tuple[int, ...]], **arguments: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The clipped gradients, and the norm."""
    import torch

    parameters, start = [], 0
    for shape in shapes:
        stop = start + int(np.prod(shape))
        parameter = torch.zeros(shape, dtype=torch.from_numpy(array).dtype, requires_grad=True)
        parameter.grad = torch.from_numpy(array[start:stop].reshape(shape).copy())
        parameters.append(parameter)
        start = stop
    norm = torch.nn.utils.clip_grad_norm_(parameters, **arguments)
    return np.concatenate([p.grad.numpy().ravel() for p in parameters]), norm.numpy()


def differences() -> list[str]:
    import stages.reference.ieee  # isort: skip  # chooses torch's kernels  # noqa: F401
    import torch

    torch.set_num_threads(1)
    found = []
    for shapes in SHAPES:
        for kind in KINDS:
            for dtype in ("float64", "float32"):
                array = gradients(kind, sum(int(np.prod(s)) for s in shapes), dtype)
                for p in EXACT:
                    for max_norm in (1e-3, 1.0, 1e9):
                        arguments = {"max_norm": max_norm, "norm_type": p}
                        expected, norm = clipped_by_torch(array, shapes, **arguments)
                        ours = array.copy()
                        with np.errstate(all="ignore"):
                            our_norm = clip_grad_norm_(ours, **arguments, shapes=shapes)
                        if not (same(ours, expected) and same(our_norm, norm)):
                            found.append(f"{shapes} {kind} {dtype} {arguments}: {our_norm} {norm}")
    return found


def same(left: np.ndarray, right: np.ndarray) -> bool:
    nan = np.isnan(left)
    equal = bool((nan == np.isnan(right)).all()) and left.dtype == right.dtype
    return equal and left[~nan].tobytes() == right[~nan].tobytes()


def test_clipping_by_norm_is_torchs_bit_for_bit() -> None:
    assert printed_by(__file__) == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("p", [1.0, 3.0, 0.5, 1.5, -1.0])
def test_other_norms_are_torchs_within_the_bound_of_their_sums(p: float, dtype: str) -> None:
    shapes: list[tuple[int, ...]] = [(20, 30), (30,)]
    array = gradients("normal", 630, dtype)
    expected, _ = clipped_by_torch(array, shapes, max_norm=1.0, norm_type=p)
    assert clip_grad_norm_(array, 1.0, p, shapes=shapes).dtype == dtype
    unit = float(np.finfo(dtype).eps) / 2
    bound = (2 * 630 * unit + 8 * unit) * max(1.0, 1 / abs(p)) + 1e-15
    np.testing.assert_allclose(array, expected, rtol=2 * bound)


@pytest.mark.parametrize("p", [2.0, np.inf, 1.0, 3.0])
def test_each_run_is_clipped_by_its_own_norm(p: float) -> None:
    rows = np.random.default_rng(1).normal(size=(4, 63)) * np.array([[0.01], [1], [100], [1e4]])
    limits, shapes = np.array([1.0, 2.0, 1e9, 0.5]), [(7, 8), (7,)]
    expected = rows.copy()
    norms = [
        clip_grad_norm_(row, float(limit), p, shapes=shapes)
        for row, limit in zip(expected, limits, strict=True)
    ]
    found = clip_grad_norm_(rows, limits, p, shapes=shapes)
    assert rows.tobytes() == expected.tobytes()
    assert found.tobytes() == np.array(norms).tobytes()


@pytest.mark.parametrize("chunk", [32, 96, 2**18])
def test_chunks_change_no_bit(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(3, 1003))
    expected = total_norm(values)
    monkeypatch.setattr(clipping, "chunks", lambda array: arithmetic.chunks(array, chunk))
    assert total_norm(values).tobytes() == expected.tobytes()


def test_a_norm_of_three_and_four() -> None:
    gradients = np.array([3.0, 4.0])
    assert clip_grad_norm_(gradients, 10.0) == 5
    np.testing.assert_array_equal(gradients, [3, 4])
    assert clip_grad_norm_(gradients, 1.0) == 5
    np.testing.assert_allclose(gradients, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_norm_that_is_not_finite_is_refused_if_asked_for(bad: float) -> None:
    gradients = np.array([bad, 1.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        clipped_by_torch(gradients, [(2,)], max_norm=1.0, error_if_nonfinite=True)
    message = rf"^the norm of order 2.0 must be finite, got {bad}$"
    with pytest.raises(ValueError, match=message):
        clip_grad_norm_(gradients, 1.0, error_if_nonfinite=True)
    assert gradients[1] == 1


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^shapes must have 5 numbers as the gradients, got 6$"):
        clip_grad_norm_(np.ones((2, 5)), 1.0, shapes=[(2, 3)])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("limit", [0.5, 1e-3, 1e30])
def test_clipping_by_value_is_torchs(limit: float, dtype: str) -> None:
    import torch

    for kind in KINDS:
        array = gradients(kind, 100, dtype)
        parameter = torch.zeros(100, dtype=torch.from_numpy(array).dtype, requires_grad=True)
        parameter.grad = torch.from_numpy(array.copy())
        torch.nn.utils.clip_grad_value_([parameter], limit)
        clip_grad_value_(array, limit)
        assert same(array, parameter.grad.numpy())


def test_each_run_has_a_limit_of_its_own() -> None:
    rows = np.array([[-3.0, 3.0, 0.1]] * 2)
    clip_grad_value_(rows, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(rows, [[-1, 1, 0.1], [-2, 2, 0.1]])


if __name__ == "__main__":
    print(json.dumps(differences()))
