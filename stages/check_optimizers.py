"""Every optimizer against torch.optim, step by step, on the seed's y = p · x².

Each step takes the next x, asks both sides for the gradients of y, and lets both optimizers move
their own p. torch computes with the arithmetic of IEEE 754 here, see stages/reference/ieee.py.
"""

from stages.reference.ieee import IEEESquareRoot  # isort: skip  # chooses torch's kernels

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stages.comparison.difference import ulp_difference
from stages.graph import Graph
from stages.optim import OPTIMIZERS
from stages.reference.eager import import_compiler_on_demand
from stages.reference.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS
from stages.task.command import plain_errors
from stages.task.files import write_metrics
from stages.task.params import SGD, Adam, OptimizerChecks, read_parameters

Trajectory = Iterator[tuple[float, ...]]
Hyperparameters = SGD | Adam


def main(checks: OptimizerChecks) -> None:
    """Writes metrics/optimizers.json, for each class the worst of its variants.

    ulp_ieee, gradients_ulp_ieee: how far p, and dy/dp and dy/dx, are from torch's at any step,
        in units in the last place; 0 is equality bit for bit
    first_difference: the first step at which p differs, 0 if it never does
    """
    import_compiler_on_demand()
    x = np.random.default_rng(checks.seed).random(checks.samples)
    metrics = {}
    for name, variants in checks.variants:
        results = [_compare(name, variant, checks, x) for variant in variants]
        differing = [step for _, _, step in results if step]
        metrics[OPTIMIZERS[name].__name__] = {
            "variants": len(variants),
            "steps": checks.steps,
            "ulp_ieee": max(parameters for parameters, _, _ in results),
            "gradients_ulp_ieee": max(gradients for _, gradients, _ in results),
            "first_difference": min(differing, default=0),
        }
    write_metrics(Path("metrics", "optimizers.json"), metrics)


def _compare(
    name: str, variant: Hyperparameters, checks: OptimizerChecks, x: NDArray[np.float64]
) -> tuple[int, int, int]:
    """ULPs between the parameters and between the gradients, and the first differing step."""
    ours = np.array(list(_numpy(name, variant, checks, x)))
    theirs = np.array(list(_torch(name, variant, checks, x)))
    differs = np.flatnonzero(ours[:, 0] != theirs[:, 0])
    return (
        ulp_difference(ours[:, 0], theirs[:, 0]),
        ulp_difference(ours[:, 1:], theirs[:, 1:]),
        int(differs[0]) + 1 if len(differs) else 0,
    )


def _numpy(
    name: str, variant: Hyperparameters, checks: OptimizerChecks, x: NDArray[np.float64]
) -> Trajectory:
    """(p, dy/dp, dy/dx) after each step, by the graph and our optimizer."""
    graph = Graph()
    p_node, x_node = graph.parameter("p", ()), graph.parameter("x", ())
    program = graph.compile(p_node * x_node**2, differentiate=True)
    p, dy_dp = graph.parameters[:, :1], graph.gradients[:, :1]
    optimizer = OPTIMIZERS[name](**variant.model_dump())
    p[:] = checks.start
    for step in range(checks.steps):
        graph.parameters[:, 1] = x[step % len(x)]
        program.forward()
        program.backward()
        optimizer(p, dy_dp)
        yield p.item(), *graph.gradients[0].tolist()


def _torch(
    name: str, variant: Hyperparameters, checks: OptimizerChecks, x: NDArray[np.float64]
) -> Trajectory:
    """(p, dy/dp, dy/dx) after each step, by autograd and torch.optim."""
    p = torch.tensor(checks.start, dtype=torch.float64, requires_grad=True)
    optimizer = TORCH_OPTIMIZERS[name]([p], foreach=False, **variant.model_dump())
    for step in range(checks.steps):
        x_step = torch.tensor(x[step % len(x)], requires_grad=True)
        (p * x_step**2).backward()
        with IEEESquareRoot():
            optimizer.step()
        yield p.item(), _gradient(p), _gradient(x_step)
        optimizer.zero_grad()


def _gradient(tensor: torch.Tensor) -> float:
    assert tensor.grad is not None
    return tensor.grad.item()


if __name__ == "__main__":
    with plain_errors():
        main(read_parameters().checks.optimizers)
