"""torch.optim without the second that it takes to import torch.compile, which nothing here uses."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch


class _CompilerOnDemand(ModuleType):
    """Stands in for torch._dynamo, whose two names below torch.optim calls in every step.

    Outside of torch.compile they do what they do here. For any other name the real module is
    imported after all.
    """

    def disable(self, function: Callable[..., Any], *_: object, **__: object) -> Callable[..., Any]:
        return function

    def graph_break(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python's inspect asks every module for its __file__
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        torch._dynamo = module
        return getattr(module, name)


def import_compiler_on_demand() -> None:
    """To be called before the first use of torch.optim; without effect after it."""
    if "torch._dynamo" not in sys.modules:
        stand_in = _CompilerOnDemand("torch._dynamo")
        sys.modules["torch._dynamo"] = torch._dynamo = stand_in
