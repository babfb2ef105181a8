"""SparseAdam: closed forms, its refusals, its effort, and torch bit for bit.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file replays gradients of all kinds with every variant, and prints where they differ.
"""

import json
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim.adam import Adam
from stages.optim.sparse_adam import Rows, SparseAdam


def rows(indices: list[int], values: Any) -> Rows:
    return Rows(np.array(indices, int), np.array(values, float))


def test_the_first_step_is_lr_whatever_the_gradients() -> None:
    p = np.zeros((4, 2))
    SparseAdam(lr=0.5, eps=1e-30)(p, rows([3, 1], [[1e-6, -2.0], [3e5, -1.0]]))
    np.testing.assert_allclose(p, [[0, 0], [-0.5, 0.5], [0, 0], [-0.5, 0.5]], rtol=1e-12)


def test_with_all_rows_and_a_negligible_eps_it_is_adam() -> None:
    sparse, dense = np.ones((3, 2)), np.ones((3, 2))
    by_rows, by_all = SparseAdam(lr=0.1, eps=1e-100), Adam(lr=0.1, eps=1e-100)
    for gradient in np.random.default_rng(1).normal(size=(20, 3, 2)):
        by_rows(sparse, Rows.of(gradient))
        by_all(dense, gradient)
    np.testing.assert_allclose(sparse, dense, rtol=1e-12)


def test_eps_is_added_to_the_root_before_its_correction() -> None:
    p = np.zeros(1)
    SparseAdam(lr=1.0, betas=(0.5, 0.75), eps=0.5)(p, rows([0], [-1.0]))
    assert p == np.sqrt(0.25) / 0.5 * 0.5 / (0.5 + 0.5)


def test_the_state_of_a_row_waits_for_it_while_the_steps_count_on() -> None:
    p, optimizer = np.zeros(2), SparseAdam(lr=1.0, betas=(0.5, 0.0), eps=1e-30)
    optimizer(p, rows([0], [1.0]))
    optimizer(p, rows([1], [1.0]))
    np.testing.assert_allclose(p, [-1, -0.5 / (1 - 0.5**2)], rtol=1e-15)
    optimizer(p, rows([0], [1.0]))
    np.testing.assert_allclose(p[0], -1 - 0.75 / (1 - 0.5**3), rtol=1e-15)


def test_rows_that_are_named_twice_are_added_up_before_the_step() -> None:
    p, q = np.zeros((3, 2)), np.zeros((3, 2))
    once, twice = SparseAdam(lr=0.1), SparseAdam(lr=0.1)
    for step in range(1, 4):
        twice(p, rows([2, 0, 2, 2], np.array([[1, 8], [3, 4], [1, -5], [-4, 1]]) * step))
        once(q, rows([0, 2], np.array([[3, 4], [-2, 4]]) * step))
    assert p[2].all()
    np.testing.assert_array_equal(p, q)


def test_an_empty_gradient_is_a_step_that_changes_nothing() -> None:
    p, q = np.zeros(2), np.zeros(2)
    optimizer, without = SparseAdam(lr=0.1), SparseAdam(lr=0.1)
    optimizer(p, rows([], []))
    np.testing.assert_array_equal(p, [0, 0])
    assert optimizer.steps == 1
    optimizer(p, rows([1], [2.0]))
    without(q, rows([1], [2.0]))
    assert p[0] == 0
    assert p[1] != q[1]


def test_rows_of_a_dense_gradient() -> None:
    indices, values = Rows.of(np.array([[0.0, 0.0], [0.0, -2.0], [-0.0, 0.0], [np.nan, 0.0]]))
    np.testing.assert_array_equal(indices, [1, 3])
    np.testing.assert_array_equal(values, [[0, -2], [np.nan, 0]])
    np.testing.assert_array_equal(Rows.of(np.array([0.0, 5.0]))[0], [1])
    assert Rows.of(np.zeros((2, 3, 4), np.float32)).values.shape == (0, 3, 4)
    assert Rows.of(np.ones((2, 3, 4), np.float32)).values.dtype == np.float32


def test_maximize_is_the_way_up() -> None:
    up, down = np.ones((2, 2)), np.ones((2, 2))
    climb, descend = SparseAdam(0.1, maximize=True), SparseAdam(0.1)
    for _ in range(3):
        climb(up, rows([1], [[3.0, -5.0]]))
        descend(down, rows([1], [[-3.0, 5.0]]))
    assert (up[1] != 1).all()
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    gradient = rows([1, 0, 1], [3.0, -5.0, 1.0])
    SparseAdam(0.1, maximize=True)(np.ones(2), gradient)
    np.testing.assert_array_equal(gradient.indices, [1, 0, 1])
    np.testing.assert_array_equal(gradient.values, [3, -5, 1])


def test_neither_memory_nor_time_grows_with_the_rows_that_have_no_gradient() -> None:
    def effort(count: int) -> tuple[float, int]:
        """Seconds and bytes of a step with four rows of `count`."""
        p, optimizer = np.zeros((count, 4)), SparseAdam()
        gradient = Rows(np.array([0, 3, count - 1, 3]), np.ones((4, 4)))
        optimizer(p, gradient)
        seconds = []
        for _ in range(50):
            start = time.perf_counter()
            optimizer(p, gradient)
            seconds.append(time.perf_counter() - start)
        tracemalloc.start()
        optimizer(p, gradient)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return min(seconds), peak

    few_seconds, few_bytes = effort(10)
    many_seconds, many_bytes = effort(1_000_000)  # a pass over one of these takes 20 times as long
    assert many_bytes < 2 * few_bytes
    assert many_seconds < 5 * few_seconds


def test_dense_gradients_are_refused_as_by_torch() -> None:
    import torch

    theirs = torch.zeros(2, 2, requires_grad=True)
    theirs.grad = torch.ones(2, 2)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        torch.optim.SparseAdam([theirs]).step()
    message = r"^gradients must be Rows, got a dense array: give Rows\.of\(gradients\)$"
    with pytest.raises(ValueError, match=message):
        SparseAdam()(np.zeros((2, 2)), np.ones((2, 2)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (rows([0, 4], np.ones((2, 3))), r"^indices must be in \[0, 4\), got 4$"),
        (rows([0, -1], np.ones((2, 3))), r"^indices must be in \[0, 4\), got -1$"),
        (rows([0, 1], np.ones(2)), r"^values must have the shape \(2, 3\), got \(2,\)$"),
        (rows([0, 1], np.ones((1, 3))), r"^values must have the shape \(2, 3\), got \(1, 3\)$"),
        (rows([[0]], np.ones((1, 3))), r"^indices must be \(k,\) integers, got int64 of shape "),
        (Rows(np.ones(1), np.ones((1, 3))), r"^indices must be \(k,\) integers, got float64 of "),
    ],
)
def test_rows_that_do_not_fit_are_refused_before_anything_moves(
    gradient: Rows, message: str
) -> None:
    p, optimizer = np.ones((4, 3)), SparseAdam()
    with pytest.raises(ValueError, match=message):
        optimizer(p, gradient)
    assert optimizer.steps == 0
    np.testing.assert_array_equal(p, np.ones((4, 3)))


def test_a_single_number_has_no_rows() -> None:
    with pytest.raises(ValueError, match=r"^parameters must have rows, got a single number$"):
        SparseAdam()(np.array(1.0), rows([0], [1.0]))


VARIANTS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-30},
    {"lr": 0.1, "betas": (0.3, 0.99), "maximize": True},
    {"lr": 0.1, "betas": (0.0, 0.0), "eps": 1e-3},
    {"betas": (0.8, 0.99), "eps": 2.0},
    {"lr": 10.0, "betas": (0.0, 0.99), "maximize": True},
]
SHAPES = [(5,), (4, 3), (7, 1), (1, 9), (2, 4, 3), (33, 65)]
KINDS = ["smooth", "noisy", "zeros", "sign flips", "tiny", "huge", "of all sizes"]
STEPS = 30
FEW, MANY = (0, 1, 3, 16), (0, 3, 17, 40)  # rows of a gradient, with repetitions


def gradient_of(kind: str, step: int, shape: tuple[int, ...], random: np.random.Generator) -> Any:
    """Values of the shape."""
    noise = random.normal(size=shape)
    of_kind = {
        "smooth": np.cos(step / 40 + np.arange(noise.size).reshape(shape)),
        "noisy": noise,
        "zeros": noise * random.integers(0, 2, shape),
        "sign flips": (1 + abs(noise)) * (-1.0) ** step,
        "tiny": noise * 1e-30,
        "huge": noise * 1e30,
        "of all sizes": noise * 10.0 ** random.integers(-6, 7),
    }
    return of_kind[kind]


def coalesced_in_order(gradient: Any) -> Any:
    """As Tensor.coalesce, with the rows of one index added up in the order in which they come.

    torch sorts the indices by a way that is not stable from 17 on.
    """
    import torch

    total: dict[int, torch.Tensor] = {}
    for index, value in zip(gradient._indices()[0].tolist(), gradient._values(), strict=True):
        total[index] = total[index] + value if index in total else value
    if not total:
        return gradient
    indices = sorted(total)
    values = torch.stack([total[index] for index in indices])
    return torch.sparse_coo_tensor(
        torch.tensor([indices]), values, gradient.shape, is_coalesced=True, check_invariants=False
    )


def difference(
    variant: dict[str, Any], shape: tuple[int, ...], kind: str, dtype: str, counts: tuple[int, ...]
) -> str | None:
    """Where our parameters differ from torch's for the first time, in any bit."""
    from stages.reference.ieee import torch

    random = np.random.default_rng(2)
    parameters = random.normal(size=shape).astype(dtype)
    parameters[::2] = 0  # where even a tiny step is seen
    start, optimizer = parameters.copy(), SparseAdam(**variant)
    theirs = torch.tensor(parameters, requires_grad=True)
    torch_optimizer = torch.optim.SparseAdam([theirs], **variant)
    for step in range(STEPS):
        count = random.choice(counts)
        indices = random.integers(0, len(parameters), count)
        values = gradient_of(kind, step, (count, *shape[1:]), random).astype(dtype)
        optimizer(parameters, Rows(indices, values))
        theirs.grad = torch.sparse_coo_tensor(
            torch.from_numpy(indices[None]), torch.from_numpy(values), shape, check_invariants=False
        )
        torch_optimizer.step()
        if optimizer.steps != torch_optimizer.state[theirs]["step"]:
            return f"steps after step {step}"
        expected = theirs.detach().numpy()
        if parameters.tobytes() != expected.tobytes():
            same = (parameters == expected) & (np.signbit(parameters) == np.signbit(expected))
            same |= np.isnan(parameters) & np.isnan(expected)  # whose bits mean nothing
            if not same.all():
                return f"step {step}"
    return None if (parameters != start).any() else "nothing moves"


def main() -> None:
    """Prints {variant, shape, kind of gradients, dtype, rows: where it differs, or null}."""
    import torch

    torch.set_num_threads(1)  # on arrays this small several only wait for each other
    differences = {}
    for counts in (FEW, MANY):
        cases = [
            (variant, SHAPES[place], KINDS[(number + place) % len(KINDS)], dtype, counts)
            for first, dtype in enumerate(("float64", "float32"))
            for number, variant in enumerate(VARIANTS if counts is FEW else VARIANTS[:2])
            for place in range((first + number) % 2, len(SHAPES), 2)
        ]
        if counts is MANY:
            torch.Tensor.coalesce = coalesced_in_order  # type: ignore[method-assign]
        with np.errstate(all="ignore"):
            differences |= {str(case): difference(*case) for case in cases}
    print(json.dumps(differences))


def test_every_variant_follows_torch_bit_for_bit() -> None:
    differences = printed_by(__file__)
    assert len(differences) == (len(VARIANTS) + 2) * len(SHAPES)
    assert {case: where for case, where in differences.items() if where} == {}


if __name__ == "__main__":
    main()
