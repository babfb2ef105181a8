"""torch's autograd with the operations of the graph as its leaf kernels.

torch calls what a model is written with; its functions and operators are here formulas on the
graph, whose operations run one at a time. torch builds its own graph of them, keeps their operands
and applies the chain rule: an operation only has the numbers, of its value or of its derivatives.
It has them as they lie in memory, so that it rounds as it does in a compiled program. So whole
trainings can be equal bit for bit.
"""

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

from stages import graph
from stages.graph.compile import needed
from stages.graph.graph import Graph
from stages.graph.memory import Memory
from stages.graph.node import Node
from stages.graph.operation import OPERATIONS
from stages.graph.operations.normalization import normalized_by
from stages.graph.value import Value
from stages.graph.writer import Writer

Array = NDArray[Any]
Formula = Callable[..., Node]


def _linear(x: Node, weight: Node, bias: Node | None = None) -> Node:
    product = x @ weight.T
    return product if bias is None else product + bias


def _transpose(x: Node, first: int, second: int) -> Node:
    axes = list(range(len(x.shape)))
    axes[first], axes[second] = axes[second], axes[first]
    return graph.permute(x, tuple(axes))


def _batch_norm(
    x: Node,
    mean: Node,
    var: Node,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,  # noqa: ARG001
    eps: float = 1e-5,
) -> Node:
    """Like torch's, but leaves mean and var as they are: no training reads what it does to them."""
    weight, bias = (1.0, 0.0) if weight is None else (weight, bias)
    if training:
        return graph.batch_norm(x, weight=weight, bias=bias, eps=eps)
    return normalized_by(x, mean, var, weight, bias, eps)


def _attention(
    query: Node,
    key: Node,
    value: Node,
    attn_mask: None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Node:
    if attn_mask is not None or dropout_p:
        raise TypeError("scaled_dot_product_attention: only is_causal is known here")
    return graph.scaled_dot_product_attention(query, key, value, is_causal, scale)


# The formula of a function or method of torch, by its name and with its arguments.
FORMULAS: dict[str, Formula] = {
    "linear": _linear,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
    "__rsub__": lambda a, b: b - a,
    "__rdiv__": lambda a, b: b / a,
    "matmul": operator.matmul,
    "__getitem__": operator.getitem,
    **{name: getattr(graph, name) for name in ("sin", "cos", "erf", "softplus")},
    "sum": lambda x, dim=None, keepdim=False, **_: x.sum(dim, keepdim),
    "mean": lambda x, dim=None, keepdim=False, **_: x.mean(dim, keepdim),
    "relu": lambda x, **_: graph.relu(x),
    "tanh": graph.tanh,
    "sigmoid": graph.sigmoid,
    "exp": graph.exp,
    "log": graph.log,
    "sqrt": graph.sqrt,
    "reshape": lambda x, *shape: graph.reshape(x, _sizes(shape)),
    "view": lambda x, *shape: graph.reshape(x, _sizes(shape)),
    "flatten": graph.flatten,
    "permute": lambda x, *axes: graph.permute(x, _sizes(axes)),
    "transpose": _transpose,
    "unsqueeze": graph.expand_dims,
    "cat": lambda tensors, dim=0: graph.concatenate(tensors, dim),
    "stack": lambda tensors, dim=0: graph.stack(tensors, dim),
    "embedding": lambda indices, weight, *_, **__: graph.embedding(indices, weight),
    "gelu": lambda x, approximate="none": graph.gelu(x, approximate),
    "silu": lambda x, **_: graph.silu(x),
    "softmax": lambda x, dim, **_: graph.softmax(x, dim),
    "log_softmax": lambda x, dim, **_: graph.log_softmax(x, dim),
    "scaled_dot_product_attention": _attention,
    "conv1d": graph.conv1d,
    "conv2d": graph.conv2d,
    "max_pool2d": lambda x, size, stride=None, padding=0, *_, **__: graph.max_pool2d(
        x, size, stride, padding
    ),
    "avg_pool2d": lambda x, size, stride=None, padding=0, *_, **__: graph.avg_pool2d(
        x, size, stride, padding
    ),
    "adaptive_avg_pool2d": graph.adaptive_avg_pool2d,
    "layer_norm": graph.layer_norm,
    "rms_norm": graph.rms_norm,
    "group_norm": graph.group_norm,
    "batch_norm": _batch_norm,
}


def _sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(given) if isinstance(given[0], int) else tuple(given[0])


class GraphKernels(TorchFunctionMode):
    """Within it what torch computes, and is to differentiate, is computed by the graph.

    Raises TypeError where that has no formula: torch would compute with a kernel of its own.
    """

    def __torch_function__(
        self, function: Any, _: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        formula = FORMULAS.get(function.__name__)
        if formula is not None:
            return evaluated(formula, *args, **(kwargs or {}))
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.grad_fn is not None and not result._is_view():
            raise TypeError(f"torch's {function.__name__} has no formula on the graph")
        return result


def laid_out(tensor: Tensor) -> Tensor:
    """The tensor as an input of the graph lies in memory."""
    array = tensor.numpy()
    placed = Memory().of_input((1, *array.shape), array.dtype)[0]
    np.copyto(placed, array)
    return torch.from_numpy(placed)


def evaluated(formula: Formula, *args: Any, **kwargs: Any) -> Tensor:
    """A formula of nodes on tensors in their places."""
    tensors = [each for each in _flat([args, kwargs]) if isinstance(each, Tensor)]
    dtype = next(_dtype(tensor) for tensor in tensors if tensor.is_floating_point())
    recorded = Graph(dtype=dtype)
    values: dict[Node, Tensor | float] = {}

    def as_node(given: Any) -> Any:
        if isinstance(given, Tensor):
            node = Node(recorded, "input", tuple(given.shape), _dtype(given))
            values[node] = given
            return node
        if isinstance(given, list | tuple):
            return type(given)(map(as_node, given))
        return given

    result = formula(*map(as_node, args), **{name: as_node(each) for name, each in kwargs.items()})
    for node in needed(recorded.nodes, [result]):
        if node.operation == "constant":
            value = node.attributes["value"]
            values[node] = value.item() if value.ndim == 0 else torch.from_numpy(value)
        elif node not in values:
            operands = [values[operand] for operand in node.inputs]
            values[node] = operation(node.operation, *operands, **node.attributes)
    found = values[result]
    assert isinstance(found, Tensor)
    return found


def _flat(given: Any) -> list[Any]:
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, list | tuple):
        return [each for part in given for each in _flat(part)]
    return [given]


def _dtype(tensor: Tensor) -> np.dtype[Any]:
    return np.dtype(str(tensor.dtype).removeprefix("torch."))


def operation(name: str, *operands: Tensor | float, **attributes: Hashable) -> Tensor:
    """An operation of the graph, on tensors and numbers, that torch differentiates."""
    result: Tensor = _Leaf.apply(name, tuple(attributes.items()), *operands)  # type: ignore[no-untyped-call]
    return result


class _Leaf(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, name: str, attributes: Any, *operands: Tensor | float) -> Tensor:
        arrays = [_array(operand) for operand in operands]
        (result,) = _computed(_value, name, attributes, arrays)
        tensor = torch.from_numpy(result)
        ctx.name, ctx.attributes = name, attributes
        ctx.numbers = [None if isinstance(each, Tensor) else each for each in operands]
        ctx.parameters = tuple(isinstance(each, Tensor) and each.is_leaf for each in operands)
        ctx.save_for_backward(tensor, *(each for each in operands if isinstance(each, Tensor)))
        return tensor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        result, *saved = map(_array, ctx.saved_tensors)
        tensors = iter(saved)
        operands = [next(tensors) if each is None else each for each in ctx.numbers]
        wanted = ctx.needs_input_grad[2:]
        rule = _derivatives(wanted, ctx.parameters)
        given = [_array(gradient), result, *operands]
        found = iter(_computed(rule, ctx.name, ctx.attributes, given))
        return None, None, *(torch.from_numpy(next(found)) if each else None for each in wanted)


def _array(operand: Tensor | float) -> Array | float:
    return operand.detach().numpy() if isinstance(operand, Tensor) else operand


# From the name and the attributes of an operation and the values that it reads.
Rule = Callable[..., list[Value]]


def _value(name: str, attributes: Mapping[str, Any], *operands: Value) -> list[Value]:
    return [OPERATIONS[name].value(*operands, **attributes)]


@cache
def _derivatives(wanted: tuple[bool, ...], parameters: tuple[bool, ...]) -> Rule:
    """The gradients that are wanted; those of parameters lie as in the graph, in rows."""

    def rule(name: str, attributes: Mapping[str, Any], *values: Value) -> list[Value]:
        operands, found = values[2:], []
        derivatives = OPERATIONS[name].derivatives_of(len(operands))
        for position, (operand, derivative) in enumerate(zip(operands, derivatives, strict=True)):
            if wanted[position]:
                assert derivative is not None
                part = derivative(*values, **attributes).sum_to(operand.shape)
                if parameters[position]:
                    part.place(np.zeros(part.shape, part.dtype))
                found.append(part)
        return found

    return rule


def _computed(
    rule: Rule, name: str, attributes: Any, operands: Sequence[Array | float]
) -> list[Array]:
    """What a rule gives for operands, which it reads from arrays that lie as theirs."""
    lying = [_lying(each) if isinstance(each, np.ndarray) else each for each in operands]
    program, buffers = _program(rule, name, attributes, tuple(lying))
    arrays = [each for each in operands if isinstance(each, np.ndarray)]
    for buffer, array in zip(buffers, arrays, strict=True):
        np.copyto(buffer, array)
    program._prepare_fixed()
    program.forward()
    return [_copied(output[0]) for output in program.outputs]


Lying = tuple[tuple[int, ...], tuple[int, ...], np.dtype[Any]]


@cache
def _program(rule: Rule, name: str, attributes: Any, operands: tuple[Any, ...]) -> Any:
    """A rule as a program, and the arrays that it reads."""
    dtype = next(each[2] for each in operands if isinstance(each, tuple) and each[2].kind == "f")
    writer = Writer(dtype, samples=1)
    buffers, values = [], []
    for operand in operands:
        if isinstance(operand, tuple):
            buffers.append(_empty(*operand))
            values.append(writer.external(buffers[-1][None]))
        else:
            values.append(writer.number(operand, (1,)))
    outputs = rule(name, dict(attributes), *values)
    return writer.program(outputs, writer.length, (), {}, {}), buffers


def _lying(array: Array) -> Lying:
    return array.shape, array.strides, array.dtype


def _empty(shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    last = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    return as_strided(np.zeros(last // dtype.itemsize + 1, dtype), shape, strides)


def _copied(array: Array) -> Array:
    copy = _empty(*_lying(array))
    np.copyto(copy, array)
    return copy
