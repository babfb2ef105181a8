"""The twin in NumPy: a model on the computation graph, and its steps. torch's is twin_torch.py."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.graph import SAMPLES, Graph, Node, Program, Rounding, Tiles
from stages.models.network import network
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table
from stages.training.masks import mask
from stages.training.optimizer import RunsStep, each_run, model_optimizer
from stages.training.plan import Batch, Start

Array = NDArray[Any]


class Twin:
    """A model at the start of its training, once for each of the runs.

    tables: the samples by part; "train" is what it learns from
    runs: how many train at once, all from the same start and on the same batches
    tile: how many samples go through the graph at once, by default as many as fit into the cache
    rounding: what becomes of results that are rounded, see `Graph`
    """

    def __init__(
        self,
        start: Start,
        model: Model,
        tables: Mapping[str, Table],
        runs: int = 1,
        tile: int | None = None,
        rounding: Rounding | None = None,
    ) -> None:
        train = tables["train"]
        features = train.features.shape[1]
        self._network = network(model, features, train.outputs, runs)
        self._graph = self._network.graph
        self._graph.rounding = rounding
        for name, values in self._graph.views(self.parameters).items():
            values[:] = start.parameters[name]
        self._inputs = {part: self._arrays(table) for part, table in tables.items()}
        self._loss_unit = model.loss_unit(train.units)
        means = self._network.means.values()
        self._means = {part: self._tiles(*means, tile=tile) for part in tables}
        for part, tiles in self._means.items():
            tiles.feed(**self._inputs[part])
        options = {"differentiate": True, "training": True, "tile": tile}
        self._loss = self._tiles(self._network.loss, **options)
        self._seed, self._taken = start.seed, 0
        self._dropout = {node.name: node for node in self._graph.nodes if "p" in node.attributes}

    @property
    def parameters(self) -> Array:
        """(runs, n): the parameters of each run in one row."""
        return self._graph.parameters

    def state(self) -> dict[str, Array]:
        """The parameters and states of the first run by name."""
        everything = {**self._graph.views(self.parameters), **self._graph.states}
        return {name: values[0] for name, values in everything.items()}

    def optimizer(self, hyperparameters: Hyperparameters, place: str) -> RunsStep:
        """An optimizer by hand for each run; place: its keys in params.yaml, for messages.

        Raises InputError if there is no such class, or if it refuses the hyperparameters.
        """
        shapes = [values.shape[1:] for values in self._graph.views(self.parameters).values()]
        model = [model_optimizer(hyperparameters, optim, shapes, place) for _ in self.parameters]
        return each_run(model)

    def evaluate(self) -> dict[str, Array]:
        """(runs,) each: the loss of each part, and its accuracy where the targets are classes.

        A loss is in the target's own units, also where that is standardized.
        """
        means = {part: tiles.forward() for part, tiles in self._means.items()}
        return {
            f"{part}_{name}": self._in_own_units(name, means[part][position])
            for position, name in enumerate(self._network.means)
            for part in means
        }

    def steps(self, optimizer: RunsStep, batches: Iterable[Batch]) -> Iterator[Array]:
        """A step for each batch of the training samples: (runs,) its loss before the step."""
        inputs, masks = self._inputs["train"], self._masks if self._dropout else None
        for before in steps(self._graph, self._loss, inputs, optimizer, batches, masks):
            self._taken += 1
            yield before

    def _masks(self, samples: int) -> dict[str, Array]:
        """What dropout keeps of so many samples at the next step, by layer."""
        masks = {}
        for name, node in self._dropout.items():
            shape = tuple(samples if size == SAMPLES else int(size) for size in node.shape)
            p = node.attributes["p"]
            masks[name] = mask(self._seed, self._taken, name, shape, p, node.dtype)[None]
        return masks

    def gradients(self) -> dict[str, Array]:
        """The gradients of the first run by name, of what was last evaluated."""
        views = self._graph.views(self._graph.gradients)
        return {name: values[0] for name, values in views.items()}

    def kept(self, batch: Batch) -> tuple[Node, Program]:
        """The loss, and a program that computes it for training samples and keeps every node."""
        inputs = {name: values[:, batch] for name, values in self._inputs["train"].items()}
        program = self._graph.compile(
            self._network.loss,
            samples=inputs["x"].shape[1],
            differentiate=True,
            shared_inputs=True,
            keep=True,
        )
        program.feed(**inputs)
        return self._network.loss, program

    def _in_own_units(self, name: str, values: Array) -> Array:
        if name != "loss" or self._loss_unit == 1:
            return values
        return values.astype(np.float64) * self._loss_unit

    def _tiles(self, *means: Any, **options: Any) -> Tiles:
        return Tiles(self._graph, *means, shared_inputs=True, **options)

    def _arrays(self, table: Table) -> dict[str, Array]:
        x = table.features.astype(self._graph.dtype)
        return {"x": x[None], "target": table.target_of_models[None]}


def steps(
    graph: Graph,
    loss: Tiles | Program,
    inputs: Mapping[str, Array],
    optimizer: RunsStep,
    batches: Iterable[Any],
    masks: Callable[[int], Mapping[str, Array]] | None = None,
) -> Iterator[Array]:
    """A step of the optimizer for each batch: (runs,) the loss before the step.

    loss: computes the loss and, in `graph.gradients`, its gradients
    inputs: (1, samples, ...) by name
    batches: for each step the samples to take
    masks: more inputs, which are others at each step, for a number of samples
    """
    fed = None

    for batch in batches:
        if batch is not fed or masks:
            given = {name: values[:, batch] for name, values in inputs.items()}
            samples = next(iter(given.values())).shape[1] if masks else 0
            loss.feed(**given, **(masks(samples) if masks else {}))
            fed = batch
        before = loss.gradients()
        optimizer(graph.parameters, graph.gradients, loss.gradients)
        yield before
