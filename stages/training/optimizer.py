"""An optimizer as the training of a model calls it, whatever the optimizer asks for.

    step(parameters, gradients, closure)

    parameters, gradients: (n,), all arrays of the model one after the other
    closure: evaluates the model at the present parameters: it refreshes `gradients` and returns
        the loss

`each_run` steps the rows of a graph, (runs, n), each with an optimizer of its own; its closure
returns the losses of all, (runs,).

Most optimizers ask for parameters and gradients of any shape. One with the attribute `each_array`
is handed the arrays of the model one by one, each in its shape; with a function `from_dense`, each
gradient is converted by that; and one whose `__call__` has the argument `closure` is handed all.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from importlib import import_module
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from stages.task.errors import InputError, did_you_mean, unknown
from stages.task.optimizers import Hyperparameters, scope_of

Array = NDArray[Any]
Shapes = Sequence[tuple[int, ...]]
Closure = Callable[[], float]
Step = Callable[[Array, Array, Closure], None]
RunsStep = Callable[[Array, Array, Callable[[], Array]], None]


def model_optimizer(
    hyperparameters: Hyperparameters, package: ModuleType, shapes: Shapes, place: str
) -> Step:
    """The optimizer by hand of a model whose arrays have the `shapes`.

    package: has the classes whose names are not dotted
    place: where params.yaml names the optimizer, for messages
    Raises InputError if there is no such class, or if it refuses the hyperparameters.
    """
    kind = optimizer_class(hyperparameters.by_hand, package, place)
    optimizer: Any = construct(kind, hyperparameters.values(), place)
    match scope_of(kind):
        case "array":
            return _EachArray([deepcopy(optimizer) for _ in shapes], shapes)
        case "model":
            return lambda parameters, gradients, closure: optimizer(parameters, gradients, closure)
        case "element":
            return lambda parameters, gradients, _: optimizer(parameters, gradients)


def each_run(optimizers: Sequence[Step]) -> RunsStep:
    """The step of (runs, n) parameters in which each run has an optimizer of its own."""

    def step(parameters: Array, gradients: Array, closure: Callable[[], Array]) -> None:
        for run, optimizer in enumerate(optimizers):
            optimizer(parameters[run], gradients[run], lambda run=run: float(closure()[run]))  # type: ignore[misc]

    return step


class _EachArray:
    """A step of one optimizer for each array."""

    def __init__(self, optimizers: Sequence[Any], shapes: Shapes) -> None:
        self._parts, start = [], 0
        for optimizer, shape in zip(optimizers, shapes, strict=True):
            from_dense = getattr(optimizer, "from_dense", lambda gradient: gradient)
            stop = start + math.prod(shape)
            self._parts.append((optimizer, from_dense, slice(start, stop), shape))
            start = stop

    def __call__(self, parameters: Array, gradients: Array, _: Closure) -> None:
        for optimizer, from_dense, part, shape in self._parts:
            gradient = from_dense(gradients[part].reshape(shape))
            optimizer(parameters[part].reshape(shape), gradient)


def optimizer_class(name: str, package: ModuleType, place: str) -> type:
    """The class of an optimizer in NumPy, see `find_class`.

    Raises InputError if there is none, or if it is no such optimizer: before any is made, since
    params.yaml may name a class that does something when it is made.
    """
    kind = find_class(name, package, place)
    method = "the method __call__(self, parameters, gradients)"
    bases = kind.__mro__
    if any(f"{base.__module__}.{base.__name__}" == _OF_TORCH for base in bases):
        raise InputError(
            f"{place}: {name} is an optimizer of torch, which can be the reference; "
            f"class must be one in NumPy, with {method}"
        )
    if not any("__call__" in vars(base) for base in bases):
        raise InputError(f"{place}: {name} is not an optimizer: it lacks {method}")
    return kind


_OF_TORCH = "torch.optim.optimizer.Optimizer"  # by its name: the twin in NumPy does without torch


def find_class(name: str, package: ModuleType, place: str) -> type:
    """The class of the dotted name, or of that name in the package; it may be in lower case.

    Raises InputError that says which part of the name is not there.
    """
    module_name, _, class_name = name.rpartition(".")
    module = _module(module_name, place) if module_name else package
    classes = {name: value for name, value in vars(module).items() if isinstance(value, type)}
    in_lower_case = {name.lower(): value for name, value in classes.items()}
    found = classes.get(class_name) or in_lower_case.get(class_name)
    if found is None:
        raise InputError(
            f"{place}: {module.__name__} has no class {class_name}"
            f"{did_you_mean(class_name, classes)}"
        )
    return found


def _module(name: str, place: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        if f"{name}.".startswith(f"{missing}."):
            raise InputError(f"{place}: there is no module {missing}") from None
        raise InputError(f"{place}: {name} imports {missing}, which is not installed") from None


def construct(kind: type, hyperparameters: Mapping[str, Any], place: str, *leading: object) -> Any:
    """An instance of the class. Raises InputError if that refuses a hyperparameter.

    leading: what the constructor takes before the hyperparameters
    """
    parameters = list(inspect.signature(kind).parameters.values())[len(leading) :]
    names = [parameter.name for parameter in parameters]
    any_name = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    for name in hyperparameters:
        if name not in names and not any_name:
            raise InputError(f"{place}.{name}: {unknown('hyperparameter', name, names)}")
    for parameter in parameters:
        needed = parameter.default is parameter.empty and parameter.kind is not (
            parameter.VAR_KEYWORD
        )
        if needed and parameter.name not in hyperparameters:
            raise InputError(f"{place}.{parameter.name}: is missing; {kind.__name__} needs it")
    try:
        return kind(*leading, **hyperparameters)
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: {kind.__name__} refuses it: {error}") from None
