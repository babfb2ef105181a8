"""The graph on torch's own samples of operations: values and gradients against torch's.

    PYTHONPATH=.:tests .venv/bin/python -m breadth.op_db [<an operation of torch> ...]

prints for each operation that the graph has how many of torch's samples run here, how many of those
are equal, and why the others do not run.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, cast
from unittest import TestCase

import numpy as np
import torch
from differentiation import weights
from torch import Tensor

from stages import graph as g
from stages.graph import Graph, Node
from stages.graph.operations.losses import LOSSES

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}


class Skipped(Exception):  # noqa: N818
    """A sample that the graph cannot express, and why."""


def reduction(method: str) -> Callable[..., Node]:
    def reduce(a: Node, dim: Any = None, keepdim: bool = False) -> Node:
        axis = tuple(dim) if isinstance(dim, list | tuple) else dim
        return getattr(a, method)(axis if axis != () else None, keepdims=keepdim)

    return reduce


def along(function: Callable[..., Node]) -> Callable[..., Node]:
    return lambda a, dim, **options: function(a, dim, **options)


def norm(a: Node, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Node:  # noqa: A002
    if ord != 2:
        raise Skipped(f"a norm of order {ord}")
    return g.norm(a, tuple(dim) if isinstance(dim, list | tuple) else dim, keepdim)


def variance(
    a: Node, dim: Any = None, unbiased: bool = True, correction: Any = None, keepdim: bool = False
) -> Node:
    axis = tuple(dim) if isinstance(dim, list | tuple) else dim
    if isinstance(dim, bool):
        axis, unbiased = None, dim
    own = float(unbiased) if correction is None else float(correction)
    return a.var(axis if axis != () else None, keepdims=keepdim, correction=own)


def of_classes(name: str) -> Callable[..., Node]:
    """The loss with the classes behind all other axes; torch has them second."""

    def behind(a: Node) -> Node:
        return g.movedim(a, 1, -1) if len(a.shape) > 2 else a

    def loss(a: Node, target: Node, **options: Any) -> Node:
        return LOSSES[name](
            behind(a), target if target.dtype.kind == "i" else behind(target), **options
        )

    return loss


def clip(a: Node, low: Any = None, high: Any = None) -> Node:
    if isinstance(low, Node) or isinstance(high, Node):
        raise Skipped("bounds that are tensors")
    return g.clip(a, low, high)


# Each by its name in torch's list.
OURS: dict[str, Callable[..., Node]] = {
    "add": lambda a, b, alpha=1: a + b * alpha,
    "sub": lambda a, b, alpha=1: a - b * alpha,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "abs": abs,
    "sign": g.sign,
    "floor": g.floor,
    "exp": g.exp,
    "expm1": g.expm1,
    "log": g.log,
    "log1p": g.log1p,
    "sqrt": g.sqrt,
    "sin": g.sin,
    "cos": g.cos,
    "erf": g.erf,
    "atan2": g.atan2,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": g.equal,
    "ne": g.not_equal,
    "where": lambda a, condition, b: g.where(condition, a, b),
    "maximum": g.maximum,
    "minimum": g.minimum,
    "clamp": clip,
    "tanh": g.tanh,
    "sigmoid": g.sigmoid,
    "nn.functional.logsigmoid": g.log_sigmoid,
    "nn.functional.relu": g.relu,
    "nn.functional.leaky_relu": g.leaky_relu,
    "nn.functional.elu": g.elu,
    "nn.functional.hardtanh": g.hardtanh,
    "nn.functional.softplus": g.softplus,
    "nn.functional.silu": g.silu,
    "nn.functional.gelu": g.gelu,
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "amax": reduction("max"),
    "amin": reduction("min"),
    "prod": reduction("prod"),
    "var": variance,
    "linalg.vector_norm": norm,
    "cumsum": along(lambda a, dim: a.cumsum(dim)),
    "logsumexp": lambda a, dim, keepdim=False: g.logsumexp(
        a, tuple(dim) if isinstance(dim, list | tuple) else dim, keepdim
    ),
    "softmax": along(g.softmax),
    "log_softmax": along(g.log_softmax),
    "matmul": lambda a, b: a @ b,
    "mT": lambda a: a.T,
    "reshape": lambda a, shape: g.reshape(a, tuple(shape)),
    "permute": lambda a, dims: g.permute(a, tuple(dims)),
    "broadcast_to": lambda a, shape: g.broadcast_to(a, tuple(shape)),
    "nn.functional.mse_loss": LOSSES["mse_loss"],
    "nn.functional.l1_loss": LOSSES["l1_loss"],
    "nn.functional.huber_loss": LOSSES["huber_loss"],
    "nn.functional.smooth_l1_loss": LOSSES["smooth_l1_loss"],
    "nn.functional.cross_entropy": of_classes("cross_entropy"),
    "nn.functional.nll_loss": of_classes("nll_loss"),
    "nn.functional.binary_cross_entropy_with_logits": LOSSES["binary_cross_entropy_with_logits"],
    "nn.functional.kl_div": LOSSES["kl_div"],
}


@dataclass
class Found:
    """What became of the samples of an operation."""

    run: int = 0
    equal: int = 0
    different: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def on_graph(
    function: Callable[..., Node], arguments: list[Any], options: dict[str, Any], dtype: Any
) -> tuple[Any, list[Any], Callable[[Any], Any]]:
    """The graph's result, its gradients for each tensor of floats, by the factors for the result.

    Raises Skipped if the sample cannot be expressed.
    """
    graph = Graph(1, str(dtype).removeprefix("torch."))
    leaves: list[Tensor] = []

    def given(argument: Any) -> Any:
        if not isinstance(argument, Tensor):
            return argument
        if argument.numel() == 0:
            raise Skipped("a size of 0")
        if argument.dtype == dtype:
            leaves.append(argument)
            return graph.parameter(str(len(leaves)), tuple(argument.shape))
        if argument.dtype == torch.bool:
            return graph.constant(argument.numpy().astype(graph.dtype))
        if argument.dtype == torch.int64:
            return graph.constant(argument.numpy(), np.int64)
        raise Skipped(f"an operand of {argument.dtype}")

    constants = {
        key: value.tolist() if isinstance(value, Tensor) else value
        for key, value in options.items()
    }
    try:
        result = function(*map(given, arguments), **constants)
        graph.compile(result)
    except (TypeError, ValueError, IndexError, NotImplementedError, AttributeError) as error:
        raise Skipped(str(error).split(", got")[0]) from None
    if not isinstance(result, Node):
        raise Skipped("nothing is computed")

    def run(factors: Any) -> Any:
        program = graph.compile((result * factors).sum(), result, differentiate=True)
        for view, leaf in zip(graph.views(graph.parameters).values(), leaves, strict=True):
            view[0] = leaf.detach().numpy()
        program.feed()
        program.gradients()
        views = graph.views(graph.gradients).values()
        return program.outputs[1][0].copy(), [view[0].copy() for view in views]

    return result.shape, leaves, run


def close(own: Any, other: Any, tolerance: float) -> bool:
    finite = np.abs(other[np.isfinite(other)])
    scale = tolerance * finite.max(initial=1)
    return own.shape == other.shape and np.allclose(
        own, other, rtol=tolerance, atol=scale, equal_nan=True
    )


def compare(sample: Any, op: Any, function: Callable[..., Node], dtype: Any) -> bool:
    """Whether value and gradients are torch's. Raises Skipped."""
    arguments = [sample.input, *sample.args]
    shape, _, run = on_graph(function, arguments, sample.kwargs, dtype)
    factors = weights(shape, str(dtype).removeprefix("torch."))
    floats = [
        argument.detach().clone().requires_grad_()
        if isinstance(argument, Tensor) and argument.dtype == dtype
        else argument
        for argument in arguments
    ]
    value = op(*floats, **sample.kwargs)
    leaves = [one for one in floats if isinstance(one, Tensor) and one.requires_grad]
    total = (value.to(dtype) * torch.from_numpy(factors)).sum()
    found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else []
    with np.errstate(all="ignore"):
        own, gradients = run(factors)
    theirs = [*found, *[None] * (len(leaves) - len(found))]
    return close(own, value.detach().to(dtype).numpy(), TOLERANCE[dtype]) and all(
        close(gradient, np.zeros_like(gradient) if one is None else one.numpy(), TOLERANCE[dtype])
        for gradient, one in zip(gradients, theirs, strict=True)
    )


def operations() -> Iterator[tuple[str, Any]]:
    """Those of torch's list that the graph has, each with the name of its variant."""
    # What torch's tests are built on asks for a package that its samples do not need.
    sys.modules.setdefault("expecttest", cast(ModuleType, SimpleNamespace(TestCase=TestCase)))
    from torch.testing._internal.common_methods_invocations import op_db  # takes seconds

    for op in op_db:
        if op.name in OURS:
            yield f"{op.name} ({op.variant_test_name})" if op.variant_test_name else op.name, op


def measure(op: Any, dtype: Any, most: int | None = None) -> Found:
    """What becomes of the samples of an operation, of `most` of them if there are more."""
    found = Found()
    if dtype not in op.dtypes:
        return found
    for number, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=False)):
        if number == most:
            break
        try:
            equal = compare(sample, op, OURS[op.name], dtype)
        except Skipped as reason:
            found.skipped[str(reason)] += 1
            continue
        found.run += 1
        found.equal += equal
        if not equal:
            found.different.append(str(sample.summary())[:300])
    return found


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    totals = Counter[str]()
    for name, op in operations():
        if names and op.name not in names:
            continue
        for dtype in TOLERANCE:
            found = measure(op, dtype)
            skipped = sum(found.skipped.values())
            totals += Counter(run=found.run, equal=found.equal, skipped=skipped)
            reasons = "; ".join(f"{n}× {why}" for why, n in found.skipped.most_common())
            kind = str(dtype).removeprefix("torch.")
            print(f"{name:46} {kind}  run {found.run:3}  equal {found.equal:3}  {reasons}")
            for sample in found.different:
                print(f"    differs: {sample}")
    print(f"all: {dict(totals)}")


if __name__ == "__main__":
    main(sys.argv[1:])
