"""Whole trainings against torch: bit for bit with the same kernels, and the drift of native ones.

A task's model learns from all of its training samples at every step, here with our graph and our
optimizer, there with torch's autograd and torch.optim. With leaf kernels that compute as our graph
does, and in the arithmetic of IEEE 754, no bit may differ. With its own kernels torch adds up in
another order; each step carries on what the last one rounded differently, and the two drift apart.

torch works in processes of its own meanwhile: its arithmetic is chosen once for a process.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.files.files import Files, History, read_table, write_history, write_metrics
from stages.models.mlp import network
from stages.params.command import plain_errors
from stages.params.errors import InputError, unknown
from stages.proofs.claims import claims_of_training, say_what_fails
from stages.proofs.difference import ulp_difference
from stages.reference.process import start
from stages.schema.parameters import Task, TrainingChecks, read_parameters
from stages.training.plan import initial_parameters, layer_sizes

Array = NDArray[Any]
Values = Mapping[str, Any]

PLACE = "params.yaml: checks.training"
LINES = 300  # of the plot, at most


def main(checks: TrainingChecks, tasks: Mapping[str, Task]) -> None:
    """Writes metrics/training.json, by optimizer, and plots/training/drift.csv; says what differs.

    ulp_ieee: how far a parameter is from torch's with the same kernels after any of the `steps`, in
        units in the last place; 0 is equality bit for bit
    first_difference: the first step after which a bit differs, 0 if there is none
    drift, largest_drift: how far the parameters are from those of native torch after the last of
        the `drift_steps`, and at most after any, see `relative_drift`
    """
    if checks.task not in tasks:
        raise InputError(f"{PLACE}.task: {unknown('task', checks.task, tasks)}")
    model, arrays = given(checks.task, tasks[checks.task])
    optimizers = {type(values).__name__: values.model_dump() for _, values in checks.optimizers}
    ieee = model | {"optimizers": optimizers, "steps": checks.steps, "leaves": True}
    native = model | {"optimizers": optimizers, "steps": checks.drift_steps, "leaves": False}
    metrics, shown = {}, plotted(checks.drift_steps)
    plot: History = {"step": shown.tolist()}
    with (
        start("stages.proofs.training_torch", "ieee", ieee, arrays) as torch_ieee,
        start("stages.proofs.training_torch", "native", native, arrays) as torch_native,
    ):
        steps = max(checks.steps, checks.drift_steps)
        ours = {
            name: np.array(list(numpy_steps(name, values, steps, model, arrays)))
            for name, values in optimizers.items()
        }
        equal, drifting = torch_ieee.result(), torch_native.result()
    for name in optimizers:
        drift = relative_drift(ours[name][: checks.drift_steps], drifting[name])
        if not np.isfinite(drift).all():
            step = np.argmin(np.isfinite(drift)) + 1
            raise InputError(f"{PLACE}.optimizers.{name}: the training diverges at step {step}")
        first = ours[name][: checks.steps]
        differing = np.flatnonzero((bits(first) != bits(equal[name])).any(axis=1))
        metrics[name] = {
            "steps": checks.steps,
            "ulp_ieee": ulp_difference(first, equal[name]),
            "first_difference": int(differing[0]) + 1 if len(differing) else 0,
            "drift_steps": checks.drift_steps,
            "drift": drift[-1].item(),
            "largest_drift": drift.max().item(),
        }
        plot[name] = drift[shown - 1].tolist()
    write_metrics(Path("metrics", "training.json"), metrics)
    say_what_fails(claims_of_training(metrics))
    write_history(Path("plots", "training", "drift.csv"), plot)


def given(name: str, task: Task) -> tuple[dict[str, Any], dict[str, Array]]:
    """What both sides train from, as stages/proofs/training_torch.py takes it: model and arrays."""
    train = read_table(Files(name).train)
    sizes, dtype = layer_sizes(task.model, train), task.model.dtype
    model = {
        "sizes": sizes,
        "activation": task.model.activation,
        "loss": task.model.loss,
        "dtype": dtype,
    }
    target = train.target if train.classes is not None else train.target[:, None].astype(dtype)
    arrays = {"x": train.features.astype(dtype), "target": target}
    seed = task.training.seed
    return model, arrays | initial_parameters(sizes, task.model.initialization, dtype, seed)


def numpy_steps(
    name: str, hyperparameters: Values, steps: int, model: Values, arrays: Mapping[str, Array]
) -> Iterator[Array]:
    """(n,) after each step: the parameters in one row, by our graph and our optimizer."""
    net = network(**model)
    for key, values in net.graph.views(net.graph.parameters).items():
        np.copyto(values, arrays[key])
    # In one piece, not in tiles: the leaf kernels know of none.
    program = net.graph.compile(net.loss, samples=len(arrays["x"]), differentiate=True)
    program.feed(x=arrays["x"][None], target=arrays["target"][None])
    optimizer = getattr(optim, name)(**hyperparameters)
    with np.errstate(all="ignore"):  # of one that diverges
        for _ in range(steps):
            program.forward()
            program.backward()
            optimizer(net.graph.parameters, net.graph.gradients)
            yield net.graph.parameters[0].copy()


def relative_drift(ours: Array, theirs: Array) -> Array:
    """‖ours - theirs‖ / ‖ours‖ for each step, from (steps, n); not finite where a parameter is not.

    Of all parameters as one vector: a single one passes through 0 now and then, and there the
    smallest difference is a large part of it.
    """
    with np.errstate(all="ignore"):
        drift: Array = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(ours, axis=1)
    return drift


def plotted(steps: int) -> NDArray[np.int64]:
    """The steps of the plot, from 1 to the last, each the same factor after the one before."""
    return np.unique(np.geomspace(1, steps, LINES).round().astype(np.int64))


def bits(values: Array) -> Array:
    """The values as integers that are equal where every bit is."""
    return values.view(f"i{values.itemsize}")


if __name__ == "__main__":
    with plain_errors():
        parameters = read_parameters()
        main(parameters.checks.training, parameters.tasks)
