"""The schema of params.yaml as a whole.

Every mistake in the file is reported at once, each as one line with the full key, the value that
is there and what would be right. Each section is described where its idea lies: that of the samples
in samples/, that of the sweeps in sweeps/.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator

from stages.task.checks import GradientChecks, OptimizerChecks, TrainingChecks
from stages.task.errors import InputError, shown, unknown
from stages.task.files import CODE, PARAMETERS, read_content
from stages.task.grammar import LearningRates, Sweep, completed
from stages.task.hyperparameters import Optimizers
from stages.task.model import Model, torch_twin
from stages.task.parts import Split
from stages.task.section import Mistake, Section, describe, wrong
from stages.task.source import Source
from stages.task.training import Training
from stages.task.values import Text


class Task(Section):
    """Data, a model, and how it learns."""

    data: Source
    split: Split
    model: Model
    training: Training
    optimizers: Optimizers  # before `optimizer`, whose validation needs it
    optimizer: Text

    @field_validator("model")
    @classmethod
    def _functions_are_there_and_take_their_options(cls, model: Model) -> Model:
        mistakes = list[Mistake]()
        own_loss = model.own_loss and model.own_loss[0]
        for key, source, arguments in (
            ("source", model.source, model.arguments),
            ("loss", own_loss, model.loss_arguments),
        ):
            try:
                arguments()
            except InputError as error:
                mistakes.append(((key,), str(error)))
            except ValidationError as failure:
                place = "options" if key == "source" else "loss_options"
                errors = failure.errors(include_url=False)
                mistakes += [((place, *error["loc"]), error["msg"]) for error in errors]
            else:
                if source and not Path(torch_twin(source)).is_file():
                    words = f"{source}: must have its twin beside it, but there is no file "
                    mistakes.append(((key,), words + torch_twin(source)))
        if mistakes:
            raise wrong(*mistakes)
        return model

    @field_validator("optimizer")
    @classmethod
    def _optimizer_has_hyperparameters(cls, optimizer: str, info: ValidationInfo) -> str:
        if "optimizers" in info.data:
            given = [name for name, values in info.data["optimizers"] if values is not None]
            if optimizer not in given:
                keys = f" ({', '.join(given)})" if given else ", which has none"
                raise ValueError(f"must be a key of optimizers{keys}; got {shown(optimizer)}")
        return optimizer


class Checks(Section):
    """What is compared with torch besides the tasks."""

    gradients: GradientChecks
    training: TrainingChecks
    optimizers: OptimizerChecks


def _task_name(name: str) -> str:
    # metrics/gradients.json and the like are those of the checks, data/code that of all stages.
    others = (*Checks.model_fields, CODE.name)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or name in others:
        raise ValueError(
            "cannot be the name of a task: it must be letters, digits, _ and -, begin with a "
            f"letter, and not be one of {', '.join(others)}"
        )
    return name


TaskName = Annotated[str, AfterValidator(_task_name)]


class Parameters(Section):
    """The content of params.yaml."""

    tasks: Annotated[
        dict[TaskName, Task], MinLen(1), Field(description="a section with a key for each task")
    ]
    device: Literal["cpu", "cuda"]
    learning_rates: LearningRates
    sweeps: Annotated[
        dict[str, Any], Field(description="a section with a key for each task that is swept")
    ]
    checks: Checks

    @field_validator("sweeps")
    @classmethod
    def _sweeps_are_of_tasks(cls, sweeps: dict[str, Any], info: ValidationInfo) -> dict[str, Sweep]:
        rates, tasks = info.data.get("learning_rates"), info.data.get("tasks")
        found, mistakes = {}, list[Mistake]()
        for task, sweep in sweeps.items():
            if tasks is not None and task not in tasks:
                mistakes.append(((task,), unknown("task", task, tasks)))
                continue
            if rates is None:  # they have mistakes of their own
                continue
            try:
                found[task] = Sweep.model_validate(completed(sweep, rates))
                if tasks is not None and tasks[task].training.seed + found[task].seeds > 2**63:
                    # The table of its runs has them as 64-bit integers.
                    first = shown(tasks[task].training.seed)
                    words = f"must be below 2**63, counted from training.seed; that is {first}"
                    mistakes.append(((task, "seeds"), words))
            except ValidationError as failure:
                mistakes += [((task, *error["loc"]), error["msg"]) for error in failure.errors()]
        if mistakes:
            raise wrong(*mistakes)
        return found

    @field_validator("checks")
    @classmethod
    def _checked_training_is_that_of_a_task(cls, checks: Checks, info: ValidationInfo) -> Checks:
        tasks = info.data.get("tasks")
        if tasks is not None and checks.training.task not in tasks:
            raise wrong((("training", "task"), unknown("task", checks.training.task, tasks)))
        return checks


def validated(content: Any, path: str | Path) -> Parameters:
    """The content of a file as parameters.

    Raises InputError that names every mistake in it, one line each.
    """
    try:
        return Parameters.model_validate(content)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{path}: ")) from None


def read_parameters(path: str | Path = PARAMETERS) -> Parameters:
    """All parameters in the file at `path`. Raises InputError as `validated` does."""
    return validated(read_content(path), path)
