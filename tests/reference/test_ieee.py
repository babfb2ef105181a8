"""torch in IEEE arithmetic, in a process of its own."""

import subprocess
import sys

from repository import ROOT

SCRIPT = """
from stages.reference.ieee import IEEESquareRoot
import numpy as np
import torch

random = np.random.default_rng(1)
for dtype in ("float64", "float32"):
    a, b, c = random.uniform(0, 4, (3, 100_001)).astype(dtype)
    ta, tb, tc = map(torch.from_numpy, (a, b, c))
    with IEEESquareRoot():
        assert np.array_equal(torch.sqrt(ta).numpy(), np.sqrt(a)), "sqrt"
        assert np.array_equal((ta * 4).sqrt().numpy(), np.sqrt(a * 4)), "another sqrt"
        in_place = ta.clone().sqrt_()
        assert np.array_equal(in_place.numpy(), np.sqrt(a)), "sqrt_"
        scalar = torch.sqrt(ta[0])
        assert scalar.shape == () and scalar.item() == np.sqrt(a[0]), "sqrt of a scalar"
    third = np.array(0.3, dtype)
    assert np.array_equal(torch.addcmul(ta, tb, tc, value=0.3).numpy(), a + third * b * c), "fused"
    assert np.array_equal(torch.add(ta, tb, alpha=0.3).numpy(), a + third * b), "fused"
"""


def test_nothing_is_fused_and_square_roots_are_rounded_correctly() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
