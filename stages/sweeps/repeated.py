"""How far the runs of a sweep are from the same runs in torch; see repeated_torch.py."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stages.proofs.difference import relative_difference
from stages.reference.process import start
from stages.sweeps.results import Runs

Run = tuple[Runs, int, int]  # an optimizer, the number of a point, the number of a seed


def chosen_runs(gathered: Sequence[Runs], count: int, seed: int) -> list[Run]:
    """Runs that did not diverge, drawn from all optimizers."""
    alive = [np.flatnonzero(runs.results["diverged"] == 0) for runs in gathered]
    owners = np.repeat(np.arange(len(gathered)), [len(rows) for rows in alive])
    rows = np.concatenate(alive)
    drawn = sorted(np.random.default_rng(seed).permutation(len(rows))[:count])
    return [
        (runs, *divmod(int(rows[number]), runs.results["diverged"].shape[1]))
        for number in drawn
        for runs in [gathered[owners[number]]]
    ]


def drift(
    chosen: Sequence[Run], seeds: Sequence[int], given: Mapping[str, Any]
) -> dict[str, float | None]:
    """How far the losses of some runs are from those of the same runs in torch, at most.

    given: what the process in torch has to know besides the runs
    returns: the number of runs, and for each loss the largest relative difference, None if a run
        diverges in torch
    """
    if not chosen:
        return {"runs": 0}
    points = [
        [runs.optimizer, {axis: values[point] for axis, values in runs.points.items()}, seeds[seed]]
        for runs, point, seed in chosen
    ]
    with start("stages.sweeps.repeated_torch", "native", {**given, "runs": points}, {}) as torch:
        theirs = torch.result()
    found: dict[str, float | None] = {"runs": len(chosen)}
    for column in ("train_loss", "test_loss"):
        if column not in theirs:
            continue
        ours = np.array([runs.results[column][point, seed] for runs, point, seed in chosen])
        apart = relative_difference(ours, theirs[column])
        found[column] = apart if math.isfinite(apart) else None
    return found
