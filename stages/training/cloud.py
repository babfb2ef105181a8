"""How far rounding alone takes a training: the cloud of the same training, rounded otherwise.

Two programs that compute the same training differ in the last bits of all that they compute, and
one training makes more of that than another. So it is trained some times more, all at once on the
graph's runs axis: each of these runs starts from parameters that differ in the last bit, and moves
by a last bit, up or down at random, whatever the graph rounds, and the parameters after each step.
That is Monte Carlo arithmetic (Parker, Pierce and Eggert, "Monte Carlo arithmetic: how to gamble
with floating point and win", Computing in Science & Engineering 2, 2000).

Another start alone would not do. Where tanh saturates, a library that rounds it otherwise finds
another derivative altogether, and where steps are as small as rounding, each is rounded again: no
start shows either.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.graph import Rounding
from stages.graph.value import Array
from stages.proofs.difference import relative_drift
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters, scope_of
from stages.task.table import Table
from stages.training.optimizer import optimizer_class
from stages.training.plan import Batch, Start, stream
from stages.training.record import progress_bar
from stages.training.twin import Twin

RUNS = 8
FACTORS = 2**16  # at first: enough for most results, and at home in the cache


def cloud(
    start: Start,
    model: Model,
    train: Table,
    optimizer: tuple[Hyperparameters, str],
    epochs: Callable[[], Iterable[Iterable[Batch]]],
    snapshots: Mapping[int, Mapping[str, Array]],
    seed: int,
) -> NDArray[np.float64]:
    """(snapshots, RUNS): how far each run is from the training, see `relative_drift`.

    optimizer: its hyperparameters, and its keys in params.yaml for messages
    epochs: begins anew with the batches that the training has taken, or was to take
    snapshots: the parameters of the training, by the step after which it had them, and by name
    seed: of what moves up and what down
    """
    rounding = last_bits(stream(seed, 2))

    def trained(runs: int) -> NDArray[np.float64]:
        twin = Twin(start, model, {"train": train}, runs, rounding=rounding)
        move = rounding(twin.parameters)
        steps = twin.steps(twin.optimizer(*optimizer), chain.from_iterable(epochs()))
        found, last = [], max(snapshots)
        with progress_bar(last) as progress:
            for step, _ in enumerate(chain([None], steps)):  # 0 is the start
                move()
                if step in snapshots:
                    kept = snapshots[step]
                    ours = np.concatenate([kept[name].ravel() for name in start.parameters])
                    found.append(relative_drift(ours, twin.parameters))
                if step == last:
                    break
                progress.update()
        return np.array(found)

    hyperparameters, place = optimizer
    kind = optimizer_class(hyperparameters.by_hand, optim, place)
    # One that evaluates the model itself would evaluate all runs for a step of each.
    runs = 1 if scope_of(kind) == "model" else RUNS
    return np.hstack([trained(runs) for _ in range(RUNS // runs)])


def last_bits(random: np.random.Generator) -> Rounding:
    """What moves each number of an array by a last bit, up or down, in place, at every call.

    By the factor 1 ± ε of their dtype, float64 or float32: that is one unit in the last place or
    two, and none for 0, infinity and NaN.
    """
    factors = np.empty(0)

    def rounding(values: Array) -> Callable[[], None]:
        as_it_lies = values.transpose(np.argsort(values.strides)[::-1])
        size, shape, one = values.size, as_it_lies.shape, values.dtype.type(1)
        epsilon = np.finfo(values.dtype).eps

        def move() -> None:
            nonlocal factors
            if factors.size <= size:  # drawn once, and read from anywhere: ten times as fast
                up = random.integers(0, 2, max(FACTORS, 2 * size), bool)
                factors = np.where(up, one + epsilon, one - epsilon)
            first = random.integers(factors.size - size)
            np.multiply(as_it_lies, factors[first : first + size].reshape(shape), as_it_lies)

        return move

    return rounding
