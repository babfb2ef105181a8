"""What the metrics of a revision prove of its twins: how far apart they are, and what holds."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stages.pages.verdict import Sentence, sentences
from stages.review.differences import MISSING
from stages.review.revision import Revision
from stages.task.errors import InputError

Metrics = Mapping[str, object]

FILE = re.compile(r"metrics/([^/]+)\.json")
TASK = re.compile(r"tasks\.([^.]+)\..*")
DRIFT = re.compile(r"metrics/([^/]+)\.json:drift\.(\w+)")

KINDS = ("parameters", "parameters_ulp", "loss", "cloud")

CHECKS: Mapping[str, tuple[str, Callable[[list[Any]], object]]] = {
    "classes of optimizers": (r"optimizers\.json:.*\.variants", len),
    "their variants": (r"optimizers\.json:.*\.variants", sum),
    "largest difference from torch in IEEE arithmetic, in ULP": (
        r"optimizers\.json:.*\.ulp_ieee",
        max,
    ),
    "whole trainings with torch's graph": (r"training\.json:.*\.ulp_ieee", len),
    "their largest difference, in ULP": (r"training\.json:.*\.ulp_ieee", max),
    "gradients compared": (r"gradients\.json:.*\.cases", sum),
    "their largest relative error": (r"gradients\.json:.*\.relative_error", max),
}


def drifts(metrics: Metrics) -> dict[str, dict[str, object]]:
    """How far apart the twins of each task are after training, by the kind of difference."""
    found: dict[str, dict[str, object]] = {}
    for name, value in metrics.items():
        if match := DRIFT.fullmatch(name):
            drift = found.setdefault(match[1], dict.fromkeys(KINDS, MISSING))
            drift[match[2]] = value
    return found


def checks(metrics: Metrics) -> dict[str, object]:
    """What the checks found, as a few numbers by name; None where a value is not a number."""
    found = {}
    for name, (pattern, reduce) in CHECKS.items():
        pattern = f"metrics/{pattern}"
        values = [value for key, value in metrics.items() if re.fullmatch(pattern, key)]
        if values:
            found[name] = reduce(values) if None not in values else None
    return found


def claims(revision: Revision) -> list[Sentence]:
    """The claims of the report of a revision, in sentences.

    Raises InputError if a file of metrics is not of the form that the stages write.
    """
    files = {
        match[1]: content
        for path, content in revision.metrics_files.items()
        if (match := FILE.fullmatch(path))
    }
    tasks = dict.fromkeys(match[1] for key in revision.parameters if (match := TASK.fullmatch(key)))
    try:
        return sentences(files, [task for task in tasks if task in files])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{revision.name}: metrics/: must be of the form that the stages write, got {error!r}"
        ) from None
