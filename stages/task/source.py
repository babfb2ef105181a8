"""The section `data` of a task: where its samples come from."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from stages.task.errors import shown
from stages.task.section import Section
from stages.task.values import Seed, Text


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


def _source(value: object) -> Generator | OwnTable:
    source = str(value.get("source")) if isinstance(value, dict) else ""
    section = OwnTable if source.endswith((".csv", ".parquet")) else Generator
    return section.model_validate(value)


Source = Annotated[
    Generator | OwnTable,
    BeforeValidator(_source),
    Field(description="a section with the keys source, options, seed or source, features, target"),
]
