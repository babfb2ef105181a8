"""The losses with torch's names, with all their options, against torch's: values and gradients."""

from typing import Any

import numpy as np
import pytest
import torch
from differentiation import assert_close

from stages.graph import SAMPLES, Graph, cross_entropy, huber_loss, kl_div, mse_loss, smooth_l1_loss
from stages.graph.operations.losses import LOSSES
from stages.reference.losses import LOSSES as TORCH_LOSSES

RUNS, COUNT, CLASSES = 2, 4, 3
WEIGHT = [0.5, 2.0, 1.5]
TOLERANCE = {"float64": 1e-14, "float32": 1e-6}
RANDOM = np.random.default_rng(1)
LABELS = np.array([[0, 2, 1, 2], [1, 1, 0, 2]])
SHARES = RANDOM.dirichlet(np.ones(CLASSES), (RUNS, COUNT))
WITH_0 = np.where(SHARES < 0.2, 0, SHARES)
NUMBERS = RANDOM.normal(size=(RUNS, COUNT, CLASSES))

# The name of a loss, its target and its options, each with every reduction.
CASES: list[tuple[str, Any, dict[str, Any]]] = [
    ("mse_loss", NUMBERS, {}),
    ("l1_loss", NUMBERS, {}),
    ("huber_loss", NUMBERS, {"delta": 0.7}),
    ("smooth_l1_loss", NUMBERS, {"beta": 0.7}),
    ("smooth_l1_loss", NUMBERS, {"beta": 0.0}),
    ("cross_entropy", LABELS, {}),
    ("cross_entropy", LABELS, {"weight": WEIGHT}),
    ("cross_entropy", LABELS, {"ignore_index": 2}),
    ("cross_entropy", np.where(LABELS == 2, -100, LABELS), {"ignore_index": -100}),
    ("cross_entropy", LABELS, {"label_smoothing": 0.2}),
    ("cross_entropy", LABELS, {"label_smoothing": 0.2, "weight": WEIGHT, "ignore_index": 1}),
    ("cross_entropy", SHARES, {}),
    ("cross_entropy", SHARES, {"label_smoothing": 0.2, "weight": WEIGHT}),
    ("nll_loss", LABELS, {}),
    ("nll_loss", LABELS, {"weight": WEIGHT, "ignore_index": 0}),
    ("binary_cross_entropy_with_logits", SHARES, {}),
    ("binary_cross_entropy_with_logits", SHARES, {"weight": WEIGHT, "pos_weight": WEIGHT}),
    ("kl_div", SHARES, {}),
    ("kl_div", WITH_0, {}),
    ("kl_div", np.log(SHARES), {"log_target": True}),
]


def ours(name: str, predictions: Any, target: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    graph = Graph(len(predictions), predictions.dtype)
    p = graph.parameter("p", predictions.shape[1:])
    t = graph.input("t", target.shape[1:], target.dtype)
    losses = LOSSES[name](p, t, **options)
    factors = 1 + np.arange(np.prod(losses.shape, dtype=int)).reshape(losses.shape)
    program = graph.compile((losses * factors).sum(), losses, differentiate=True)
    graph.parameters[:] = predictions.reshape(len(predictions), -1)
    program.feed(t=target)
    program.gradients()
    return program.outputs[1], graph.views(graph.gradients)["p"]


def theirs(name: str, predictions: Any, target: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    values, gradients = [], []
    for prediction, wanted in zip(predictions, target, strict=True):
        p = torch.tensor(prediction, requires_grad=True)
        losses = TORCH_LOSSES[name](p, torch.tensor(wanted), **options)
        factors = 1 + torch.arange(losses.numel()).reshape(losses.shape)
        (losses * factors).sum().backward()
        values.append(losses.detach().numpy())
        gradients.append(p.grad.numpy())
    return np.array(values), np.array(gradients)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "target", "options"), CASES)
def test_a_loss_and_its_gradient_are_those_of_torch(
    name: str, target: Any, options: dict[str, Any], reduction: str, dtype: str
) -> None:
    predictions = np.random.default_rng(2).normal(size=(RUNS, COUNT, CLASSES)).astype(dtype)
    target = target if target.dtype.kind == "i" else target.astype(dtype)
    options = {**options, "reduction": reduction}
    for own, other in zip(
        ours(name, predictions, target, options),
        theirs(name, predictions, target, options),
        strict=True,
    ):
        assert_close(own, other, TOLERANCE[dtype])


def test_the_tables_have_the_same_names() -> None:
    assert list(LOSSES) == list(TORCH_LOSSES)


def test_a_batch_mean_is_over_the_samples_alone() -> None:
    options = {"reduction": "batchmean"}
    for own, other in zip(
        ours("kl_div", NUMBERS, SHARES, options),
        theirs("kl_div", NUMBERS, SHARES, options),
        strict=True,
    ):
        assert_close(own, other, 1e-14)


def test_labels_may_have_more_axes() -> None:
    logits, labels = NUMBERS.reshape(RUNS, 2, 2, CLASSES), LABELS.reshape(RUNS, 2, 2)
    for options in ({}, {"label_smoothing": 0.1, "ignore_index": 1}):
        for own, other in zip(
            ours("cross_entropy", logits, labels, options),
            theirs("cross_entropy", logits, labels, options),
            strict=True,
        ):
            assert_close(own, other, 1e-14)


@pytest.mark.parametrize("error", [-np.inf, -0.7, 0.0, 0.7, np.inf, np.nan])
@pytest.mark.parametrize("name", ["huber_loss", "smooth_l1_loss", "l1_loss", "mse_loss"])
def test_edges_are_those_of_torch(name: str, error: float) -> None:
    options = {"huber_loss": {"delta": 0.7}, "smooth_l1_loss": {"beta": 0.7}}.get(name, {})
    predictions, target = np.array([[error] * 32]), np.zeros((1, 32))
    with np.errstate(all="ignore"):
        found = ours(name, predictions, target, options)
    expected = theirs(name, predictions, target, options)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    if name == "smooth_l1_loss" or not np.isnan(error):
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-14)


def test_a_class_that_cannot_be_and_does_not_count_makes_no_nan() -> None:
    logits, labels = np.array([[[-np.inf, 0.0, 0.0]] * 2]), np.array([[1, 0]])
    value, gradients = ours("cross_entropy", logits, labels, {"ignore_index": 0})
    assert value.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(gradients, [[[0.0, -0.5, 0.5], [0.0, 0.0, 0.0]]])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda p, t: mse_loss(p, t, "avg"), "reduction must be none, mean or sum, got 'avg'"),
        (lambda p, t: huber_loss(p, t, delta=0), "huber_loss: delta must be greater than 0, got 0"),
        (lambda p, t: smooth_l1_loss(p, t, beta=-1), "smooth_l1_loss: beta must be at least 0, "),
        (lambda p, t: cross_entropy(p, t, weight=[1.0]), "weight must be 3 numbers, one for each "),
        (lambda p, t: cross_entropy(p, t, label_smoothing=2), "label_smoothing must be 0 to 1, "),
        (lambda p, t: mse_loss(p, t[:, :2]), r"mse_loss: p\['samples', 3\] and .* same shape"),
        (lambda p, t: kl_div(p, t[:, :2]), r"kl_div: p\['samples', 3\] and .* same shape"),
    ],
)
def test_mistakes_are_refused(write: Any, message: str) -> None:
    graph = Graph()
    p, t = graph.input("p", (SAMPLES, CLASSES)), graph.input("t", (SAMPLES, CLASSES))
    with pytest.raises(ValueError, match=message):
        write(p, t)
