"""The section `model` of a task."""

from typing import Annotated, Literal

from pydantic import Field

from stages.task.section import Section
from stages.task.values import Count


class Model(Section):
    """A network of linear layers with an activation between them, and its loss."""

    hidden: Annotated[
        tuple[Count, ...], Field(description="a list of layer widths, [] for a linear model")
    ]
    activation: Literal["relu", "tanh", "sigmoid"]
    loss: Literal["half_mse", "cross_entropy"]
    initialization: Literal["uniform01", "torch_linear"]
    dtype: Literal["float64", "float32"]
