"""A static computation graph in NumPy: recorded once, compiled once, executed as lists of calls."""

from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations import matrices as matrices  # the operators of Python ask for them
from stages.graph.operations.arithmetic import maximum
from stages.graph.operations.convolution import conv1d, conv2d
from stages.graph.operations.elementwise import exp, log, relu, sigmoid, sqrt, tanh
from stages.graph.operations.losses import accuracy, cross_entropy, half_mse
from stages.graph.operations.modes import choose, dropout
from stages.graph.operations.normalization import batch_norm, layer_norm, rms_norm
from stages.graph.operations.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from stages.graph.operations.reductions import log_softmax
from stages.graph.operations.shapes import (
    broadcast_to,
    concatenate,
    embedding,
    expand_dims,
    flatten,
    gather,
    movedim,
    pad,
    permute,
    reshape,
    squeeze,
    stack,
    take,
)
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
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "broadcast_to",
    "choose",
    "concatenate",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "exp",
    "expand_dims",
    "flatten",
    "gather",
    "half_mse",
    "layer_norm",
    "log",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "movedim",
    "pad",
    "permute",
    "relu",
    "reshape",
    "rms_norm",
    "sigmoid",
    "sqrt",
    "squeeze",
    "stack",
    "take",
    "tanh",
]
