"""The sections of `checks`: what is compared with torch besides the tasks."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, field_validator

from stages.task.errors import shown
from stages.task.hyperparameters import SGD, Adam, Choices, OwnVariants, Variants
from stages.task.optimizers import Hyperparameters, Scope
from stages.task.section import Section, wrong
from stages.task.values import Number, Seed, Step, Steps, Text


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

    def by_class(self) -> dict[str, Hyperparameters]:
        """The hyperparameters by the name of the class."""
        return {type(hyperparameters).__name__: hyperparameters for _, hyperparameters in self}


class TrainingChecks(Section):
    """The trainings that are compared with torch's step by step."""

    task: Text
    steps: Steps
    drift_steps: Steps
    optimizers: TrainedOptimizers


class OptimizerChecks(Section):
    """The objective on which the optimizers are compared with those of torch."""

    start: Number
    samples: Steps  # no more are used than there are steps
    steps: Steps
    seed: Seed
    variants: Variants

    @field_validator("variants")
    @classmethod
    def _something_is_checked(cls, variants: Choices) -> Choices:
        given = {name: each for name, each in variants if name in variants.model_fields_set}
        empty = [name for name, each in given.items() if not _each(each)]
        if empty:
            raise wrong(*(((name,), "must have at least one variant, got none") for name in empty))
        if not given:
            raise ValueError("must have a key for at least one optimizer, got {}")
        return variants

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
            for hyperparameters in _each(variants)
        ]


def _each(
    variants: OwnVariants | tuple[Hyperparameters, ...],
) -> tuple[Hyperparameters, ...]:
    return variants.each() if isinstance(variants, OwnVariants) else variants
