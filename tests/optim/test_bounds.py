"""Hyperparameters beyond their bounds: refused by every optimizer, and where torch refuses them."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from annotated_types import Ge, Gt, Le, Lt, MultipleOf

from stages import optim
from stages.optim.bounds import Bounded, Hyperparameter, hyperparameters
from stages.task.hyperparameters import BUILT_IN

NUMBERS = (-0.1, 0.0, 0.5, 1.0, 1.5, float("nan"))


def probes() -> Iterator[tuple[str, str, Any, float]]:
    """Optimizer, hyperparameter, its value, and the number in that which is out of the ordinary."""
    for kind in BUILT_IN:
        for name, parameter in inspect.signature(getattr(optim, kind.__name__)).parameters.items():
            default = parameter.default
            if isinstance(default, tuple):
                for index in range(len(default)):
                    for number in NUMBERS:
                        value = (*default[:index], number, *default[index + 1 :])
                        yield kind.__name__, name, value, number
            elif type(default) is int:
                yield from ((kind.__name__, name, number, number) for number in (1, 99, 100))
            elif type(default) is float:
                yield from ((kind.__name__, name, number, number) for number in NUMBERS)


def refusal(make: Callable[[], object]) -> str | None:
    try:
        make()
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("optimizer", "name", "value", "number"), list(probes()))
def test_what_torch_refuses_is_refused(
    optimizer: str, name: str, value: Any, number: float
) -> None:
    parameter = torch.zeros(2, 2, requires_grad=True)
    parameter.grad = torch.ones(2, 2)

    def theirs() -> None:
        made = getattr(torch.optim, optimizer)([parameter], **{name: value})
        if optimizer == "Muon":  # some of it is refused at the first step
            made.step()

    ours = refusal(lambda: getattr(optim, optimizer)(**{name: value}))
    refused = refusal(theirs) is not None
    # some of torch's comparisons let NaN pass
    assert (ours is not None) == refused or (np.isnan(number) and not refused)
    if ours is not None:
        rule = r"(at least|at most|greater than|less than) \d+"
        assert re.fullmatch(rf"{name}(\[\d\])? must be {rule}, got {re.escape(str(number))}", ours)


@hyperparameters
class Example(Bounded):
    lr: Annotated[Hyperparameter, Gt(0)] = 1.0
    decay: Annotated[Hyperparameter, Le(1)] = 1.0
    betas: tuple[Annotated[Hyperparameter, Ge(0), Lt(1)], Annotated[float, Ge(0)] | None] = (0, 0)
    kind: Literal["plain", "fancy"] | None = None
    free: float = 0.0
    count: int = 1


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"lr": 0.0}, "lr must be greater than 0, got 0.0"),
        ({"lr": np.array([0.1, -0.2, -0.3])}, "lr must be greater than 0, got -0.2 in run 1"),
        ({"decay": 1.5}, "decay must be at most 1, got 1.5"),
        ({"betas": (1, 0)}, "betas[0] must be less than 1, got 1"),
        ({"betas": (np.array([0, 1.0]), 0)}, "betas[0] must be less than 1, got 1.0 in run 1"),
        ({"betas": (-1, -1)}, "betas[0] must be at least 0, got -1"),
        ({"betas": (0, -1)}, "betas[1] must be at least 0, got -1"),
        ({"betas": (0, 0, 0)}, "betas must be 2 numbers, got (0, 0, 0)"),
        ({"kind": "odd"}, "kind must be one of plain, fancy; got 'odd'"),
        (
            {"lr": [0.1, 0.2]},
            "lr must be a number, or an array with one for each run; got [0.1, 0.2]",
        ),
        ({"lr": "0.1"}, "lr must be a number, or an array with one for each run; got '0.1'"),
        ({"lr": True}, "lr must be a number, or an array with one for each run; got True"),
        ({"betas": 0.9}, "betas must be 2 numbers, got 0.9"),
        (
            {"lr": np.ones((1, 2))},
            "lr must be a number, or an array with one for each run; got array([[1., 1.]])",
        ),
        ({"betas": (0, np.ones(2))}, "betas[1] must be a number; got array([1., 1.])"),
        ({"free": np.ones(2)}, "free must be a number; got array([1., 1.])"),
        ({"count": 1.5}, "count must be a whole number; got 1.5"),
    ],
)
def test_the_first_value_beyond_a_bound_is_named(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Example(**variant)


def test_what_is_within_the_bounds_is_accepted() -> None:
    Example(1e-9, 1.0, (0.0, None), "fancy", -9.0)
    Example(np.array([0.1, 9.0]), np.array([1.0, -9.0]), (np.array([0.0, 0.9]), 7.0), None)


@pytest.mark.parametrize("one", [np.float64(0.5), np.float32(0.5), np.array(0.5), 0.5])
def test_a_number_of_numpy_is_kept_as_one_of_python(one: Any) -> None:
    example = Example(lr=one, betas=[one, 0], count=np.int64(2))
    assert repr((example.lr, example.betas, example.count)) == "(0.5, (0.5, 0), 2)"


def test_an_unknown_kind_of_bound_is_an_error() -> None:
    @hyperparameters
    class Wrong(Bounded):
        steps: Annotated[int, MultipleOf(2)] = 1

    with pytest.raises(TypeError, match=r"MultipleOf.* is not a bound of a hyperparameter"):
        Wrong()


@pytest.mark.parametrize(
    "variant",
    [
        {"lr": 0.1, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": -0.1, "nesterov": True},
    ],
)
def test_nesterov_is_refused_where_torch_refuses_it(variant: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Nesterov"):
        torch.optim.SGD([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=r"^nesterov needs momentum greater than 0 and dampening"):
        optim.SGD(**variant)
