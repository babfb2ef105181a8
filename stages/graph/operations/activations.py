"""What a layer does to every element, as torch.nn.functional has it."""

import math

import numpy as np

from stages.graph.error_function import erf
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation
from stages.graph.operations.elementwise import unary
from stages.graph.value import Array, Value


@np.errstate(over="ignore")
def _exp(a: Array, out: Array | None = None) -> Array:
    """np.exp, without a warning where infinity is as good as the right result."""
    result: Array = np.exp(a, out)
    return result


def _sigmoid(a: Value) -> Value:
    return 1 / (1 + (-a).apply(_exp))


def _steps(a: Value, below: Value | float) -> Value:
    """1 where a > 0, `below` elsewhere."""
    above = a > 0
    return above + (1 - above) * below


def _below_zero(a: Value) -> Value:
    return a.apply(np.minimum, 0)


def _normal_distribution(a: Value) -> Value:
    """The share of the standard normal distribution up to `a`."""
    return (1 + (a * math.sqrt(0.5)).apply(erf)) * 0.5


def _normal_density(a: Value) -> Value:
    return (a * a * -0.5).apply(np.exp) * (1 / math.sqrt(2 * math.pi))


CUBIC = 0.044715  # of gelu's approximation by tanh


def _tanh_of_gelu(a: Value) -> Value:
    return ((a + a * a * a * CUBIC) * math.sqrt(2 / math.pi)).apply(np.tanh)


def _slope_of_gelu_tanh(a: Value) -> Value:
    tanh = _tanh_of_gelu(a)
    inner = (1 + a * a * (3 * CUBIC)) * math.sqrt(2 / math.pi)
    return (1 + tanh) * 0.5 + a * 0.5 * (1 - tanh * tanh) * inner


def _softplus(a: Value, beta: float, threshold: float) -> Value:
    scaled = a * beta
    bounded = scaled.apply(np.minimum, threshold).apply(np.exp).apply(np.log1p) / beta
    return (scaled > threshold).where(a, bounded)


def _slope_of_softplus(a: Value, beta: float, threshold: float) -> Value:
    scaled = a * beta
    power = scaled.apply(np.minimum, threshold).apply(np.exp)
    return (scaled > threshold).where(1, power / (power + 1))


OPERATIONS |= {
    "tanh": Operation(unary, lambda a: a.apply(np.tanh), lambda g, y, a: g * (1 - y * y)),
    "sigmoid": Operation(unary, _sigmoid, lambda g, y, a: g * ((1 - y) * y)),
    "log_sigmoid": Operation(
        unary,
        lambda a: _below_zero(a) - (-a.apply(np.absolute)).apply(np.exp).apply(np.log1p),
        lambda g, y, a: g * _sigmoid(-a),
    ),
    "relu": Operation(
        unary,
        lambda a: a.apply(np.maximum, 0),
        lambda g, y, a: g * y.apply(np.not_equal, 0),  # 0 where a <= 0, and not where it is NaN
    ),
    "leaky_relu": Operation(
        unary,
        lambda a, negative_slope: a.apply(np.maximum, 0) + _below_zero(a) * negative_slope,
        lambda g, y, a, negative_slope: g * _steps(a, negative_slope),
    ),
    "elu": Operation(
        unary,
        lambda a, alpha: a.apply(np.maximum, 0) + _below_zero(a).apply(np.expm1) * alpha,
        lambda g, y, a, alpha: g * _steps(a, _below_zero(a).apply(np.exp) * alpha),
    ),
    "hardtanh": Operation(
        unary,
        lambda a, low, high: a.apply(np.maximum, low).apply(np.minimum, high),
        lambda g, y, a, low, high: g * ((a > low) * (a < high)),
    ),
    "softplus": Operation(unary, _softplus, lambda g, y, a, **at: g * _slope_of_softplus(a, **at)),
    "silu": Operation(
        unary,
        lambda a: a * _sigmoid(a),
        lambda g, y, a: g * (_sigmoid(a) * (1 + a * (1 - _sigmoid(a)))),
    ),
    "gelu": Operation(
        unary,
        lambda a: a * _normal_distribution(a),
        lambda g, y, a: g * (_normal_distribution(a) + a * _normal_density(a)),
    ),
    "gelu_tanh": Operation(
        unary,
        lambda a: a * 0.5 * (1 + _tanh_of_gelu(a)),
        lambda g, y, a: g * _slope_of_gelu_tanh(a),
    ),
}


def relu(a: Operand) -> Node:
    """max(a, 0), element by element, with the derivative 0 at 0 and 1 at NaN."""
    return apply("relu", a)


def leaky_relu(a: Operand, negative_slope: float = 0.01) -> Node:
    """`a` where it is above 0, elsewhere and at 0 negative_slope · a, element by element."""
    return apply("leaky_relu", a, negative_slope=negative_slope)


def elu(a: Operand, alpha: float = 1.0) -> Node:
    """`a` where it is above 0, elsewhere alpha · (exp(a) - 1), element by element."""
    return apply("elu", a, alpha=alpha)


def hardtanh(a: Operand, min_val: float = -1.0, max_val: float = 1.0) -> Node:
    """`a` between the two values, and the nearer one outside, with the derivative 0 at both.

    Raises ValueError unless min_val is less than max_val.
    """
    if not min_val < max_val:
        raise ValueError(f"hardtanh: min_val must be less than max_val, got {min_val}, {max_val}")
    return apply("hardtanh", a, low=min_val, high=max_val)


def tanh(a: Operand) -> Node:
    """The hyperbolic tangent, element by element."""
    return apply("tanh", a)


def sigmoid(a: Operand) -> Node:
    """1 / (1 + exp(-a)), element by element."""
    return apply("sigmoid", a)


def log_sigmoid(a: Operand) -> Node:
    """The logarithm of the sigmoid, element by element, finite wherever `a` is."""
    return apply("log_sigmoid", a)


def softplus(a: Operand, beta: float = 1.0, threshold: float = 20.0) -> Node:
    """log(1 + exp(beta · a)) / beta, element by element, and `a` where beta · a > threshold."""
    return apply("softplus", a, beta=beta, threshold=threshold)


def silu(a: Operand) -> Node:
    """The product of `a` and its sigmoid, element by element."""
    return apply("silu", a)


def gelu(a: Operand, approximate: str = "none") -> Node:
    """`a` times the share of the standard normal distribution up to `a`, element by element.

    approximate: "none", or "tanh" for a · ½ (1 + tanh(√(2/π) · (a + 0.044715 a³)))

    Raises ValueError for anything else.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be none or tanh, got {approximate!r}")
    return apply("gelu" if approximate == "none" else "gelu_tanh", a)
