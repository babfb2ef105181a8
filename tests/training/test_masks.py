"""The masks of dropout: what they keep, and that both twins have the same."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stages.graph import SAMPLES, Graph, dropout, relu
from stages.training.masks import mask
from stages.training.masks_torch import share_masks

SEED = 5


def test_a_mask_keeps_its_share_and_scales_it_as_torch_does() -> None:
    for p in (0.1, 0.5, 0.9):
        drawn = mask(SEED, 0, "0", (100_000,), p, "float64")
        assert set(np.unique(drawn)) == {0, 1 / (1 - p)}
        assert drawn.mean() == pytest.approx(1, rel=0.02)
    x = torch.ones(100, dtype=torch.float32)
    (kept,) = set(nn.functional.dropout(x, 0.1).tolist()) - {0}
    assert mask(SEED, 0, "0", (100,), 0.1, "float32").max() == kept


@pytest.mark.parametrize(("p", "value"), [(0.0, 1), (1.0, 0)])
def test_all_or_nothing(p: float, value: float) -> None:
    np.testing.assert_array_equal(mask(SEED, 0, "0", (3, 4), p, "float64"), np.full((3, 4), value))


def test_masks_are_the_same_again_and_others_for_all_else() -> None:
    def drawn(seed: int = 1, step: int = 0, name: str = "0", dtype: str = "float64") -> Any:
        return mask(seed, step, name, (50,), 0.5, dtype) > 0

    np.testing.assert_array_equal(drawn(), drawn())
    np.testing.assert_array_equal(drawn(), drawn(dtype="float32"))
    for other in (drawn(seed=2), drawn(step=1), drawn(name="1"), drawn(name="00")):
        assert 5 < (drawn() != other).sum() < 45


@pytest.mark.parametrize("p", [0.3, 0.5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_sides_drop_the_same(p: float, dtype: str) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(6, 3)).astype(dtype)
    weight = random.normal(size=(4, 3)).astype(dtype)
    graph = Graph(dtype=dtype)
    w = graph.parameter("0.weight", (4, 3))
    y = dropout(relu(graph.input("x", (SAMPLES, 3)) @ w.T), p, "2")
    loss = (y * y).sum()
    graph.parameters[:] = weight.reshape(1, -1)

    module = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Dropout(p))
    module.to(getattr(torch, dtype)).load_state_dict({"0.weight": torch.from_numpy(weight)})
    step = 0
    share_masks(module, SEED, lambda: step)
    losses = []
    for step, training in enumerate((True, True, False)):
        program = graph.compile(loss, samples=6, differentiate=True, training=training)
        drawn = mask(SEED, step, "2", (6, 4), p, dtype)
        program.feed(x=x[None], **({"2": drawn[None]} if training else {}))
        losses.append(program.gradients().item())
        module.train(training).zero_grad()
        theirs = (module(torch.from_numpy(x)) ** 2).sum()
        theirs.backward()
        assert losses[-1] == pytest.approx(theirs.item(), rel=1e-6)
        gradient = module.get_parameter("0.weight").grad.numpy().reshape(1, -1)
        np.testing.assert_allclose(graph.gradients, gradient, rtol=1e-5, atol=1e-6)
    assert len(set(losses)) == 3


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused(p: float) -> None:
    x = Graph().input("x", (SAMPLES, 3))
    with pytest.raises(ValueError, match=rf"^mask drop: p must be from 0 to 1, got {p}$"):
        dropout(x, p, "drop")
