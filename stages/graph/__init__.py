"""A static computation graph in NumPy: recorded once, compiled once, executed as lists of calls."""

from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations import matrices as matrices  # the operators of Python ask for them
from stages.graph.operations.activations import (
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    log_sigmoid,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from stages.graph.operations.comparisons import clip, equal, maximum, minimum, not_equal, where
from stages.graph.operations.elementwise import (
    atan2,
    cos,
    erf,
    exp,
    expm1,
    floor,
    log,
    log1p,
    sign,
    sin,
    sqrt,
)
from stages.graph.operations.losses import accuracy, cross_entropy, half_mse
from stages.graph.operations.reductions import log_softmax
from stages.graph.program import Program
from stages.graph.tiles import Tiles
from stages.graph.writer import Rounding

__all__ = [
    "SAMPLES",
    "Graph",
    "Node",
    "Program",
    "Rounding",
    "Tiles",
    "accuracy",
    "atan2",
    "clip",
    "cos",
    "cross_entropy",
    "elu",
    "equal",
    "erf",
    "exp",
    "expm1",
    "floor",
    "gelu",
    "half_mse",
    "hardtanh",
    "leaky_relu",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "maximum",
    "minimum",
    "not_equal",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softplus",
    "sqrt",
    "tanh",
    "where",
]
