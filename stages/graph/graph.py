"""The record of a computation: nodes, the operations that join them, and their shapes.

Nothing is computed here. A formula such as `relu(x @ weight.T + bias)` records its nodes, and a
mistake in a shape or a dtype is refused on that line; `Graph.compile` turns the record into a
`Program` that runs.

A shape is what torch would show for one run: samples first, then features. The sample axis is the
word "samples" until the graph is compiled for a number of them. The leading `runs` axis, along
which independent trainings lie, is implied and never written.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from stages.graph.compile import compiled
from stages.graph.formula import listing
from stages.graph.node import Node
from stages.graph.operation import Shape
from stages.graph.program import Program
from stages.graph.starts import Start, zeros
from stages.graph.value import Array
from stages.graph.writer import Rounding


class Graph:
    """A computation over `runs` independent sets of parameters.

    dtype: float64 or float32, of all values but integer labels.

    states: by name, (runs, *shape) each, what programs compiled for training change
    rounding: what, given the memory of a result that is rounded, returns a call that follows each
        computation of it, in programs compiled from now on; None leaves results as they are
    """

    def __init__(self, runs: int = 1, dtype: DTypeLike = np.float64) -> None:
        if np.dtype(dtype) not in (np.dtype(np.float64), np.dtype(np.float32)):
            raise TypeError(f"a graph computes in float64 or float32, got {np.dtype(dtype)}")
        if runs < 1:
            raise ValueError(f"a graph needs at least one run, got {runs}")
        self.runs = runs
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.nodes: list[Node] = []
        self.states: dict[str, Array] = {}
        self.rounding: Rounding | None = None
        self._flat: tuple[Array, Array] | None = None

    def __repr__(self) -> str:
        shapes = [node.shape for node in self.nodes if node.operation == "parameter"]
        count = sum(math.prod(map(int, shape)) for shape in shapes)
        runs = f"{self.runs} run{'' if self.runs == 1 else 's'}"
        return f"Graph in {self.dtype}, {runs}, {count:,} parameters\n{listing(self.nodes)}"

    def input(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> Node:
        """A value that is fed at every execution; `dtype` is the graph's, or an integer one."""
        self._check_name(name)
        given = np.dtype(dtype or self.dtype)
        if given != self.dtype and given.kind != "i":
            raise TypeError(f"input {name}: must be {self.dtype} or an integer, got {given}")
        return Node(self, "input", tuple(shape), given, name=name)

    def parameter(self, name: str, shape: tuple[int, ...], start: Start = zeros) -> Node:
        """A value that is trained: a view on each run's row of `parameters`.

        start: what `draw_parameters` draws it with; `parameters` is 0 until somebody sets it
        """
        self._check_name(name)
        if not all(isinstance(size, int) and size > 0 for size in shape):
            raise ValueError(f"parameter {name}: every size must be at least 1, got {shape}")
        if self._flat is not None:
            raise ValueError(
                f"parameter {name}: `parameters` is laid out already; declare it first"
            )
        return Node(self, "parameter", tuple(shape), self.dtype, name=name, start=start)

    def mask(self, name: str, shape: Shape, p: float) -> Node:
        """An input that dropout multiplies with: 0 with probability p, 1 / (1 - p) otherwise.

        Whoever feeds it draws it, see stages/training/masks.py.
        """
        self._check_name(name)
        if not 0 <= p <= 1:
            raise ValueError(f"mask {name}: p must be from 0 to 1, got {p}")
        return Node(self, "input", tuple(shape), self.dtype, name=name, p=p)

    def state(self, name: str, shape: tuple[int, ...], start: float = 0.0) -> Node:
        """A value that lasts from one execution to the next, such as a running mean: see `choose`.

        It has no gradient, and begins as `start` everywhere.
        """
        self._check_name(name)
        self.states[name] = np.full((self.runs, *shape), start, self.dtype)
        return Node(self, "state", tuple(shape), self.dtype, name=name)

    def constant(self, value: float | Array, dtype: DTypeLike | None = None) -> Node:
        """A value that never changes, the same for all runs; `dtype` is the graph's, or int64."""
        array = np.asarray(value, dtype=dtype or self.dtype)
        return Node(self, "constant", array.shape, array.dtype, value=array)

    def _check_name(self, name: str) -> None:
        if any(node.name == name for node in self.nodes):
            raise ValueError(f"the graph has a node named {name} already")

    @property
    def parameters(self) -> Array:
        """(runs, n): every run's parameters in one row, in the order of their declaration."""
        return self._rows()[0]

    @property
    def gradients(self) -> Array:
        """(runs, n): the gradients, laid out as `parameters`."""
        return self._rows()[1]

    def _rows(self) -> tuple[Array, Array]:
        if self._flat is None:
            shapes = [n.shape for n in self.nodes if n.operation == "parameter"]
            shape = (self.runs, sum(math.prod(map(int, shape)) for shape in shapes))
            self._flat = np.zeros(shape, self.dtype), np.zeros(shape, self.dtype)
        return self._flat

    def draw_parameters(self, random: np.random.Generator) -> dict[str, Array]:
        """Where each parameter starts, by name: drawn in the order of declaration, then rounded.

        Raises ValueError if what a start returns is not of the parameter's shape.
        """
        drawn = {}
        for node in self.nodes:
            if node.operation == "parameter":
                values = np.asarray(node.attributes["start"](random, node.shape))
                if values.shape != node.shape:
                    raise ValueError(
                        f"parameter {node.name}: its start must be of shape {node.shape}, "
                        f"got {values.shape}"
                    )
                drawn[node.name] = values.astype(self.dtype)
        return drawn

    def views(self, rows: Array) -> dict[str, Array]:
        """Each parameter's part of `rows`, (runs, n), by name: views of shape (runs, *shape)."""
        views, start = {}, 0
        for node in self.nodes:
            if node.operation == "parameter":
                stop = start + math.prod(map(int, node.shape))
                views[node.name] = rows[:, start:stop].reshape(len(rows), *node.shape)
                start = stop
        return views

    def compile(
        self,
        *outputs: Node,
        samples: int = 1,
        differentiate: bool = False,
        shared_inputs: bool = False,
        training: bool = False,
        keep: Sequence[Node] | bool = False,
    ) -> Program:
        """The program that computes `outputs` for a number of samples.

        differentiate: also the gradients of the first output, a scalar, with respect to all
            parameters
        shared_inputs: all runs read the same inputs, fed once with a leading axis of 1
        training: as it is for a step of a training, not for an evaluation: see `choose`
        keep: the nodes that `Program.value` and `Program.gradient` are to read, True for all; each
            then has memory of its own, and every number is to the last bit what it is without

        Raises ValueError if there is nothing to compute, if there are no samples, or if the first
        output is not a scalar.
        """
        if samples < 1:
            raise ValueError(f"compile: samples must be 1 or more, got {samples}")
        if not outputs or any(node.graph is not self for node in outputs):
            raise ValueError("compile: give at least one output, each a node of this graph")
        if differentiate and outputs[0].shape != ():
            raise ValueError(f"compile: only a scalar has gradients, got {outputs[0]!r}")
        return compiled(
            self.nodes,
            outputs,
            self.views(self.parameters) | self.states,
            self.views(self.gradients) if differentiate else None,
            samples,
            1 if shared_inputs else self.runs,
            training,
            self.rounding,
            keep,
        )
