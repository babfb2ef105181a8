"""The section `model` of a task."""

import re
from importlib import import_module
from inspect import signature
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from stages.task.errors import did_you_mean, shown
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


LOSSES = (
    *("half_mse", "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "cross_entropy"),
    *("nll_loss", "binary_cross_entropy_with_logits", "kl_div"),
)
OF_CLASSES = ("cross_entropy", "nll_loss")
# Of the target's unit in that of a loss; of others it is not known.
POWERS = {"half_mse": 2, "mse_loss": 2, "l1_loss": 1}


def _loss(value: str) -> str:
    if value not in LOSSES and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):
        raise ValueError(
            f"must be one of {', '.join(LOSSES)}, or one of your own such as "
            f"stages.own.focal.focal; got {shown(value)}{did_you_mean(value, LOSSES)}"
        )
    return value


class Model(Section):
    """What learns, written twice, and its loss.

    source: the file with the function `model` on the graph
    options: of that function, by name
    loss: one of ours, or the dotted name of a function on the graph
    loss_options: of that function, by name
    """

    source: Annotated[Text, AfterValidator(_module)]
    options: dict[str, Any] = Field(default_factory=dict)
    loss: Annotated[Text, AfterValidator(_loss), Field(description="the name of a loss")]
    loss_options: dict[str, Any] = Field(default_factory=dict)
    dtype: Literal["float64", "float32"]

    @property
    def takes_classes(self) -> bool:
        """Whether the target is classes: a loss of the user's own then calls it `labels`."""
        if self.loss in LOSSES:
            return self.loss in OF_CLASSES
        return list(signature(self.loss_function()).parameters)[1] == "labels"

    def loss_unit(self, units: tuple[float, float] | None) -> float:
        """What the loss is to be multiplied by, to be in the target's own units: see `Table`."""
        return 1.0 if units is None else float(units[1] ** POWERS.get(self.loss, 0))

    @property
    def own_loss(self) -> tuple[str, str] | None:
        """The file and the function of a loss of the user's own, None if it is one of ours."""
        module, _, name = self.loss.rpartition(".")
        return (f"{module.replace('.', '/')}.py", name) if module else None

    def loss_function(self) -> Function:
        """The loss on the graph, of two nodes. Raises InputError if there is none."""
        if self.own_loss:
            return load_function(*self.own_loss, "output", "target")
        ours = import_module("stages.graph.operations.losses").LOSSES
        return ours[self.loss]  # type: ignore[no-any-return]

    def loss_arguments(self) -> dict[str, Any]:
        """All options of the loss by name, as the function takes them; raises ValidationError."""
        return options(self.loss_function(), self.loss_options, leading=2)

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


def torch_twin(source: str) -> str:
    """The file in which the function of another has its twin in torch."""
    return f"{source.removesuffix('.py')}_torch.py"
