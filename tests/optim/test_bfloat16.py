"""bfloat16: rounding against torch's, products and norms bit for bit where their order shows.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file prints how many numbers each kind of sum has, and by how many of them it differs from
torch's own kernels.
"""

import json
from collections.abc import Callable

import numpy as np
import pytest
from repository import printed_by

from stages.optim.bfloat16 import (
    BFloat16,
    norm,
    product_by_fours,
    product_by_registers,
    product_in_order,
    to_bfloat16,
)

PRODUCTS = {
    "in order": product_in_order,
    "by fours": product_by_fours,
    "by registers": product_by_registers,
}
SHAPES = [(1, 2, 1), (2, 3, 4), (9, 10, 9), (5, 31, 7), (16, 64, 16), (8, 150, 12), (3, 300, 4)]


def random(*shape: int, seed: int = 1) -> BFloat16:
    return to_bfloat16(np.random.default_rng(seed).normal(size=shape))


def cancelling(rows: int, inner: int, columns: int) -> tuple[BFloat16, BFloat16]:
    """Factors of a product whose terms cancel in pairs: what is left is how the sum was rounded."""
    half, order = inner // 2, np.random.default_rng(2).permutation(inner)
    left = random(rows, inner)
    right = np.concatenate([random(half, columns), random(inner - half, columns, seed=3)])
    left[:, half : 2 * half], right[half : 2 * half] = left[:, :half], -right[:half]
    return np.ascontiguousarray(left[:, order]), np.ascontiguousarray(right[order])


def close_to_a_tie(rows: int, columns: int, seed: int) -> BFloat16:
    """A matrix whose norm lies between two bfloat16 numbers: the rounding of its sum decides."""
    values = random(rows * columns, seed=seed)
    chosen = np.random.default_rng(seed).permutation(values.size)[:4]
    values[chosen] = 0
    near = to_bfloat16(1.01 * norm(values))
    middle = (near.view(np.uint32) | np.uint32(0x8000)).view(np.float32)
    for index in chosen:
        missing = np.float64(middle) ** 2 - np.square(values, dtype=np.float64).sum()
        bits = np.sqrt(np.float32(max(missing, 0.0))).view(np.uint32) & np.uint32(0xFFFF0000)
        values[index] = bits.view(np.float32)  # rounded down, so that something is missing again
    return values.reshape(rows, columns)


def main() -> None:
    """Prints {kind of sum: [numbers, those that differ]}."""
    import stages.reference.ieee  # isort: skip  # chooses torch's kernels  # noqa: F401
    import torch

    torch.backends.mkldnn.enabled = False

    def by_columns(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.T.contiguous().T

    def same(tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    layouts = {
        "in order": (by_columns, same),
        "by fours": (same, same),
        "by registers": (same, by_columns),
    }
    counts = {}
    for ours, product in PRODUCTS.items():
        for theirs, (lay_left, lay_right) in layouts.items():
            numbers = differ = 0
            for shape in SHAPES:
                left, right = cancelling(*shape)
                result = lay_left(torch.tensor(left).bfloat16()) @ lay_right(
                    torch.tensor(right).bfloat16()
                )
                differences = to_bfloat16(product(left, right)) != result.float().numpy()
                numbers, differ = numbers + differences.size, differ + int(differences.sum())
            counts[f"{ours}, torch {theirs}"] = [numbers, differ]

    matrices = [close_to_a_tie(7, columns, seed) for columns in range(1, 30) for seed in range(9)]
    differences = [norm(m) != torch.tensor(m).bfloat16().norm().float().numpy() for m in matrices]
    exact = [np.sqrt(np.square(m, dtype=np.float64).sum()) for m in matrices]
    rounded = [norm(m) != to_bfloat16(e) for m, e in zip(matrices, exact, strict=True)]
    counts["norm"] = [len(matrices), sum(map(int, differences))]
    counts["norm, exact"] = [len(matrices), sum(map(int, rounded))]
    print(json.dumps(counts))


def test_every_sum_follows_torch_bit_for_bit() -> None:
    counts = printed_by(__file__)
    for ours in PRODUCTS:
        for theirs in PRODUCTS:
            numbers, differ = counts[f"{ours}, torch {theirs}"]
            if ours == theirs:
                assert differ == 0
            else:
                assert differ > numbers / 4  # or the order would not show
    numbers, differ = counts["norm"]
    assert differ == 0
    assert counts["norm, exact"][1] > numbers / 20


def test_rounding_is_that_of_torch() -> None:
    """All 2¹⁶ upper halves of a float32, with lower halves on both sides of a tie, and ties."""
    import torch

    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    bits = (np.arange(2**16, dtype=np.uint32)[:, None] << np.uint32(16)) | lower
    values = bits.view(np.float32)
    expected = torch.tensor(values).bfloat16().float().numpy()
    rounded = to_bfloat16(values)
    np.testing.assert_array_equal(rounded, expected)
    numbers = ~np.isnan(values)
    np.testing.assert_array_equal(np.signbit(rounded)[numbers], np.signbit(values)[numbers])
    assert (to_bfloat16(rounded) == rounded)[numbers].all()


def test_double_precision_is_rounded_twice_as_by_torch() -> None:
    import torch

    ties = np.array([1 + 2**-8 + 2**-40, 1 + 3 * 2**-8 - 2**-40, 1e39, -1e-46])
    with np.errstate(over="ignore"):
        rounded = to_bfloat16(ties)
    np.testing.assert_array_equal(rounded, torch.tensor(ties).bfloat16().float().numpy())
    np.testing.assert_array_equal(rounded, [1, 1 + 2**-6, np.inf, -0.0])


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_product_errs_as_sums_in_single_precision_may(
    product: Callable[[BFloat16, BFloat16], np.ndarray], shape: tuple[int, int, int]
) -> None:
    """By at most γₙ Σ|terms|, in whatever order (Higham, "Accuracy and Stability", section 3.1)."""
    rows, inner, columns = shape
    left, right = random(rows, inner), random(inner, columns, seed=2)
    exact = left.astype(float) @ right.astype(float)
    allowed = inner * 2.0**-24 * (np.abs(left).astype(float) @ np.abs(right).astype(float))
    assert (np.abs(product(left, right) - exact) <= 1.001 * allowed).all()


def test_the_norm_of_one_number_does_not_square_it() -> None:
    for number in (1e-30, -1e30):
        value = to_bfloat16(np.array([[number]]))
        assert norm(value) == np.abs(value)
    with np.errstate(over="ignore"):
        assert norm(to_bfloat16(np.array([[1e-30, 0.0]]))) == 0
        assert norm(to_bfloat16(np.array([[1e30, 0.0]]))) == np.inf


if __name__ == "__main__":
    main()
