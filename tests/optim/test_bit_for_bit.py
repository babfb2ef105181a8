"""Variants of the optimizers against torch.optim in IEEE arithmetic: bit for bit.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file replays one sequence of gradients with every variant, and prints those that differ.
"""

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "AdamW": [
        {},
        {"lr": 0.1, "weight_decay": 0.0},
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-30},
        {"lr": 0.1, "betas": (0.3, 0.99), "amsgrad": True},
        {"lr": 0.1, "betas": (0.0, 0.0), "eps": 1e-3, "weight_decay": 0.3},
        {"weight_decay": 0.1, "amsgrad": True, "maximize": True},
    ],
    "Adamax": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-30},
        {"lr": 0.1, "betas": (0.3, 0.0), "eps": 1e-3},
        {"lr": 0.1, "betas": (0.0, 0.99), "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
        {"betas": (0.8, 0.99), "weight_decay": 0.3, "maximize": True},
    ],
    "NAdam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-30},
        {"lr": 0.1, "betas": (0.3, 0.0), "momentum_decay": 0.0},
        {"lr": 0.1, "betas": (0.0, 0.99), "eps": 1e-3, "momentum_decay": 1.0},
        {"lr": 0.1, "betas": (0.99, 0.999), "momentum_decay": 0.05},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"betas": (0.8, 0.99), "weight_decay": 0.3, "maximize": True},
        {"weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RAdam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-30},
        {"lr": 0.1, "betas": (0.3, 0.0)},
        {"lr": 0.1, "betas": (0.9, 0.6)},  # ρ stays below 5
        {"lr": 0.1, "betas": (0.0, 0.7), "eps": 1e-3},  # ρ passes 5 late
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"betas": (0.8, 0.99), "weight_decay": 0.3, "maximize": True},
        {"weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "lr_decay": 0.07},
        {"lr": 0.1, "initial_accumulator_value": 0.3},
        {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.1, "eps": 1e-30, "maximize": True},
        {"lr_decay": 1e-3, "weight_decay": 0.3, "initial_accumulator_value": 2, "maximize": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.1},
        {"rho": 0.3, "eps": 1e-3},
        {"rho": 0.0, "eps": 1e-30},
        {"rho": 1.0},
        {"lr": 0.1, "weight_decay": 0.1},
        {"rho": 0.99, "weight_decay": 0.3, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.9, "eps": 1e-30},
        {"lr": 0.1, "alpha": 0.0, "eps": 1e-3},
        {"lr": 0.1, "alpha": 1.0},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "alpha": 0.3, "centered": True},  # lerp from the other side
        {"alpha": 0.9, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"momentum": 0.9, "centered": True, "weight_decay": 0.3, "maximize": True},
    ],
    "Rprop": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "etas": (0.3, 1.7)},
        {"lr": 0.1, "step_sizes": (1e-3, 0.3)},
        {"lr": 0.1, "step_sizes": (0.3, 0.03)},  # the largest counts
        {"lr": 0.1, "etas": (0.1, 1.3), "step_sizes": (1e-4, 1.0), "maximize": True},
    ],
    "ASGD": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "lambd": 0.3},
        {"lr": 0.1, "lambd": 0.3, "alpha": 0.33},
        {"lr": 0.1, "lambd": 0.0},
        {"lr": 0.1, "t0": 3},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "lambd": 0.05, "alpha": 1.2, "weight_decay": 0.3, "maximize": True},
    ],
}
STEPS, PARAMETERS = 300, 13  # for each kind of gradients; a number that no vector divides
KINDS = ("smooth", "noisy", "zeros", "sign flips", "tiny", "huge", "of all sizes")
ROOT = Path(__file__).resolve().parents[2]


def gradients(dtype: str) -> np.ndarray:
    """(STEPS, KINDS, PARAMETERS)."""
    random = np.random.default_rng(1)
    shape = (STEPS, PARAMETERS)
    noise, size = random.normal(size=shape), random.uniform(0.5, 2, size=shape)
    step = np.arange(STEPS)[:, None]
    kinds = {
        "smooth": np.cos(step / 40 + np.arange(PARAMETERS)),
        "noisy": noise,
        "zeros": noise * random.integers(0, 2, shape) * (np.arange(PARAMETERS) > 0),
        "sign flips": size * (-1.0) ** step,
        "tiny": noise * 1e-30,
        "huge": noise * 1e30,
        "of all sizes": noise * 10.0 ** random.integers(-6, 7, (STEPS, 1)),
    }
    return np.stack([kinds[kind] for kind in KINDS], axis=1).astype(dtype)


def difference(
    name: str, variant: dict[str, Any], dtype: str, arithmetic: AbstractContextManager[Any]
) -> str | None:
    """Where our parameters differ from torch's for the first time, in any bit."""
    import torch

    optimizer = getattr(import_module(f"stages.optim.{name.lower()}"), name)(**variant)
    parameters = np.random.default_rng(2).normal(size=(len(KINDS), PARAMETERS)).astype(dtype)
    parameters[:, ::2] = 0  # where even a tiny step is seen
    start = parameters.copy()
    theirs = torch.tensor(parameters, requires_grad=True)
    torch_optimizer = getattr(torch.optim, name)([theirs], foreach=False, **variant)
    for step, gradient in enumerate(gradients(dtype), 1):
        optimizer(parameters, gradient)
        theirs.grad = torch.tensor(gradient)
        with arithmetic:
            torch_optimizer.step()
        expected = theirs.detach().numpy()
        if parameters.tobytes() != expected.tobytes():
            same = (parameters == expected) & (np.signbit(parameters) == np.signbit(expected))
            same |= np.isnan(parameters) & np.isnan(expected)  # whose bits mean nothing
            if not same.all():
                return f"step {step}, {KINDS[np.argmin(same.all(axis=1))]}"
    moved = (parameters != start).any(axis=1)
    moved[KINDS.index("huge")] = True  # their squares overflow in float32
    return None if moved.all() else f"{KINDS[np.argmin(moved)]}: nothing moves"


def main() -> None:
    """Prints {variant: where it differs, or null}."""
    from stages.reference.ieee import IEEESquareRoot

    with np.errstate(all="ignore"):
        differences = {
            f"{name} {variant} {dtype}": difference(name, variant, dtype, IEEESquareRoot())
            for name, variants in VARIANTS.items()
            for variant in variants
            for dtype in ("float64", "float32")
        }
    print(json.dumps(differences))


def test_every_variant_follows_torch_bit_for_bit() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)
    assert len(differences) == 2 * sum(map(len, VARIANTS.values()))
    assert {variant: where for variant, where in differences.items() if where} == {}


if __name__ == "__main__":
    main()
