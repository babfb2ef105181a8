"""The section `training` of a task."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from stages.task.section import Section
from stages.task.values import Count, Moments, Seed, count_or_full


class Training(Section):
    """How long, in which batches, and from which start a model trains."""

    epochs: Count
    batch_size: Annotated[
        int | Literal["full"],
        BeforeValidator(count_or_full),
        Field(description="a whole number of at least 1, or full"),
    ]
    seed: Seed
    snapshots: Moments = 51
