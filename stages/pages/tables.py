"""The tables of a page, each from the file that a stage wrote."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stages.figures.checks.variants import colour, is_light
from stages.pages.cells import Cell, Table, Value, cell, rows_of, setting_in_a_line, table
from stages.task.variants import Variant

Metrics = Mapping[str, Any]

NAMES_OF_KERNELS = {"pinned": "AVX2, the same everywhere", "native": "this processor's own"}
PACKAGES = (
    *("numpy", "torch", "dvc", "pyarrow", "safetensors", "joblib", "pydantic"),
    *("matplotlib", "contourpy", "pillow", "Jinja2"),
)


def variants(rows: Sequence[Variant]) -> Table:
    """Every variant of every optimizer, and how far it is from torch's in two arithmetics."""
    columns = ["optimizer", "hyperparameters", "IEEE 754", "native"]
    content = [
        [cell(row.optimizer), cell(row.variant or "defaults"), *_differences(row)] for row in rows
    ]
    if any(row.first_difference for row in rows):
        columns.append("first step that differs")
        for line, row in zip(content, rows, strict=True):
            line.append(cell(row.first_difference or None))
    caption = (
        "Largest difference from torch.optim, in units in the last place: with torch held to the "
        "arithmetic of IEEE 754, and with torch's native kernels"
    )
    return Table(caption, columns, content)


def _differences(row: Variant) -> list[Cell]:
    if row.ulp_ieee is None:
        return [Cell("no reference"), Cell("no reference")]
    native = cell(row.ulp_native) if row.ulp_native is not None else Cell("diverges")
    return [
        _filled(cell(row.ulp_ieee), colour(row.ulp_ieee)),
        _filled(native, colour(row.ulp_native)),
    ]


def _filled(content: Cell, fill: str) -> Cell:
    return Cell(content.text, content.exact, fill, "#000000" if is_light(fill) else "#ffffff")


def _measured(
    caption: str, kind: str, columns: Mapping[str, str], metrics: Mapping[str, Metrics]
) -> Table:
    """A row for each thing that was measured; columns: their headers by the names of metrics."""
    rows: list[list[Value]] = [[name, *map(found.get, columns)] for name, found in metrics.items()]
    return table(caption, [kind, *columns.values()], rows)


def own(metrics: Mapping[str, Metrics]) -> Table | None:
    """What holds for the user's own optimizers by themselves; None if there are none."""
    columns = {
        "variants": "variants",
        "ulp_repeated": "run again",
        "ulp_runs": "among many runs",
        "descending": "variants that descend",
    }
    caption = "Your own optimizers, by themselves: differences in units in the last place"
    found = {name: each for name, each in metrics.items() if "ulp_repeated" in each}
    return _measured(caption, "optimizer", columns, found) if found else None


def quality(task: str, metrics: Metrics) -> Table:
    """How good the twins of a task are after training."""
    twins = [metrics.get(twin, {}) for twin in ("numpy", "torch")]
    rows: list[list[Value]] = []
    for name in dict.fromkeys(name for twin in twins for name in twin):
        values = [twin.get(name) for twin in twins]
        if name == "diverged_step":  # 0 if it did not
            if any(values):
                rows.append(["diverged at step", *(value or None for value in values), None])
            continue
        apart = None if None in values else abs(values[0] - values[1])
        rows.append([name.replace("_", " ").replace(" r2", " R²"), *values, apart])
    caption = f"The twins of {task} after training"
    return table(caption, ["measure", "NumPy", "PyTorch", "difference"], rows)


def apart(task: str, metrics: Metrics) -> Table:
    """How far apart the twins of a task are."""
    drift = metrics.get("drift", {})
    rows: list[list[Value]] = [
        ["parameters, relative", drift.get("parameters")],
        ["parameters, in units in the last place", drift.get("parameters_ulp")],
        ["losses, relative", drift.get("loss")],
    ]
    return table(f"How far apart the twins of {task} are", ["measure", "at most"], rows)


def gradients(kind: str, metrics: Mapping[str, Metrics]) -> Table:
    """The gradients of all operations or all models; kind: "operation" or "model"."""
    columns = {
        "cases": "cases",
        "ulp": "ulp",
        "relative_error": "relative error",
        "difference_quotient": "central differences",
        "ulp_float32": "ulp, float32",
        "relative_error_float32": "relative error, float32",
    }
    caption = f"Gradients of each {kind} against torch.autograd, and against central differences"
    named = {name.replace("_", " "): found for name, found in metrics.items()}
    return _measured(caption, kind, columns, named)


def training(metrics: Mapping[str, Metrics]) -> Table:
    """The trainings that are compared step by step."""
    columns = {
        "steps": "steps, same kernels",
        "ulp_ieee": "ulp",
        "first_difference": "first step that differs",
        "drift_steps": "steps, native kernels",
        "drift": "drift at the end",
        "largest_drift": "largest drift",
    }
    caption = "Whole trainings against torch: bit for bit with the same kernels, and their drift"
    shown = {  # 0: no step differs
        name: {**found, "first_difference": found.get("first_difference") or None}
        for name, found in metrics.items()
    }
    return _measured(caption, "optimizer", columns, shown)


def sweep(task: str, metrics: Mapping[str, Metrics]) -> Table:
    """The best setting of each optimizer, the best optimizer first."""
    columns = {
        "train_loss": "train loss",
        "test_loss": "test loss",
        "test_accuracy": "test accuracy",
        "spread": "quartile spread",
        "lr_width": "decades of good lr",
        "trainings": "trainings",
        "diverged": "diverged",
    }
    found = {name: each for name, each in metrics.items() if "trainings" in each}
    shown = [key for key in columns if any(key in each for each in found.values())]
    rows = [
        [cell(name), cell(_setting(each.get("best"))), *(cell(each.get(key)) for key in shown)]
        for name, each in sorted(found.items(), key=lambda item: _loss(item[1]))
    ]
    caption = f"{task}: the best setting of each optimizer, medians over the seeds"
    return Table(caption, ["optimizer", "best setting", *(columns[key] for key in shown)], rows)


def _setting(best: Mapping[str, object] | None) -> str | None:
    if best is None:
        return None
    return setting_in_a_line(best) if best else "as given"  # where only the seeds are swept


def _loss(metrics: Metrics) -> float:
    loss = metrics.get("train_loss")
    return float("inf") if loss is None else loss


def parameters(section: str, content: object) -> Table:
    """A section of params.yaml, a row for each value."""
    caption = f"params.yaml: {section}" if section else "params.yaml"
    return table(caption, ["parameter", "value"], list(rows_of(content)))


def versions() -> Table:
    """What the page was made with; a package that is not installed has no version."""
    rows: list[list[Value]] = [
        ["Python", ".".join(platform.python_version_tuple()[:2])],
        ["system", f"{platform.system()} {platform.machine()}"],
        ["kernels", NAMES_OF_KERNELS[os.environ.get("KERNELS", "native")]],
    ]
    rows += [[name, _version(name)] for name in PACKAGES]
    return table("Made with", ["package", "version"], rows)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
