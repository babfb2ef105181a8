"""Many trainings at once beside the peers: torch eager, torch.func.vmap and JAX.

Every side takes the same steps of the same runs from the same start with the same dtype, on one
core. A call is a step of all runs, with JAX many steps, since its compiled loop is what one would
use. JAX is optional, see `benchmark` in pyproject.toml.
"""

import os
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from networks import initial_parameters, network, torch_network
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from steps import samples, torch_step

from stages.graph import Tiles
from stages.models.network import Network
from stages.optim import SGD
from stages.reference.operations.losses import LOSSES

Array = NDArray[Any]

RUNS, STEPS = 64, 100


@dataclass(frozen=True)
class Workload:
    """A network, its batch, and plain SGD, with momentum if it is not 0."""

    sizes: tuple[int, ...]
    loss: str
    batch: int
    momentum: float = 0.0

    def data(self) -> tuple[Array, Array]:
        return samples(self.sizes, self.loss, "float32", self.batch)

    def start(self) -> dict[str, Array]:
        return initial_parameters(self.sizes, "torch_linear", "float32", 1)


CLASSIFIER = Workload((2, 10, 2), "cross_entropy", 200)
WORKLOADS = {
    "2-10-2 relu, batch 200": CLASSIFIER,
    "line, batch 100, momentum": Workload((1, 1), "half_mse", 100, 0.6),
    "2-64-64-2 relu, batch 200": Workload((2, 64, 64, 2), "cross_entropy", 200),
}
RATES = np.geomspace(0.001, 0.1, RUNS)
LINES: list[str] = []


@pytest.fixture(autouse=True, scope="module")
def lines() -> Iterator[None]:
    """Prints what does not fit the table of races."""
    yield
    print("\n".join(["", *LINES]))


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Keeps the threads of all sides on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def ours(workload: Workload) -> Callable[[], None]:
    """A step of all runs on the graph."""
    net, tiles = graph(workload)
    optimizer = SGD(RATES, workload.momentum)

    def step() -> None:
        tiles.gradients()
        optimizer(net.graph.parameters, net.graph.gradients)

    return step


def graph(workload: Workload) -> tuple[Network, Tiles]:
    """All runs at their start, and the samples fed."""
    net = network(workload.sizes, "relu", workload.loss, "float32", RUNS)
    for name, values in net.graph.views(net.graph.parameters).items():
        values[:] = workload.start()[name]
    x, target = workload.data()
    tiles = Tiles(net.graph, net.loss, differentiate=True, shared_inputs=True)
    tiles.feed(x=x[None], target=target[None])
    return net, tiles


def eager(workload: Workload) -> Callable[[], None]:
    """A step of each run, one after the other, as a loop over trainings in torch takes them."""
    x, target = workload.data()
    steps = [
        torch_step(
            workload.sizes,
            "relu",
            workload.loss,
            "float32",
            x,
            target,
            workload.batch,
            ("SGD", {"lr": rate, "momentum": workload.momentum}),
        )
        for rate in RATES
    ]

    def step() -> None:
        for one in steps:
            one()

    return step


def vmapped(workload: Workload) -> Callable[[], None]:
    """A step of all runs by torch.func."""
    model = torch_network(workload.sizes, "relu", "float32")
    x, target = map(torch.from_numpy, workload.data())
    rates = torch.from_numpy(RATES.astype(np.float32))
    parameters = {
        name: torch.from_numpy(values).repeat(RUNS, *(1 for _ in values.shape))
        for name, values in workload.start().items()
    }
    momenta = {name: torch.zeros_like(values) for name, values in parameters.items()}

    def loss(one: dict[str, torch.Tensor]) -> torch.Tensor:
        return LOSSES[workload.loss](torch.func.functional_call(model, one, x), target)

    gradient = torch.func.vmap(torch.func.grad(loss))

    def step() -> None:
        for name, slope in gradient(parameters).items():
            if workload.momentum:
                slope = momenta[name].mul_(workload.momentum).add_(slope)
            rate = rates.view(-1, *(1 for _ in slope.shape[1:]))
            parameters[name].sub_(rate * slope)

    return step


def compiled(workload: Workload) -> Callable[[], Any]:
    """STEPS steps of all runs by JAX, compiled before."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    x, target = map(jnp.asarray, workload.data())
    start, layers = workload.start(), len(workload.sizes) - 1

    def loss(parameters: dict[str, Any]) -> Any:
        y = x
        for layer in range(layers):
            y = jax.nn.relu(y) if layer else y
            y = y @ parameters[f"{2 * layer}.weight"].T + parameters[f"{2 * layer}.bias"]
        if workload.loss == "half_mse":
            return (0.5 * (y - target) ** 2).mean()
        chosen = jnp.take_along_axis(jax.nn.log_softmax(y), target[:, None], axis=1)
        return -chosen.mean()

    def trained(parameters: dict[str, Any], rate: Any) -> Any:
        def step(state: Any, _: None) -> Any:
            parameters, momenta = state
            slopes = jax.grad(loss)(parameters)
            momenta = jax.tree.map(lambda m, g: workload.momentum * m + g, momenta, slopes)
            moved = jax.tree.map(lambda p, m: p - rate * m, parameters, momenta)
            return (moved, momenta), None

        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jax.lax.scan(step, (parameters, zeros), None, length=STEPS)[0][0]

    run = jax.jit(jax.vmap(trained))
    many = {
        name: jnp.tile(values, (RUNS, *(1 for _ in values.shape))) for name, values in start.items()
    }
    rates = jnp.asarray(RATES, jnp.float32)
    jax.block_until_ready(run(many, rates))  # compiles
    return lambda: jax.block_until_ready(run(many, rates))


def repeated(step: Callable[[], None]) -> Callable[[], None]:
    def steps() -> None:
        for _ in range(STEPS):
            step()

    return steps


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize(
    ("peer", "make", "target"),
    [
        ("torch eager", eager, 45),
        ("torch.func.vmap", vmapped, 3),
        ("JAX jit(vmap(scan))", compiled, 2),
    ],
)
def test_many_runs(
    workload: str, peer: str, make: Any, target: float, race: Callable[..., Any]
) -> None:
    chosen = WORKLOADS[workload]
    mine, theirs = ours(chosen), make(chosen)
    result = race(
        f"{workload}, {RUNS} runs: {peer}",
        repeated(mine) if make is compiled else mine,
        theirs,
        target if chosen is CLASSIFIER else None,
        rounds=10,
    )
    steps = RUNS * (STEPS if make is compiled else 1)
    result.note = (
        f"{min(result.numpy) / steps * 1e6:.2f} and {min(result.torch) / steps * 1e6:.2f} µs a run"
    )


def shortest(function: Callable[[], Any]) -> float:
    """The shortest time of a call, in seconds."""
    return min(timeit.repeat(function, number=20, repeat=50)) / 20


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_limits_of_the_processor(workload: str, benchmark: BenchmarkFixture) -> None:
    """How long the step would take if its sums, or its traffic with the memory, were all of it.

    The speed of either is what NumPy reaches at its best: a product of square matrices, and a sum
    of two arrays in the cache.
    """
    a, b, out = np.ones((3, 2**15), np.float32)
    traffic = 3 * a.nbytes / shortest(lambda: np.add(a, b, out))
    square = np.ones((512, 512), np.float32)
    arithmetic = 2 * 512**3 / shortest(lambda: np.dot(square, square, np.empty_like(square)))

    _, tiles = graph(WORKLOADS[workload])
    operations, moved = 0, 0
    for call in [*tiles._tile._forward, *tiles._tile._backward]:
        assert isinstance(call, partial)
        given = (*call.args, *call.keywords.values())
        arrays = [array for array in given if isinstance(array, np.ndarray)]
        moved += sum(array.nbytes for array in arrays)
        if call.func in (np.matmul, np.dot):
            operations += 2 * arrays[-1].size * arrays[0].shape[-1]
        else:
            operations += max(array.size for array in arrays)
    step = shortest(tiles.gradients)
    LINES.append(
        f"{workload}: {step / RUNS * 1e6:.2f} µs a run and gradient; "
        f"{operations / arithmetic / RUNS * 1e6:.2f} for its {operations / RUNS:.0f} operations at "
        f"{arithmetic / 1e9:.0f} GFLOP/s, {moved / traffic / RUNS * 1e6:.2f} for its "
        f"{moved / RUNS / 1000:.0f} kB at {traffic / 1e9:.0f} GB/s"
    )
    benchmark.pedantic(lambda: None)  # the times are in the lines
