"""Means over all samples, as operations of the graph: the losses, and the accuracy."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.losses_of_classes import (
    binary_cross_entropy_with_logits,
    kl_div,
    nll_loss,
    smoothed_cross_entropy,
)
from stages.graph.operations.losses_of_numbers import (
    Reduction,
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from stages.graph.operations.reductions import softmax_logarithm
from stages.graph.value import Value


def _equal_shapes(prediction: Shape, target: Shape) -> Shape:
    # (samples, 1) and (samples,) would broadcast to samples × samples without a word
    if prediction != target:
        raise ValueError("prediction and target must have the same shape")
    return ()


def _total(value: Value) -> Value:
    axes = range(1, len(value.shape))
    return value.reduce(np.add, axes).drop(axes)


def _labels_fit(logits: Shape, labels: Shape) -> Shape:
    if not logits or logits[:-1] != labels:
        raise ValueError("logits need one more axis than labels, the classes")
    return ()


def _one_hot(logits: Value, labels: Value) -> Value:
    classes = logits.writer.integers(logits.shape[-1])
    return labels.insert([len(labels.shape)]).equals(classes)


def _twice_the_labels(logarithms: Value, labels: Value) -> Value:
    """Twice the sum of what belongs to its label, of logarithms of probabilities, at most 0.

    A product with 0 and 1 would make NaN of -∞, the logarithm of a class that cannot be. So the
    others become the larger of themselves and 0, and the labels' own that of themselves and the
    lowest number, which twice is -∞ again.
    """
    bounds = _one_hot(logarithms, labels) * float(np.finfo(logarithms.dtype).min)
    return _total(logarithms.apply(np.maximum, bounds)) * 2


def _predicted(logits: Value) -> Value:
    """The first class whose logit is the largest."""
    count, last = logits.shape[-1], len(logits.shape) - 1
    largest = logits.equals(logits.reduce(np.maximum, [last]))
    classes = logits.writer.integers(count) - largest * count  # the largest ones below zero
    return (classes.reduce(np.minimum, [last]) + count).drop([last])


def _all_right(logits: Value, labels: Value) -> Value:
    """1 for each sample all of whose labels are predicted, else 0."""
    others = range(2, len(labels.shape))
    return _predicted(logits).equals(labels).reduce(np.minimum, others).drop(others)


def _size(value: Value) -> int:
    return math.prod(value.shape[1:])


OPERATIONS |= {
    "half_mse": Operation(
        _equal_shapes,
        lambda p, t: _total((p - t) * (p - t)) * (0.5 / _size(p)),
        lambda g, y, p, t: (p - t) * (g * (1 / _size(p))),
        lambda g, y, p, t: (p - t) * (g * (-1 / _size(p))),
    ),
    "cross_entropy": Operation(
        _labels_fit,
        lambda z, k: _twice_the_labels(softmax_logarithm(z), k) * (-0.5 / _size(k)),
        lambda g, y, z, k: (softmax_logarithm(z).apply(np.exp) - _one_hot(z, k)) * (g / _size(k)),
        None,
        integers=(1,),
    ),
    "accuracy": Operation(
        _labels_fit,
        lambda z, k: _total(_all_right(z, k)) / math.prod(k.shape[1:2]),
        None,
        None,
        integers=(1,),
    ),
}


def half_mse(prediction: Operand, target: Operand) -> Node:
    """½ mean((prediction - target)²), of two values of the same shape."""
    return apply("half_mse", prediction, target)


def cross_entropy(
    logits: Node,
    labels: Node,
    weight: Sequence[float] | None = None,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Node:
    """-log softmax(logits)[label]; logits (..., classes), labels (...) integers.

    Labels are trusted to be 0 ... classes - 1: checking them would take as long as a small step.
    With one that is not, loss and gradients mean nothing. Labels of the shape of the logits that
    are no integers are the probabilities of all classes.

    weight, ignore_index: see `nll_loss`; a mean over probabilities is not divided by the weights
    label_smoothing: the share of the label's probability, 0 to 1, that all classes get alike
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be 0 to 1, got {label_smoothing}")
    plain = weight is None and ignore_index is None and reduction == "mean" and not label_smoothing
    if plain and labels.shape != logits.shape:
        return apply("cross_entropy", logits, labels)
    return smoothed_cross_entropy(logits, labels, weight, ignore_index, reduction, label_smoothing)


def accuracy(logits: Operand, labels: Operand) -> Node:
    """The share of samples whose largest logit is their label's; it has no gradient.

    A sample with several labels, (samples, ..., classes) and (samples, ...), has to have all right.
    """
    return apply("accuracy", logits, labels)


LOSSES: dict[str, Callable[..., Node]] = {
    "half_mse": half_mse,
    "mse_loss": mse_loss,
    "l1_loss": l1_loss,
    "huber_loss": huber_loss,
    "smooth_l1_loss": smooth_l1_loss,
    "cross_entropy": cross_entropy,
    "nll_loss": nll_loss,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "kl_div": kl_div,
}
