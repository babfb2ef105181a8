"""Any number of samples through a graph, a tile of them at a time.

The buffers of a tile stay in the cache, and memory does not grow with the number of samples.
"""

import sys
from collections.abc import Iterator
from math import prod

import numpy as np

from stages.graph.compile import needed, updated
from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.program import Program
from stages.graph.value import Array

# About what one core's level-2 cache holds of values and gradients, before buffers are shared.
TILE_BYTES = 2**21
# With fewer samples NumPy's calls take longer to start, and BLAS to arrange, than what they do.
FEWEST = 64


class Tiles:
    """Means over samples, such as losses, and the gradients of the first.

    means: scalar nodes of `graph`, each a mean over samples
    differentiate: let `gradients` fill `graph.gradients`
    shared_inputs: all runs read the same samples
    training: for the steps of a training, see `choose`
    tile: how many samples there are in a tile, by default as many as fit into the cache

    The tile depends on the graph but not on its number of runs, so that a run among many computes
    to the last bit what it computes alone. Batch norm needs a whole batch, and so does
    what changes a state: by default that is then the tile, and a smaller one is refused.
    """

    def __init__(
        self,
        graph: Graph,
        *means: Node,
        differentiate: bool = False,
        shared_inputs: bool = False,
        training: bool = False,
        tile: int | None = None,
    ) -> None:
        self._graph, self._means = graph, means
        self._options = {
            "differentiate": differentiate,
            "shared_inputs": shared_inputs,
            "training": training,
        }
        nodes = needed(graph.nodes, means, training)
        self._whole = any(node.operation == "batch_norm" for node in nodes) or (
            training and bool(updated(nodes))
        )
        self._programs: dict[int, Program] = {}
        elements = sum(
            prod(size for size in node.shape if not isinstance(size, str))
            for node in graph.nodes
            if SAMPLES in node.shape
        )
        # many parameters: gradients are added up after each tile, which must not be the main work
        budget = max(TILE_BYTES, 8 * graph.parameters[0].nbytes)
        fitting = max(FEWEST, budget // (2 * graph.dtype.itemsize * elements))
        self.size = tile or (sys.maxsize if self._whole else fitting)

    def feed(self, **inputs: Array) -> None:
        """Takes the samples, (runs or 1, samples, ...), for all executions until the next.

        Raises ValueError if one input has more samples than another, or if a batch is larger than
        a tile that has to hold it.
        """
        self._inputs = inputs
        self._count = next(iter(inputs.values())).shape[1]
        for name, array in inputs.items():
            if array.shape[1] != self._count:
                raise ValueError(f"input {name}: expected {self._count} samples, got {array.shape}")
        if self._whole and self._count > self.size:
            raise ValueError(
                f"tile: must be at least {self._count}, the size of the batch, for batch norm and "
                f"what has a state; got {self.size}"
            )
        if self._count <= self.size:
            self._tile = self._program(self._count)
            self._tile.feed(**inputs)

    def forward(self) -> list[Array]:
        """The means over the samples, (runs,) each."""
        if self._count <= self.size:
            self._tile.forward()
            return [np.zeros(self._graph.runs) + mean for mean in self._tile.outputs]
        totals = [np.zeros(self._graph.runs) for _ in self._means]
        for program, samples in self._tiles():
            program.forward()
            for total, mean in zip(totals, program.outputs, strict=True):
                total += samples * mean
        return [total / self._count for total in totals]  # of ones it is 1, and not above

    def gradients(self) -> Array:
        """The first mean, (runs,); fills `graph.gradients` with its gradients."""
        if self._count <= self.size:
            self._tile.forward()
            self._tile.backward()
            return self._tile.outputs[0]
        mean, gradients = np.zeros(self._graph.runs), self._graph.gradients
        total = np.zeros_like(gradients)
        for program, samples in self._tiles():
            share = samples / self._count
            program.forward()
            program.backward()
            mean += share * program.outputs[0]
            total += share * gradients
        np.copyto(gradients, total)
        return mean

    def _tiles(self) -> Iterator[tuple[Program, int]]:
        """Each tile's program, fed, and its number of samples."""
        for start in range(0, self._count, self.size):
            stop = min(start + self.size, self._count)
            program = self._program(stop - start)
            program.feed(**{name: array[:, start:stop] for name, array in self._inputs.items()})
            yield program, stop - start

    def _program(self, samples: int) -> Program:
        if samples not in self._programs:
            self._programs[samples] = self._graph.compile(
                *self._means, samples=samples, **self._options
            )
        return self._programs[samples]
