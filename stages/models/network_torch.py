"""The model of a task in torch. That on the graph is network.py."""

from collections.abc import Mapping
from functools import partial
from inspect import signature
from itertools import zip_longest
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from stages.reference.losses import LOSSES
from stages.task.errors import InputError
from stages.task.functions import Function, load_function
from stages.task.model import Model, torch_twin


def network(model: Model, features: int, outputs: tuple[int, ...]) -> nn.Module:
    """The model, with torch's own random parameters.

    outputs: as for the graph
    Raises InputError if there is none in the file, or if it takes other options than the graph's.
    """
    function = _twin(model.source, "model", model.arguments(), "features", "outputs")
    module: nn.Module = function(features, outputs[-1])
    return module.to(getattr(torch, model.dtype))


def loss_of(model: Model) -> Function:
    """The loss, of two tensors. Raises InputError as `network` does."""
    options = model.loss_arguments()
    if model.own_loss:
        return _twin(*model.own_loss, options, "output", "target")
    return partial(LOSSES[model.loss], **options)


def _twin(source: str, name: str, options: Mapping[str, Any], *leading: str) -> Function:
    """The function in torch that is the twin of the one on the graph, with its options."""
    function = load_function(torch_twin(source), name, *leading)
    try:
        signature(function).bind(*leading, **options)
    except TypeError as error:
        raise InputError(
            f"{torch_twin(source)}: {name} must take the options of {source}: {error}"
        ) from None
    return partial(function, **options)


def load_parameters(
    module: nn.Module, parameters: Mapping[str, NDArray[Any]], model: Model
) -> None:
    """Puts the parameters of the graph, by name, into the module.

    Raises InputError that names the first whose name, place or shape differs.
    """
    ours = [(name, values.shape) for name, values in parameters.items()]
    theirs = [(name, tuple(values.shape)) for name, values in module.named_parameters()]
    for number, (our, their) in enumerate(zip_longest(ours, theirs), start=1):
        if our != their:
            raise InputError(
                f"{torch_twin(model.source)}: parameter {number} must be that of {model.source}, "
                f"{_in_words(our)}; got {_in_words(their)}"
            )
    state = {name: torch.from_numpy(values) for name, values in parameters.items()}
    module.load_state_dict(state, strict=False)  # buffers are no parameters


def _in_words(parameter: tuple[str, tuple[int, ...]] | None) -> str:
    return "none" if parameter is None else f"{parameter[0]} of shape {parameter[1]}"
