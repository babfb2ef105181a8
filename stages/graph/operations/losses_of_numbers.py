"""Losses of numbers that are to be predicted, with torch's names and arguments."""

from typing import Literal

import numpy as np

from stages.graph.node import Node, apply
from stages.graph.operation import OPERATIONS, Operation
from stages.graph.operations.elementwise import unary
from stages.graph.value import Value

Reduction = Literal["none", "mean", "sum"]


def _huber(a: Value, delta: float) -> Value:
    size = a.apply(np.absolute)
    bounded = size.apply(np.minimum, delta)
    return bounded * (size - bounded * 0.5)


OPERATIONS["huber"] = Operation(
    unary,
    _huber,
    lambda g, y, a, delta: g * a.apply(np.maximum, -delta).apply(np.minimum, delta),
)


def reduced(losses: Node, reduction: str) -> Node:
    """The losses themselves, their mean or their sum. Raises ValueError for another reduction."""
    match reduction:
        case "none":
            return losses
        case "mean":
            return losses.mean()
        case "sum":
            return losses.sum()
    raise ValueError(f"reduction must be none, mean or sum, got {reduction!r}")


def _errors(name: str, prediction: Node, target: Node) -> Node:
    # (samples, 1) and (samples,) would broadcast to samples × samples without a word
    if prediction.shape != target.shape:
        raise ValueError(f"{name}: {prediction!r} and {target!r} must have the same shape")
    return prediction - target


def mse_loss(prediction: Node, target: Node, reduction: Reduction = "mean") -> Node:
    """(prediction - target)², of two nodes of the same shape."""
    errors = _errors("mse_loss", prediction, target)
    return reduced(errors * errors, reduction)


def l1_loss(prediction: Node, target: Node, reduction: Reduction = "mean") -> Node:
    """|prediction - target|, of two nodes of the same shape; with gradient 0 where it is 0."""
    return reduced(abs(_errors("l1_loss", prediction, target)), reduction)


def huber_loss(
    prediction: Node, target: Node, reduction: Reduction = "mean", delta: float = 1.0
) -> Node:
    """½ error² up to an error of delta, from there on straight: delta · (|error| - ½ delta).

    Raises ValueError unless delta is greater than 0.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be greater than 0, got {delta}")
    errors = _errors("huber_loss", prediction, target)
    return reduced(apply("huber", errors, delta=delta), reduction)


def smooth_l1_loss(
    prediction: Node, target: Node, reduction: Reduction = "mean", beta: float = 1.0
) -> Node:
    """½ error² / beta up to an error of beta, from there on |error| - ½ beta.

    Raises ValueError if beta is less than 0; with 0 it is the l1_loss.
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    if beta == 0:
        return l1_loss(prediction, target, reduction)
    errors = _errors("smooth_l1_loss", prediction, target)
    return reduced(apply("huber", errors, delta=beta) / beta, reduction)
