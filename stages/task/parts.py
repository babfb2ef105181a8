"""The section `split` of a task: which samples test, and which train."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from stages.task.section import Section
from stages.task.values import Flag, Seed, count_or_fraction


class Split(Section):
    """How the samples are split.

    test: how many of them test, or which fraction; with 0 all train, and nothing is tested
    standardize: whether features are scaled to mean 0 and standard deviation 1
    standardize_target: whether the target is, too; losses stay in its own units
    """

    test: Annotated[
        int | float,
        BeforeValidator(count_or_fraction),
        Field(description="a whole number of at least 0, or a fraction between 0 and 1"),
    ]
    seed: Seed
    standardize: Flag
    standardize_target: Flag = False
