"""Every optimizer against torch.optim, step by step, on y = p · x².

Each step takes the next x, asks both sides for the gradients of y, and lets both optimizers move
their own p. torch computes with the arithmetic of IEEE 754 here, see stages/reference/ieee.py.
"""

from stages.reference.ieee import IEEESquareRoot  # isort: skip  # chooses torch's kernels

from collections.abc import Iterator, Sequence
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
from stages.task.optimizers import Hyperparameters
from stages.task.params import OptimizerChecks, read_parameters

Variants = Sequence[Hyperparameters]
Steps = Iterator[NDArray[np.float64]]


def main(checks: OptimizerChecks) -> None:
    """Writes metrics/optimizers.json, for each class the worst of its variants.

    ulp_ieee, gradients_ulp_ieee: how far p, and dy/dp and dy/dx, are from torch's at any step,
        in units in the last place; 0 is equality bit for bit
    first_difference: the first step at which p differs, 0 if it never does
    """
    import_compiler_on_demand()
    x = np.resize(np.random.default_rng(checks.seed).random(checks.samples), checks.steps)
    metrics = {}
    for name, variants in checks.variants:
        if not variants:
            continue
        ours = np.array(list(numpy_steps(name, variants, checks.start, x)))
        theirs = np.array(list(torch_steps(name, variants, checks.start, x)))
        differing = np.flatnonzero((ours[:, 0] != theirs[:, 0]).any(axis=1))
        metrics[OPTIMIZERS[name].__name__] = {
            "variants": len(variants),
            "steps": checks.steps,
            "ulp_ieee": ulp_difference(ours[:, 0], theirs[:, 0]),
            "gradients_ulp_ieee": ulp_difference(ours[:, 1:], theirs[:, 1:]),
            "first_difference": int(differing[0]) + 1 if len(differing) else 0,
        }
    write_metrics(Path("metrics", "optimizers.json"), metrics)


def numpy_steps(name: str, variants: Variants, start: float, x: NDArray[np.float64]) -> Steps:
    """(3, variants) after each step: p, dy/dp and dy/dx, by the graph and our optimizer."""
    graph = Graph(runs=len(variants))
    p_node, x_node = graph.parameter("p", ()), graph.parameter("x", ())
    program = graph.compile(p_node * x_node**2, differentiate=True)
    p, dy_dp = graph.parameters[:, :1], graph.gradients[:, :1]
    optimizers = [OPTIMIZERS[name](**variant.model_dump()) for variant in variants]
    p[:] = start
    for x_now in x:
        graph.parameters[:, 1] = x_now
        program.forward()
        program.backward()
        for run, optimizer in enumerate(optimizers):
            optimizer(p[run], dy_dp[run])
        yield np.stack([p[:, 0], *graph.gradients.T])


def torch_steps(name: str, variants: Variants, start: float, x: NDArray[np.float64]) -> Steps:
    """The same by autograd and torch.optim."""
    p = [torch.tensor(start, dtype=torch.float64, requires_grad=True) for _ in variants]
    optimizers = [
        TORCH_OPTIMIZERS[name]([own], foreach=False, **variant.model_dump())
        for own, variant in zip(p, variants, strict=True)
    ]
    for x_now in x:
        x_each = torch.full((len(p),), x_now, dtype=torch.float64, requires_grad=True)
        (torch.stack(p) * x_each**2).sum().backward()
        with IEEESquareRoot():
            for optimizer in optimizers:
                optimizer.step()
        dy_dp = [own.grad.item() for own in p if own.grad is not None]
        assert x_each.grad is not None
        yield np.stack([[own.item() for own in p], dy_dp, x_each.grad.numpy()])
        for optimizer in optimizers:
            optimizer.zero_grad()


if __name__ == "__main__":
    with plain_errors():
        main(read_parameters().checks.optimizers)
