"""The model of a task in torch. That on the graph is network.py."""

from collections.abc import Mapping
from inspect import signature
from itertools import zip_longest
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from stages.task.errors import InputError
from stages.task.functions import load_function
from stages.task.model import Model


def network(model: Model, features: int, outputs: int) -> nn.Module:
    """The model, with torch's own random parameters.

    Raises InputError if there is none in the file, or if it takes other options than the graph's.
    """
    function = load_function(model.torch_source, "model", "features", "outputs")
    options = model.arguments()
    try:
        signature(function).bind(features, outputs, **options)
    except TypeError as error:
        raise InputError(
            f"{model.torch_source}: model must take the options of {model.source}: {error}"
        ) from None
    return function(features, outputs, **options).to(getattr(torch, model.dtype))  # type: ignore[no-any-return]


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
                f"{model.torch_source}: parameter {number} must be that of {model.source}, "
                f"{_in_words(our)}; got {_in_words(their)}"
            )
    state = {name: torch.from_numpy(values) for name, values in parameters.items()}
    module.load_state_dict(state, strict=False)  # buffers are no parameters


def _in_words(parameter: tuple[str, tuple[int, ...]] | None) -> str:
    return "none" if parameter is None else f"{parameter[0]} of shape {parameter[1]}"
