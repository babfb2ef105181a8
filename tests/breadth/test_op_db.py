"""Some of torch's samples of every operation; `python -m breadth.op_db` takes all of them."""

import pytest
import torch
from breadth.op_db import OURS, measure, operations


@pytest.mark.filterwarnings("ignore")  # of torch's own samples
def test_torchs_first_samples_are_equal() -> None:
    found = {name: measure(op, torch.float64, most=2) for name, op in operations()}
    assert {name.split(" ")[0] for name in found} == set(OURS)
    assert {name: one.different for name, one in found.items() if one.different} == {}
    assert sum(one.equal for one in found.values()) > 90
