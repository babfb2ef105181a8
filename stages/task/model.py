"""The section `model` of a task."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from stages.task.errors import shown
from stages.task.functions import Function, load_function, options
from stages.task.section import Section
from stages.task.values import Text


def _module(value: str) -> str:
    if not value.endswith(".py") or value.endswith("_torch.py"):
        raise ValueError(
            f"must be a module (.py) of the model on the graph, got {shown(value)}; "
            "torch's lies beside it, with _torch at the end of its name"
        )
    return value


class Model(Section):
    """What learns, written twice, and its loss.

    source: the file with the function `model` on the graph
    options: of that function, by name
    """

    source: Annotated[Text, AfterValidator(_module)]
    options: dict[str, Any] = Field(default_factory=dict)
    loss: Literal["half_mse", "cross_entropy"]
    dtype: Literal["float64", "float32"]

    @property
    def torch_source(self) -> str:
        """The file with the function `model` that returns the same as a module of torch."""
        return f"{self.source.removesuffix('.py')}_torch.py"

    @property
    def is_linear(self) -> bool:
        """Whether it is known to be one linear layer: a perceptron without a hidden one."""
        return PurePath(self.source).name == "mlp.py" and self.options.get("hidden") in ([], ())

    def function(self) -> Function:
        """The model on the graph. Raises InputError if there is none in the file."""
        return load_function(self.source, "model", "x", "outputs")

    def arguments(self) -> dict[str, Any]:
        """All options by name, as the function takes them; raises ValidationError."""
        return options(self.function(), self.options, leading=2)
