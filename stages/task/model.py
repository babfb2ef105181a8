"""The section `model` of a task."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from stages.task.section import Section
from stages.task.values import MOST, Count


class Model(Section):
    """A network of linear layers with an activation between them, and its loss."""

    hidden: Annotated[
        tuple[Count, ...], Field(description="a list of layer widths, [] for a linear model")
    ]
    activation: Literal["relu", "tanh", "sigmoid"]
    loss: Literal["half_mse", "cross_entropy"]
    initialization: Literal["uniform01", "torch_linear"]
    dtype: Literal["float64", "float32"]

    @field_validator("hidden")
    @classmethod
    def _weights_fit_into_memory(cls, hidden: tuple[int, ...]) -> tuple[int, ...]:
        # A training has them six times at least, with their gradients, two means of Adam and two
        # snapshots: MOST weights, in float64, take 48 GB.
        weights = sum(inputs * outputs for inputs, outputs in pairwise((1, *hidden, 1)))
        if weights > MOST:
            raise ValueError(f"must have at most {MOST} weights between its layers, got {weights}")
        return hidden
