"""Every variant of every optimizer on the same gradients as torch.optim.

As a program it runs in IEEE arithmetic, which torch must be told before it is imported, and prints
by how many ULPs the parameters differ at most, for each variant.
"""

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from stages.comparison.difference import ulp_difference
from stages.optim import OPTIMIZERS

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {}),
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.1, "momentum": 0.6}),
    ("sgd", {"lr": 0.1, "momentum": 0.6, "dampening": 0.3}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": -0.5}),
    ("sgd", {"lr": 0.1, "dampening": 0.3}),
    ("sgd", {"lr": 0.1, "momentum": 0.6, "nesterov": True}),
    ("sgd", {"lr": 0.1, "weight_decay": 0.01}),
    ("sgd", {"lr": 0.1, "maximize": True}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("adam", {}),
    ("adam", {"lr": 0.1}),
    ("adam", {"lr": 0.1, "betas": (0.5, 0.9)}),
    ("adam", {"lr": 0.1, "betas": (0.3, 0.99)}),
    ("adam", {"lr": 0.1, "betas": (0.0, 0.9)}),
    ("adam", {"lr": 0.1, "betas": (0.9, 0.0)}),
    ("adam", {"lr": 0.1, "eps": 0.001}),
    ("adam", {"lr": 0.1, "eps": 1e-30}),
    ("adam", {"lr": 0.1, "weight_decay": 0.01}),
    ("adam", {"lr": 0.1, "amsgrad": True}),
    ("adam", {"lr": 0.1, "maximize": True}),
    ("adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("adam", {"betas": (0.8, 0.99), "weight_decay": 0.1, "amsgrad": True, "maximize": True}),
]
PARAMETERS, STEPS = 101, 300  # an odd number, which no vector register divides


def gradients(dtype: str) -> np.ndarray:
    """(STEPS, PARAMETERS), of sizes from 1e-6 to 1e3, some of them 0."""
    random = np.random.default_rng(1)
    sizes = 10.0 ** random.integers(-6, 3, (STEPS, 1))
    signs = random.integers(-1, 2, (STEPS, PARAMETERS))
    return (signs * random.random((STEPS, PARAMETERS)) * sizes).astype(dtype)


def trajectories(
    name: str,
    variant: dict[str, Any],
    dtype: str,
    arithmetic: AbstractContextManager[Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The parameters after each step, (STEPS, PARAMETERS): ours and torch's."""
    import torch

    from stages.reference.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS

    parameters = np.random.default_rng(2).normal(size=PARAMETERS).astype(dtype)
    theirs = torch.tensor(parameters, requires_grad=True)
    optimizer = OPTIMIZERS[name](**variant)
    torch_optimizer = TORCH_OPTIMIZERS[name]([theirs], foreach=False, **variant)
    kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for gradient in gradients(dtype):
        optimizer(parameters, gradient)
        theirs.grad = torch.tensor(gradient)
        with arithmetic or nullcontext():
            torch_optimizer.step()
        kept[0].append(parameters.copy())
        kept[1].append(theirs.detach().numpy().copy())
    return np.array(kept[0]), np.array(kept[1])


def main() -> None:
    from stages.reference.ieee import IEEESquareRoot

    print(
        json.dumps(
            {
                f"{name} {variant} {dtype}": ulp_difference(
                    *trajectories(name, variant, dtype, IEEESquareRoot())
                )
                for name, variant in VARIANTS
                for dtype in ("float64", "float32")
            }
        )
    )


if __name__ == "__main__":
    main()
