"""The schema of params.yaml, and its only reader.

Every mistake in the file is reported at once, each as one line with the full key, the value that
is there and what would be right.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from annotated_types import MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from stages.params.errors import InputError, Section, describe, shown
from stages.params.values import (
    Count,
    Flag,
    Moments,
    Number,
    Seed,
    Step,
    Text,
    count_or_fraction,
    count_or_full,
)
from stages.sweeps.grammar import Sweep
from stages.training.hyperparameters import (
    SGD,
    Adam,
    Hyperparameters,
    Optimizers,
    OwnVariants,
    Scope,
    Variants,
)

# -------------------------------------------------------------------------------------- tasks


class Generator(Section):
    """Data that the function `generate` of a module makes."""

    source: Text
    options: dict[str, Any] = Field(default_factory=dict)
    seed: Seed

    @field_validator("source")
    @classmethod
    def _has_a_known_suffix(cls, source: str) -> str:
        if not source.endswith(".py"):
            raise ValueError(
                f"must be a module (.py) or a table (.csv, .parquet), got {shown(source)}"
            )
        return source


class OwnTable(Section):
    """Data that is in a table of the user's own."""

    source: Text
    features: Annotated[tuple[Text, ...], Field(description="a list of columns")]
    target: Text

    @field_validator("features")
    @classmethod
    def _features_differ(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if not features:
            raise ValueError("must name at least one column, got []")
        repeated = sorted({name for name in features if features.count(name) > 1})
        if repeated:
            raise ValueError(f"must name each column once, got {', '.join(repeated)} again")
        return features

    @field_validator("target")
    @classmethod
    def _target_is_no_feature(cls, target: str, info: ValidationInfo) -> str:
        if target in info.data.get("features", ()):
            raise ValueError(f"must not be one of the features, got {shown(target)}")
        return target


def _data(value: object) -> Generator | OwnTable:
    source = str(value.get("source")) if isinstance(value, dict) else ""
    section = OwnTable if source.endswith((".csv", ".parquet")) else Generator
    return section.model_validate(value)


class Split(Section):
    """Which samples test, and which train."""

    test: Annotated[
        int | float,
        BeforeValidator(count_or_fraction),
        Field(description="a whole number of at least 1, or a fraction between 0 and 1"),
    ]
    seed: Seed
    standardize: Flag


class Model(Section):
    """A network of linear layers with an activation between them, and its loss."""

    hidden: Annotated[
        tuple[Count, ...], Field(description="a list of layer widths, [] for a linear model")
    ]
    activation: Literal["relu", "tanh", "sigmoid"]
    loss: Literal["half_mse", "cross_entropy"]
    initialization: Literal["uniform01", "torch_linear"]
    dtype: Literal["float64", "float32"]


class Training(Section):
    """How long, in which batches, and from which start a model trains."""

    epochs: Count
    batch_size: Annotated[
        int | Literal["full"],
        BeforeValidator(count_or_full),
        Field(description="a whole number of at least 1, or full"),
    ]
    seed: Seed
    snapshots: Moments


class Task(Section):
    """Data, a model, and how it learns."""

    data: Annotated[
        Generator | OwnTable,
        BeforeValidator(_data),
        Field(
            description="a section with the keys source, options, seed or source, features, target"
        ),
    ]
    split: Split
    model: Model
    training: Training
    device: Literal["cpu", "cuda"]
    optimizers: Optimizers  # before `optimizer`, whose validation needs it
    optimizer: Text
    sweep: Sweep

    @field_validator("optimizer")
    @classmethod
    def _optimizer_has_hyperparameters(cls, optimizer: str, info: ValidationInfo) -> str:
        if "optimizers" in info.data:
            given = [name for name, values in info.data["optimizers"] if values is not None]
            if optimizer not in given:
                raise ValueError(
                    f"must be a key of optimizers ({', '.join(given) or 'there is none'}); "
                    f"got {shown(optimizer)}"
                )
        return optimizer

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The hyperparameters of the selected optimizer."""
        selected = getattr(self.optimizers, self.optimizer)
        assert isinstance(selected, Hyperparameters)
        return selected


# ------------------------------------------------------------------------------------- checks


class GradientChecks(Section):
    """The random operands on which gradients are compared, and the step of central differences."""

    seed: Seed
    step: Step


@dataclass(frozen=True)
class Case:
    """A variant of an optimizer to check.

    name: of the optimizer
    variant: its hyperparameters, as a text
    place: its keys in params.yaml, for messages
    """

    name: str
    variant: str
    hyperparameters: Hyperparameters
    place: str

    @property
    def scope(self) -> Scope:
        return self.hyperparameters.scope

    @property
    def has_reference(self) -> bool:
        return self.hyperparameters.by_torch is not None


class TrainedOptimizers(Section):
    """The optimizers of the trainings that are compared, by the names of their classes."""

    sgd: Annotated[SGD, Field(alias="SGD")]  # type: ignore[valid-type]
    adam: Annotated[Adam, Field(alias="Adam")]  # type: ignore[valid-type]


class TrainingChecks(Section):
    """The trainings that are compared with torch's step by step."""

    task: Text
    steps: Count
    drift_steps: Count
    optimizers: TrainedOptimizers


class OptimizerChecks(Section):
    """The objective on which the optimizers are compared with those of torch."""

    start: Number
    samples: Count
    steps: Count
    seed: Seed
    variants: Variants

    def cases(self) -> list[Case]:
        """The variants of all optimizers, one after the other."""
        return [
            Case(
                name,
                " ".join(f"{key}={shown(value)}" for key, value in hyperparameters.given().items()),
                hyperparameters,
                f"params.yaml: checks.optimizers.variants.{name}",
            )
            for name, variants in self.variants
            for hyperparameters in (
                variants.each() if isinstance(variants, OwnVariants) else variants
            )
        ]


class Checks(Section):
    """What is compared with torch beside the tasks."""

    gradients: GradientChecks
    training: TrainingChecks
    optimizers: OptimizerChecks


def _task_name(name: str) -> str:
    # metrics/gradients.json and the like are those of the checks.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or name in Checks.model_fields:
        raise ValueError(
            "is no name for a task: it must be letters, digits, _ and -, begin with a letter, "
            f"and not be one of {', '.join(Checks.model_fields)}"
        )
    return name


TaskName = Annotated[str, AfterValidator(_task_name)]


class Parameters(Section):
    """The content of params.yaml."""

    tasks: Annotated[
        dict[TaskName, Task], MinLen(1), Field(description="a section with a key for each task")
    ]
    checks: Checks


# --------------------------------------------------------------------------------------- file


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice, where YAML's own would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is given twice", problem_mark=key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_parameters(path: str | Path = "params.yaml") -> Parameters:
    """The parameters in the file at `path`.

    Raises InputError that names every mistake in it, one line each.
    """
    try:
        content = yaml.load(Path(path).read_bytes(), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this in the root of the project") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    try:
        return Parameters.model_validate(content)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{path}: ")) from None
