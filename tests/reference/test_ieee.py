"""torch in IEEE arithmetic, in a process of its own."""

import subprocess
import sys

from repository import ROOT

PRELUDE = """
from stages.reference.ieee import numpy_reductions
import numpy as np
import torch
from torch import Tensor

random = np.random.default_rng(1)
"""

SQUARE_ROOT = """
for dtype in ("float64", "float32"):
    a, b, c = random.uniform(0, 4, (3, 100_001)).astype(dtype)
    ta, tb, tc = map(torch.from_numpy, (a, b, c))
    assert np.array_equal(torch.sqrt(ta).numpy(), np.sqrt(a)), "sqrt"
    assert np.array_equal((ta * 4).sqrt().numpy(), np.sqrt(a * 4)), "another sqrt"
    recorded = ta.clone().requires_grad_().sqrt()
    assert np.array_equal(recorded.detach().numpy(), np.sqrt(a)), "recorded sqrt"
    in_place = ta.clone().sqrt_()
    assert np.array_equal(in_place.numpy(), np.sqrt(a)), "sqrt_"
    scalar = torch.sqrt(ta[0])
    assert scalar.shape == () and scalar.item() == np.sqrt(a[0]), "sqrt of a scalar"
    third = np.array(0.3, dtype)
    assert np.array_equal(torch.addcmul(ta, tb, tc, value=0.3).numpy(), a + third * b * c), "fused"
    assert np.array_equal(torch.add(ta, tb, alpha=0.3).numpy(), a + third * b), "fused"
"""

REDUCTIONS = """
for dtype, unit in (("float64", 2.0**-53), ("float32", 2.0**-24)):
    for n in (1, 2, 3, 5, 10, 100, 1001, 100_001):
        a, b = random.normal(size=(2, n)).astype(dtype)
        ta, tb = map(torch.from_numpy, (a, b))
        with numpy_reductions():
            dot, total = ta.dot(tb), ta.abs().sum()
        assert dot.dtype == total.dtype == ta.dtype and dot.shape == total.shape == ()
        assert dot.item() == np.dot(a, b), f"dot of {n}"
        assert total.item() == np.sum(np.abs(a)), f"sum of {n}"
        # and without it they are as near as documented
        bound = 2 * n * unit / (1 - n * unit)
        scale = np.abs(a.astype(float) * b).sum()
        assert abs(ta.dot(tb).item() - float(np.dot(a, b))) <= bound * scale, f"dot of {n}"
        sums = ta.abs().sum().item(), float(np.sum(np.abs(a)))
        assert abs(sums[0] - sums[1]) <= bound * max(sums), f"sum of {n}"
    rows = random.normal(size=(4, 5)).astype(dtype)
    with numpy_reductions():
        in_rows = torch.from_numpy(rows).sum(1, keepdim=True).numpy()
    assert np.array_equal(in_rows, rows.sum(1, keepdims=True))
"""

RECORDED = """
x = torch.tensor([4.0, 9.0], requires_grad=True)
one = torch.ones(2)
with numpy_reductions():
    (x.sqrt() + torch.sqrt(x)).sum().backward()
    one.dot(x * x).backward()
    assert torch.equal(x.grad, torch.tensor([8.5, 18 + 1 / 3])), x.grad
    with torch.no_grad():
        assert x.sqrt().sum().item() == 5 and not x.sum().requires_grad
"""

RESTORED = """
before = Tensor.dot, Tensor.sum
own = dict(vars(Tensor))
try:
    with numpy_reductions():
        now = Tensor.dot, Tensor.sum
        raise RuntimeError
except RuntimeError:
    pass
assert not set(before) & set(now)
assert before == (Tensor.dot, Tensor.sum)
assert own == dict(vars(Tensor))
"""


def run(script: str) -> None:
    program = [sys.executable, "-W", "error", "-c", PRELUDE + script]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_is_fused_and_square_roots_are_rounded_correctly() -> None:
    run(SQUARE_ROOT)


def test_dot_products_and_sums_are_numpys_and_torchs_are_near() -> None:
    run(REDUCTIONS)


def test_what_autograd_records_is_left_to_torch_and_torch_is_left_as_it_was() -> None:
    run(RECORDED + RESTORED)
