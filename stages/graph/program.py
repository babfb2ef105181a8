"""A compiled computation: flat lists of NumPy calls on buffers that are allocated once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from stages.graph.node import Node
from stages.graph.value import Array

Calls = Sequence[Callable[[], Any]]


class Program:
    """What a `Graph` compiles to.

    inputs: the arrays that the computation reads, by name
    names: of all inputs of the graph; those that are not read are let pass
    outputs: the arrays to read after `forward`, (runs, ...)
    nbytes: the memory of all buffers
    """

    def __init__(
        self,
        inputs: Mapping[str, Array],
        names: Sequence[str],
        outputs: Sequence[Array],
        prepare: Calls,
        forward: Calls,
        backward: Calls,
        nbytes: int,
        values: Mapping[Node, Array],
        gradients: Mapping[Node, Array],
    ) -> None:
        self.outputs, self.nbytes = outputs, nbytes
        self._values, self._gradients = values, gradients
        self._inputs, self._names = inputs, names
        self._prepare, self._forward, self._backward = prepare, forward, backward
        with np.errstate(all="ignore"):
            self._prepare_fixed()  # what depends on constants alone may never be fed

    def __repr__(self) -> str:
        feed, forward, backward = map(len, (self._prepare, self._forward, self._backward))
        lines = [
            f"Program of {forward} calls forward, {backward} backward and {feed} when it is fed; "
            f"{self.nbytes:,} bytes"
        ]
        lines += [f"  takes {n} {a.shape} {a.dtype}" for n, a in self._inputs.items()]
        lines += [f"  gives {array.shape} {array.dtype}" for array in self.outputs]
        return "\n".join(lines)

    def feed(self, **inputs: Array) -> None:
        """Takes a copy of each input, (runs or 1, samples, ...), for the next executions.

        Raises KeyError for an input that is missing or that the graph does not have, TypeError for
        what is no array, ValueError for a shape that does not fit.
        """
        if len(inputs) != len(self._inputs):
            self._refuse_names(inputs)
        for name, array in self._inputs.items():
            try:
                given = inputs[name]
                if given.shape[1:] != array.shape[1:]:
                    expected = f"(runs or 1, *{array.shape[1:]})"
                    raise ValueError(f"input {name}: expected {expected}, got {given.shape}")
            except KeyError:
                raise KeyError(f"input {name}: is missing") from None
            except AttributeError:
                raise TypeError(f"input {name}: must be an array, got {given!r}") from None
            np.copyto(array, given)
        self._prepare_fixed()

    def _refuse_names(self, inputs: Mapping[str, Array]) -> None:
        for name in inputs:
            if name not in self._names:
                raise KeyError(f"input {name}: the graph has only {', '.join(self._names)}")

    def _prepare_fixed(self) -> None:
        for call in self._prepare:
            call()

    def forward(self) -> None:
        """Computes the outputs from the inputs and the parameters."""
        for call in self._forward:
            call()

    def backward(self) -> None:
        """Computes the gradients, once after each `forward`, whose buffers it uses up."""
        for call in self._backward:
            call()

    def gradients(self) -> Array:
        """The first output, (runs,); fills the graph's gradients with those of it."""
        self.forward()
        self.backward()
        return self.outputs[0]

    def value(self, node: Node) -> Array:
        """The value of a node that is kept, after `forward`: (runs or 1, ...), to read only.

        Raises ValueError if it is not kept, see `Graph.compile`.
        """
        if node not in self._values:
            raise ValueError(f"value: {node!r} is not kept; give it to compile in keep")
        return _to_read(self._values[node])

    def gradient(self, node: Node) -> Array:
        """The gradient of the first output with respect to a node, after `backward`.

        returns: (runs or 1, ...), to read only

        Raises ValueError if the node is not kept, or the program gives it no gradient.
        """
        if node not in self._gradients:
            self.value(node)
            raise ValueError(f"gradient: {node!r} has none in this program")
        return _to_read(self._gradients[node])


def _to_read(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view
