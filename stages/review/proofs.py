"""What the metrics of a revision prove of its twins: how far apart they are, to the last bit."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stages.review.differences import MISSING

Metrics = Mapping[str, object]

DRIFT = re.compile(r"metrics/([^/]+)\.json:drift\.(\w+)")

KINDS = ("parameters", "parameters_ulp", "loss")

# The metrics that are 0 where two results are equal to the last bit.
BITS = re.compile(r"metrics/(optimizers|training)\.json:.*\.ulp_(ieee|repeated|runs)")

CHECKS: Mapping[str, tuple[str, Callable[[list[Any]], object]]] = {
    "classes of optimizers": (r"optimizers\.json:.*\.variants", len),
    "their variants": (r"optimizers\.json:.*\.variants", sum),
    "largest difference from torch in IEEE arithmetic, in ULP": (
        r"optimizers\.json:.*\.ulp_ieee",
        max,
    ),
    "whole trainings with torch's graph": (r"training\.json:.*\.ulp_ieee", len),
    "their largest difference, in ULP": (r"training\.json:.*\.ulp_ieee", max),
    "gradients that are compared": (r"gradients\.json:.*\.cases", sum),
    "their largest relative error": (r"gradients\.json:.*\.relative_error", max),
}


def drifts(metrics: Metrics) -> dict[str, dict[str, object]]:
    """How far apart the twins of each task are after their training, by the kind of difference."""
    found: dict[str, dict[str, object]] = {}
    for name, value in metrics.items():
        if match := DRIFT.fullmatch(name):
            drift = found.setdefault(match[1], dict.fromkeys(KINDS, MISSING))
            drift[match[2]] = value
    return found


def checks(metrics: Metrics) -> dict[str, object]:
    """What the checks found, in a few numbers by name; None where one of them is not a number."""
    found = {}
    for name, (pattern, reduce) in CHECKS.items():
        pattern = f"metrics/{pattern}"
        values = [value for key, value in metrics.items() if re.fullmatch(pattern, key)]
        if values:
            found[name] = reduce(values) if None not in values else None
    return found


def bits_differ(metrics: Metrics) -> dict[str, object] | None:
    """What is to be equal bit for bit and is not, by metric; None if nothing was compared."""
    compared = {name: value for name, value in metrics.items() if BITS.fullmatch(name)}
    return {name: value for name, value in compared.items() if value != 0} if compared else None
