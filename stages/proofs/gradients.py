"""The gradient of a formula, three ways, and how far apart two of them are."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import isfinite, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stages.graph.node import Node
from stages.graph.operations.comparisons import COMPARISONS, equal, where
from stages.graph.operations.elementwise import sin
from stages.graph.operations.reductions import norm
from stages.graph.operations.shapes import concatenate, flatten
from stages.graph.program import Program
from stages.proofs.difference import ulp_difference
from stages.proofs.formulas import RUNS, SAMPLE_COUNT, Formula

Array = NDArray[Any]
Metrics = dict[str, float | int | None]

MOST = 500  # parameters whose slopes are measured
WHOLE = slice(None)


def graph_gradients(formula: Formula) -> Array:
    """(runs, parameters) by the graph."""
    program = _compiled(formula, formula.loss, differentiate=True)
    program.forward()
    program.backward()
    return formula.graph.gradients


def _compiled(formula: Formula, *outputs: Node, differentiate: bool = False) -> Program:
    """The program of some nodes of the formula, ready to run on its values."""
    graph = formula.graph
    program = graph.compile(*outputs, samples=SAMPLE_COUNT, differentiate=differentiate)
    for name, rows in graph.views(graph.parameters).items():
        np.copyto(rows, formula.values[name])
    inputs = [node.name for node in graph.nodes if node.operation == "input"]
    program.feed(**{name: formula.values[name] for name in inputs})
    return program


def torch_gradients(formula: Formula) -> Array:
    """(runs, parameters) by torch.autograd, one run after the other."""
    runs = [
        {name: torch.tensor(v[run]) for name, v in formula.values.items()} for run in range(RUNS)
    ]
    return np.stack([formula.torch_gradient(values).numpy() for values in runs])


# At 0 of these numbers, made of its operands, an operation has a kink or jumps.
KINKS: dict[str, Callable[..., Node]] = {
    **dict.fromkeys((*COMPARISONS, "maximum", "minimum"), lambda a, b: a - b),
    **dict.fromkeys(("absolute", "sign", "relu"), lambda a: a),
    "atan2": lambda a, b: where(equal(a, 0), b, a),
    "leaky_relu": lambda a, negative_slope: a,
    "elu": lambda a, alpha: a,
    "softplus": lambda a, beta, threshold: a * beta - threshold,
    **dict.fromkeys(("hardtanh", "clip"), lambda a, low, high: (a - low) * (a - high)),
    "floor": lambda a: sin(pi * a),
    "huber": lambda a, delta: abs(a) - delta,
    "where": lambda condition, a, b: condition,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), lambda a, **each: _within_windows(a, **each)),
    "max": lambda a, axis, keepdims: equal(a, a.max(axis, keepdims=True)) - 0.5,
    "min": lambda a, axis, keepdims: equal(a, a.min(axis, keepdims=True)) - 0.5,
    "norm": norm,
}


def _within_windows(a: Node, kernel_size: tuple[int, ...], **_: object) -> Node:
    """The differences of all elements that a window may have in common; a: as a pooling has it."""
    lengths, found = [int(size) for size in a.shape[2:]], []
    for offset in product(*(range(1 - size, size) for size in kernel_size)):
        pairs = list(zip(offset, lengths, strict=True))
        if offset > (0,) * len(offset) and all(abs(by) < length for by, length in pairs):
            here = [slice(max(0, by), length + min(0, by)) for by, length in pairs]
            there = [slice(max(0, -by), length - max(0, by)) for by, length in pairs]
            found.append(flatten(a[(WHOLE, WHOLE, *here)] - a[(WHOLE, WHOLE, *there)]))
    return concatenate(found, 1) if found else a[:, :1] * 0


def central_differences(formula: Formula, step: float) -> tuple[Array, Array]:
    """The slope of the loss along every parameter, and where it stands for the derivative.

    (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h differs from f'(x) by h⁴/30 · f⁽⁵⁾(x),
    and by about ε/h · f(x) for rounding. It says nothing where a kink lies within x ± 2h, and of a
    model with many parameters it is asked for some of them, drawn at random.

    Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
    Mathematics of Computation 51 (1988), table 1, the central one of order 4.

    returns: (runs, parameters), of float64 and of booleans
    """
    graph = formula.graph
    kinks = [
        KINKS[node.operation](*node.inputs, **node.attributes)
        for node in list(graph.nodes)  # to which these are added
        if node.operation in KINKS
    ]
    program = _compiled(formula, formula.loss, *kinks)
    parameters = graph.parameters
    slopes, smooth = np.zeros_like(parameters), np.zeros(parameters.shape, bool)
    _, sides = _evaluate(program)
    for column in np.random.default_rng(1).permutation(parameters.shape[1])[:MOST]:
        smooth[:, column] = True
        middle = parameters[:, column].copy()
        for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            parameters[:, column] = middle + shift * step
            loss, shifted_sides = _evaluate(program)
            slopes[:, column] += weight * loss
            for side, shifted in zip(sides, shifted_sides, strict=True):
                smooth[:, column] &= (side == shifted).all(axis=1)
        parameters[:, column] = middle
    return slopes / (12 * step), smooth


def _evaluate(program: Program) -> tuple[Array, list[Array]]:
    """The loss, (runs,), and on which side of its kinks it is, (runs or 1, ...) each."""
    program.forward()
    loss, *kinks = program.outputs
    return loss, [np.sign(kink).reshape(len(kink), -1) for kink in kinks]


def relative_error(gradients: Array, others: Array) -> float:
    """The largest difference of two numbers of a run, relative to the run's largest gradient.

    A gradient is one vector. Its small components carry the rounding errors of the terms that
    cancelled out in them; divided by themselves, errors that no training would notice would look
    large. Where all gradients of a run are exactly 0 the difference itself counts.

    gradients, others: (runs, parameters)
    """
    largest = np.abs(gradients).max(axis=1)
    differences = np.abs(gradients - others).max(axis=1)
    return float(np.max(differences / np.where(largest == 0, 1, largest)))


def worst(formulas: Callable[[str], Iterator[Formula]], step: float) -> Metrics:
    """The largest errors of all formulas, which are asked for by dtype.

    cases: the number of formulas, each compared in both dtypes and in several runs
    ulp: the largest distance of a partial derivative from that of torch.autograd, in units in the
        last place; where large terms cancel, that of the little which is left
    relative_error: the same for a gradient as a whole, see `relative_error`
    difference_quotient: the relative error against central differences
    ulp_float32, relative_error_float32: what the first two, which are in float64, are in float32

    A relative error that is not a finite number is None.
    """
    ulps: dict[str, list[int]] = {"float64": [], "float32": []}
    errors: dict[str, list[float]] = {"float64": [], "float32": []}
    quotient_errors = []
    for dtype in ulps:
        for formula in formulas(dtype):
            ours, theirs = graph_gradients(formula), torch_gradients(formula)
            ulps[dtype].append(ulp_difference(ours, theirs))
            errors[dtype].append(relative_error(ours, theirs))
            if dtype == "float64":
                slopes, smooth = central_differences(formula, step)
                if smooth.any():
                    quotient_errors.append(relative_error(ours, np.where(smooth, slopes, ours)))
    return {
        "cases": len(ulps["float64"]),
        "ulp": max(ulps["float64"]),
        "relative_error": _largest(errors["float64"]),
        "difference_quotient": _largest(quotient_errors),
        "ulp_float32": max(ulps["float32"]),
        "relative_error_float32": _largest(errors["float32"]),
    }


def _largest(errors: Sequence[float]) -> float | None:
    largest = float(np.max(errors)) if errors else np.nan
    return largest if isfinite(largest) else None
