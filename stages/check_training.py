"""Whole trainings against torch: bit for bit with the same kernels, and the drift of native ones.

A task's model learns from all of its training samples at every step, here with our graph and our
optimizer, there with torch's autograd and torch.optim. With leaf kernels that compute as our graph
does, and in the arithmetic of IEEE 754, no bit may differ. With its own kernels torch adds up in
another order; each step carries on what the last one rounded differently, and the two drift apart.

torch works in processes of its own meanwhile: its arithmetic is chosen once for a process.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.proofs.claims import claims_of_training, say_what_fails
from stages.proofs.difference import relative_drift, ulp_difference
from stages.proofs.trainings import trainings_of_all
from stages.task.checks import TrainingChecks
from stages.task.command import read_section, run
from stages.task.errors import InputError
from stages.task.files import History, write_history, write_metrics
from stages.task.model import Model

Array = NDArray[Any]

LINES = 300  # of the plot, at most


def main(training: TrainingChecks) -> None:
    """Writes metrics/training.json, by optimizer, and plots/training/drift.csv; says what differs.

    ulp_ieee: how far a parameter is from torch's with the same kernels after any of the `steps`, in
        units in the last place; 0 is equality bit for bit
    first_difference: the first step after which a bit differs, 0 if there is none
    drift, largest_drift: how far the parameters are from those of native torch after the last of
        the `drift_steps`, and at most after any, see `relative_drift`
    """
    task = training.task
    model = read_section(Model, "tasks", task, "model")
    seed = read_section(int, "tasks", task, "training", "seed")
    ours, equal, drifting = trainings_of_all(task, model, seed, training)
    metrics, shown = {}, plotted(training.drift_steps)
    plot: History = {"step": shown.tolist()}
    for name in ours:
        drift = relative_drift(ours[name][: training.drift_steps], drifting[name])
        if not np.isfinite(drift).all():
            step = np.argmin(np.isfinite(drift)) + 1
            raise InputError(
                f"params.yaml: checks.training.optimizers.{name}: the training diverges at "
                f"step {step}"
            )
        first = ours[name][: training.steps]
        differing = np.flatnonzero((bits(first) != bits(equal[name])).any(axis=1))
        metrics[name] = {
            "steps": training.steps,
            "ulp_ieee": ulp_difference(first, equal[name]),
            "first_difference": int(differing[0]) + 1 if len(differing) else 0,
            "drift_steps": training.drift_steps,
            "drift": drift[-1].item(),
            "largest_drift": drift.max().item(),
        }
        plot[name] = drift[shown - 1].tolist()
    write_metrics(Path("metrics", "training.json"), metrics)
    say_what_fails(claims_of_training(metrics))
    write_history(Path("plots", "training", "drift.csv"), plot)


def plotted(steps: int) -> NDArray[np.int64]:
    """The steps of the plot, from 1 to the last, each the same factor after the one before."""
    return np.unique(np.geomspace(1, steps, LINES).round().astype(np.int64))


def bits(values: Array) -> Array:
    """The values as integers that are equal where every bit is."""
    return values.view(f"i{values.itemsize}")


if __name__ == "__main__":
    run(main)
