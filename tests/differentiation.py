"""One formula, differentiated by the graph, by torch.autograd and by central differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stages.graph import Graph

Array = NDArray[Any]
Formula = Callable[..., Any]


def random_values(
    shapes: Sequence[tuple[int, ...]], low: float, high: float, seed: int, dtype: str, runs: int = 2
) -> list[Array]:
    """An array (runs, *shape) of uniform numbers for each shape."""
    random = np.random.default_rng(seed)
    return [random.uniform(low, high, (runs, *shape)).astype(dtype) for shape in shapes]


def weights(shape: tuple[int, ...], dtype: str) -> Array:
    """A different factor for each element of a result, so that no two gradients are alike."""
    return (1.5 + np.cos(np.arange(np.prod(shape, dtype=int)))).reshape(shape).astype(dtype)


class Compiled:
    """loss = sum(weights · formula(operands)) as a program of the graph.

    operands: (runs, *shape) each, the graph's parameters
    """

    def __init__(self, formula: Formula, operands: Sequence[Array], factors: Array) -> None:
        self.graph = Graph(len(operands[0]), operands[0].dtype)
        nodes = [
            self.graph.parameter(str(position), operand.shape[1:])
            for position, operand in enumerate(operands)
        ]
        result = formula(*nodes)
        self.shape = result.shape
        loss = (result * factors).sum()
        self.program = self.graph.compile(loss, result, differentiate=True)
        for view, operand in zip(self.parameters, operands, strict=True):
            view[...] = operand

    @property
    def parameters(self) -> list[Array]:
        return list(self.graph.views(self.graph.parameters).values())

    def differentiate(self) -> tuple[Array, list[Array]]:
        """The formula's value, and the loss's gradient with respect to each operand."""
        self.program.forward()
        self.program.backward()
        views = self.graph.views(self.graph.gradients).values()
        return self.program.outputs[1].copy(), [view.copy() for view in views]

    def central_differences(self, step: float = 1e-6) -> list[Array]:
        """The same gradients from losses at each parameter ± step: an error of about step²."""
        rows = self.graph.parameters
        slopes = np.empty_like(rows)
        for column in range(rows.shape[1]):
            middle = rows[:, column].copy()
            losses = []
            for shift in (step, -step):
                rows[:, column] = middle + shift
                self.program.forward()
                losses.append(self.program.outputs[0].copy())
            rows[:, column] = middle
            slopes[:, column] = (losses[0] - losses[1]) / (2 * step)
        return list(self.graph.views(slopes).values())


def torch_differentiate(
    formula: Formula, operands: Sequence[Array], factors: Array
) -> tuple[Array, list[Array]]:
    """The same by torch.autograd, one run after the other."""
    values, gradients = [], []
    for run in range(len(operands[0])):
        leaves = [torch.tensor(operand[run], requires_grad=True) for operand in operands]
        result = formula(*leaves)
        (result * torch.from_numpy(factors)).sum().backward()
        values.append(result.detach().numpy())
        gradients.append([leaf.grad.numpy() for leaf in leaves])
    return np.array(values), [np.array(parts) for parts in zip(*gradients, strict=True)]


def assert_close(ours: Array, theirs: Array, relative: float) -> None:
    """Equal but for `relative` times the largest element or 1, the scale of rounding in sums."""
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max(initial=1)
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=relative * scale)
