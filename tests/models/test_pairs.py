"""Models of several kinds of layers: what both sides of a pair compute, and what they refuse."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from differentiation import assert_close
from torch.nn.functional import cross_entropy

from stages.models.network import attention, network, predict
from stages.models.network_torch import load_parameters
from stages.models.network_torch import network as torch_network
from stages.task.errors import InputError
from stages.task.model import Model

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}
SAMPLES, RUNS, CLASSES = 5, 2, 4
TOKENS = {"tokens": 5, "answer": 3}

# The model, its options, the number of features, and the shape of the outputs.
PAIRS: list[tuple[str, dict[str, Any], int, tuple[int, ...]]] = [
    ("convolutional", {}, 144, (CLASSES,)),
    ("convolutional", {"channels": [1, 3]}, 64, (CLASSES,)),
    ("transformer", {**TOKENS}, 6, (3, CLASSES)),
    ("transformer", {**TOKENS, "width": 4, "heads": 2, "hidden": 3}, 5, (3, CLASSES)),
]


def model(name: str, options: dict[str, Any], dtype: str = "float64") -> Model:
    content = {"source": f"stages/models/{name}.py", "loss": "cross_entropy", "dtype": dtype}
    return Model.model_validate({**content, "options": options})


def features(name: str, count: int, samples: int = SAMPLES) -> np.ndarray:
    """Pixels, or tokens."""
    random = np.random.default_rng(1)
    shape = samples, count
    return random.random(shape) if name == "convolutional" else random.integers(5, size=shape)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "options", "count", "outputs"), PAIRS)
def test_outputs_loss_and_gradients_are_those_of_torch(
    name: str, options: dict[str, Any], count: int, outputs: tuple[int, ...], dtype: str
) -> None:
    section, random = model(name, options, dtype), np.random.default_rng(1)
    x = features(name, count).astype(dtype)
    target = random.integers(CLASSES, size=(SAMPLES, *outputs[:-1]))
    net = network(section, count, outputs, RUNS)
    starts = [net.graph.draw_parameters(random) for _ in range(RUNS)]
    program = net.graph.compile(
        net.loss, net.output, samples=SAMPLES, differentiate=True, shared_inputs=True
    )
    for key, rows in net.graph.views(net.graph.parameters).items():
        rows[:] = [start[key] for start in starts]
    program.feed(x=x[None], target=target[None])
    program.gradients()
    gradients = net.graph.views(net.graph.gradients)
    for run, start in enumerate(starts):
        module = torch_network(section, count, outputs)
        load_parameters(module, start, section)
        found = module(torch.from_numpy(x))
        loss = cross_entropy(found.reshape(-1, CLASSES), torch.from_numpy(target).reshape(-1))
        loss.backward()
        assert_close(program.outputs[1][run], found.detach().numpy(), TOLERANCE[dtype])
        assert_close(program.outputs[0][run], loss.detach().numpy(), TOLERANCE[dtype])
        for key, parameter in module.named_parameters():
            assert_close(gradients[key][run], parameter.grad.numpy(), TOLERANCE[dtype])


@pytest.mark.parametrize(("name", "options", "count", "outputs"), PAIRS)
def test_parameters_start_as_those_of_torch(
    name: str, options: dict[str, Any], count: int, outputs: tuple[int, ...]
) -> None:
    section = model(name, options)
    ours = network(section, count, outputs).graph.draw_parameters(np.random.default_rng(1))
    theirs = torch_network(section, count, outputs).state_dict()
    assert list(ours) == list(theirs)
    for key, values in ours.items():
        other = theirs[key].numpy()
        assert values.shape == other.shape
        constant = values.size > 1 and np.ptp(values) == 0  # of a normalisation
        if constant:
            np.testing.assert_array_equal(values, other)
        elif values.size > 30:
            assert 0.6 < values.std() / other.std() < 1.6


def test_attention_reads_nothing_that_comes_later() -> None:
    section = model("transformer", {**TOKENS, "heads": 2})
    graph = network(section, 6, (3, CLASSES)).graph
    parameters = {
        key: values[None] for key, values in graph.draw_parameters(np.random.default_rng(1)).items()
    }
    tokens = features("transformer", 6).astype(np.float64)
    weights = attention(section, (3, CLASSES), parameters, tokens)
    assert weights is not None
    assert weights.shape == (1, SAMPLES, 2, 6, 6)
    assert not weights[..., ~np.tri(6, dtype=bool)].any()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-14)
    changed = tokens.copy()
    changed[:, -1] = (tokens[:, -1] + 1) % 5
    before, after = (predict(section, (3, CLASSES), parameters, x)[0] for x in (tokens, changed))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert (before[:, 2] != after[:, 2]).all()


def test_a_model_without_attention_has_no_weights() -> None:
    section = model("convolutional", {})
    graph = network(section, 64, (CLASSES,)).graph
    start = graph.draw_parameters(np.random.default_rng(1))
    parameters = {key: values[None] for key, values in start.items()}
    assert attention(section, (CLASSES,), parameters, features("convolutional", 64)) is None


def test_many_samples_are_predicted_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    section = model("convolutional", {})
    graph = network(section, 64, (CLASSES,)).graph
    start = graph.draw_parameters(np.random.default_rng(1))
    parameters = {key: np.stack([values, values / 2]) for key, values in start.items()}
    x = features("convolutional", 64, samples=23)
    whole = predict(section, (CLASSES,), parameters, x)
    monkeypatch.setattr("stages.models.network.MEMORY", 50_000)
    parts = predict(section, (CLASSES,), parameters, x)
    assert parts.shape == (2, 23, CLASSES)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "count", "words"),
    [
        ("convolutional", {}, 12, "the pixels of square images, at least 8x8, as features; got 12"),
        ("convolutional", {}, 49, "the pixels of square images, at least 8x8, as features; got 49"),
        ("transformer", {**TOKENS, "heads": 3}, 6, "width must be a multiple of heads, 3; got 16"),
        ("transformer", TOKENS, 2, "answer must be at most the number of features, 2; got 3"),
    ],
)
def test_what_does_not_fit_is_one_line(
    name: str, options: dict[str, Any], count: int, words: str
) -> None:
    with pytest.raises(InputError, match=rf"stages/models/{name}\.py: .*{re.escape(words)}"):
        network(model(name, options), count, (CLASSES,))
