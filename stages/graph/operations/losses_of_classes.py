"""Losses of classes and of their probabilities, with torch's names and arguments.

The classes are the last axis; torch has them second, which is the same for (samples, classes).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from stages.graph.node import Node, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.activations import log_sigmoid
from stages.graph.operations.arithmetic import broadcast
from stages.graph.operations.comparisons import equal, where
from stages.graph.operations.elementwise import exp, log
from stages.graph.operations.losses_of_numbers import Reduction, reduced
from stages.graph.operations.reductions import log_softmax
from stages.graph.value import Value


def _labels_fit(values: Shape, labels: Shape) -> Shape:
    if not values:
        raise ValueError("there is no axis of classes")
    return broadcast(values[:-1], labels)


def _belongs(values: Value, labels: Value) -> Value:
    """1 for the class of the label, 0 for the others."""
    classes = values.writer.integers(values.shape[-1])
    return labels.insert([len(labels.shape)]).equals(classes)


def _of_the_label(values: Value, labels: Value) -> Value:
    chosen = _belongs(values, labels).where(values, 0)
    last = [len(chosen.shape) - 1]
    return chosen.reduce(np.add, last).drop(last)


OPERATIONS["of_the_label"] = Operation(
    _labels_fit,
    _of_the_label,
    lambda g, y, values, labels: _belongs(values, labels).where(g.insert([len(g.shape)]), 0),
    None,
    integers=(1,),
)


def of_the_label(values: Node | Sequence[float], labels: Node) -> Node:
    """Of the values of all classes, (..., classes), that of the label; 0 if it is no class."""
    return apply("of_the_label", values, labels)  # type: ignore[arg-type]


def nll_loss(
    log_probabilities: Node,
    labels: Node,
    weight: Sequence[float] | None = None,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
) -> Node:
    """Minus the logarithm of the label's probability.

    log_probabilities: (..., classes), labels: (...) integers
    weight: of each class, by which its losses are multiplied; a mean is divided by their sum
    ignore_index: a label, which need not be a class, of samples that do not count
    """
    weights = _weights(log_probabilities, weight, ignore_index)
    losses = -of_the_label(_unless_0(weights, log_probabilities), labels)
    if reduction == "mean":
        return losses.sum() / of_the_label(weights, labels).sum()
    return reduced(losses, reduction)


def smoothed_cross_entropy(
    logits: Node,
    labels: Node,
    weight: Sequence[float] | None,
    ignore_index: int | None,
    reduction: Reduction,
    label_smoothing: float,
) -> Node:
    """See `cross_entropy`; labels are integers, or the probabilities of all classes."""
    logarithms = log_softmax(logits)
    share = label_smoothing / int(logits.shape[-1])
    if labels.shape == logits.shape:
        weights = _weights(logits, weight, None)
        targets = labels * (1 - label_smoothing) + share if label_smoothing else labels
        return reduced(-(logarithms * weights * targets).sum(-1), reduction)
    if not label_smoothing:
        return nll_loss(logarithms, labels, weight, ignore_index, reduction)
    weights = _weights(logits, weight, ignore_index)
    counted = of_the_label(_weights(logits, None, ignore_index), labels)
    weighted = _unless_0(weights, logarithms)
    own = of_the_label(weighted, labels)
    every = where(counted, (logarithms * _weights(logits, weight, None)).sum(-1), 0)
    losses = -(own * (1 - label_smoothing) + every * share)
    if reduction == "mean":
        return losses.sum() / of_the_label(weights, labels).sum()
    return reduced(losses, reduction)


def _weights(values: Node, weight: Sequence[float] | None, ignore_index: int | None) -> Node:
    """(classes,): of each class, 0 for the one that is ignored. Raises ValueError if too few."""
    classes = int(values.shape[-1])
    weights = np.ones(classes) if weight is None else np.array(weight, float)
    if weights.shape != (classes,):
        raise ValueError(f"weight must be {classes} numbers, one for each class, got {weight}")
    if ignore_index is not None and 0 <= ignore_index < classes:
        weights[ignore_index] = 0
    return values.graph.constant(weights)


def _unless_0(weights: Node, values: Node) -> Node:
    """The product, and 0 where the weight is, also of what is infinite."""
    return where(weights, values, 0) * weights


def binary_cross_entropy_with_logits(
    logits: Node,
    target: Node,
    weight: Sequence[float] | None = None,
    reduction: Reduction = "mean",
    pos_weight: Sequence[float] | None = None,
) -> Node:
    """-target · log(σ(logit)) - (1 - target) · log(1 - σ(logit)), with σ the sigmoid.

    target: a probability for each logit
    weight: broadcasts against the losses, which are multiplied by it
    pos_weight: broadcasts against the targets, whose first term is multiplied by it
    """
    if logits.shape != target.shape:
        raise ValueError(
            f"binary_cross_entropy_with_logits: {logits!r} and {target!r} must have the same shape"
        )
    factor = 1.0 if pos_weight is None else (np.array(pos_weight, float) - 1) * target + 1
    losses = (1 - target) * logits - factor * log_sigmoid(logits)
    if weight is not None:
        losses = losses * np.array(weight, float)
    return reduced(losses, reduction)


def kl_div(
    log_probabilities: Node,
    target: Node,
    reduction: Literal["none", "mean", "batchmean", "sum"] = "mean",
    log_target: bool = False,
) -> Node:
    """The terms of the Kullback-Leibler divergence: target · (log(target) - log_probabilities).

    reduction: "mean" is over all numbers, "batchmean" over the first axis after a sum of the rest
    log_target: the target, too, is given by its logarithm
    """
    if log_probabilities.shape != target.shape:
        raise ValueError(f"kl_div: {log_probabilities!r} and {target!r} must have the same shape")
    if log_target:
        losses = exp(target) * (target - log_probabilities)
    else:  # 0 · log(0) is 0
        own = target * log(where(equal(target, 0), 1, target))
        losses = own - target * log_probabilities
    return losses.mean(0).sum() if reduction == "batchmean" else reduced(losses, reduction)
