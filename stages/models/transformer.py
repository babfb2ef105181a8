"""A tiny causal transformer for sequences of tokens. torch's is transformer_torch.py."""

import math

import numpy as np

from stages.graph import (
    SAMPLES,
    Node,
    embedding,
    gelu,
    layer_norm,
    permute,
    reshape,
    softmax,
)
from stages.graph.starts import fan_in, normal, ones, zeros
from stages.task.errors import InputError
from stages.task.values import Count


def model(
    x: Node,
    outputs: int,
    *,
    tokens: Count,
    answer: Count,
    width: Count = 16,
    heads: Count = 1,
    hidden: Count = 32,
) -> Node:
    """(samples, answer, outputs) from sequences of tokens, (samples, positions).

    One block: causal attention, then an MLP, each with a normalisation before it, and added to what
    it reads. Each of the last `answer` positions predicts from what it has gathered from itself
    and from those before it.

    tokens: how many there are; a feature is one of 0, 1, ... tokens - 1
    """
    positions = int(x.shape[1])
    if width % heads:
        raise InputError(
            f"stages/models/transformer.py: width must be a multiple of heads, {heads}; got {width}"
        )
    if answer > positions:
        raise InputError(
            "stages/models/transformer.py: answer must be at most the number of features, "
            f"{positions}; got {answer}"
        )
    token = x.graph.parameter("token.weight", (tokens, width), normal)
    position = x.graph.parameter("position.weight", (positions, width), normal)
    z = embedding(x, token) + position
    parts = _linear(_norm(z, "norm1"), "query_key_value", 3 * width)
    z = z + _linear(_attend(parts, heads), "project", width)
    inside = gelu(_linear(_norm(z, "norm2"), "expand", hidden), approximate="tanh")
    z = z + _linear(inside, "contract", width)
    return _linear(_norm(z[:, positions - answer :], "norm3"), "linear", outputs)


def _attend(parts: Node, heads: int) -> Node:
    """What each position gathers from itself and those before it, (samples, positions, width).

    parts: query, key and value of all heads, (samples, positions, 3 * width)
    """
    positions, own = int(parts.shape[1]), int(parts.shape[2]) // (3 * heads)
    split = permute(reshape(parts, (SAMPLES, positions, 3, heads, own)), (2, 0, 3, 1, 4))
    query, key, value = (split[index] for index in range(3))
    later = np.triu(np.full((positions, positions), -np.inf), 1)  # nothing can be read of it
    weights = softmax(query @ key.T / math.sqrt(own) + later)
    return reshape(permute(weights @ value, (0, 2, 1, 3)), (SAMPLES, positions, heads * own))


def _norm(z: Node, name: str) -> Node:
    width = int(z.shape[-1])
    weight = z.graph.parameter(f"{name}.weight", (width,), ones)
    bias = z.graph.parameter(f"{name}.bias", (width,), zeros)
    return layer_norm(z, (width,), weight, bias)


def _linear(z: Node, name: str, outputs: int) -> Node:
    inputs = int(z.shape[-1])
    weight = z.graph.parameter(f"{name}.weight", (outputs, inputs), fan_in(inputs))
    bias = z.graph.parameter(f"{name}.bias", (outputs,), fan_in(inputs))
    return z @ weight.T + bias
