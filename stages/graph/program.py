"""A compiled computation: flat lists of NumPy calls on buffers that are allocated once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

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
    ) -> None:
        self.outputs, self.nbytes = outputs, nbytes
        self._inputs, self._names = inputs, names
        self._prepare, self._forward, self._backward = prepare, forward, backward
        with np.errstate(all="ignore"):
            self._prepare_fixed()  # what depends on constants alone may never be fed

    def feed(self, **inputs: Array) -> None:
        """Takes a copy of each input, (runs or 1, samples, ...), for the next executions.

        Raises KeyError for an input that is missing or that the graph does not have, TypeError for
        what is no array, ValueError for a shape that does not fit.
        """
        for name, array in self._inputs.items():
            given = inputs.get(name)
            if not isinstance(given, np.ndarray):
                if name not in inputs:
                    raise KeyError(f"input {name}: is missing")
                raise TypeError(f"input {name}: must be an array, got {given!r}")
            if given.shape[1:] != array.shape[1:]:
                expected = f"(runs or 1, *{array.shape[1:]})"
                raise ValueError(f"input {name}: expected {expected}, got {given.shape}")
            np.copyto(array, given)
        if len(inputs) > len(self._inputs):
            for name in inputs:
                if name not in self._names:
                    raise KeyError(f"input {name}: the graph has only {', '.join(self._names)}")
        self._prepare_fixed()

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
