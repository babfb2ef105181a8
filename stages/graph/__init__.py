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
from stages.graph.operations.attention import scaled_dot_product_attention, self_attention
from stages.graph.operations.comparisons import clip, equal, maximum, minimum, not_equal, where
from stages.graph.operations.convolution import conv1d, conv2d
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
from stages.graph.operations.embedding import embedding
from stages.graph.operations.losses import accuracy, cross_entropy, half_mse
from stages.graph.operations.losses_of_classes import (
    binary_cross_entropy_with_logits,
    kl_div,
    nll_loss,
)
from stages.graph.operations.losses_of_numbers import (
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from stages.graph.operations.modes import choose, dropout
from stages.graph.operations.normalization import batch_norm, group_norm, layer_norm, rms_norm
from stages.graph.operations.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from stages.graph.operations.recurrent import gru, lstm, rnn
from stages.graph.operations.reductions import log_softmax, logsumexp, norm, softmax
from stages.graph.operations.shapes import (
    broadcast_to,
    concatenate,
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
    "atan2",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "broadcast_to",
    "choose",
    "clip",
    "concatenate",
    "conv1d",
    "conv2d",
    "cos",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "equal",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "flatten",
    "floor",
    "gather",
    "gelu",
    "group_norm",
    "gru",
    "half_mse",
    "hardtanh",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "minimum",
    "movedim",
    "mse_loss",
    "nll_loss",
    "norm",
    "not_equal",
    "pad",
    "permute",
    "relu",
    "reshape",
    "rms_norm",
    "rnn",
    "scaled_dot_product_attention",
    "self_attention",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "sqrt",
    "squeeze",
    "stack",
    "take",
    "tanh",
    "where",
]
