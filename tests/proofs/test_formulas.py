import math
from typing import Any

import numpy as np
import pytest

from stages.proofs.formulas import draw


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 2), ("samples", 3)])
def test_drawn_numbers_fill_their_range_and_keep_apart(shape: Any) -> None:
    numbers = draw(np.random.default_rng(1), shape, -1.0, 3.0)
    runs, *sizes = numbers.shape
    assert (runs, len(sizes)) == (2, len(shape))
    count = math.prod(sizes)
    for run in numbers.reshape(runs, -1):
        parts = np.floor((np.sort(run) + 1) / 4 * count)
        np.testing.assert_array_equal(parts, np.arange(count))
        assert np.diff(np.sort(run)).min(initial=4) >= 2 / count
    assert not np.array_equal(numbers[0], numbers[1])
