"""Attention: composed of products of matrices and a softmax, as torch.nn computes it."""

import math

import numpy as np

from stages.graph.node import Node
from stages.graph.operations.reductions import softmax
from stages.graph.operations.shapes import permute, reshape


def scaled_dot_product_attention(
    query: Node, key: Node, value: Node, is_causal: bool = False, scale: float | None = None
) -> Node:
    """softmax(query · keyᵀ · scale) · value.

    query: (..., targets, width)
    key, value: (..., sources, width) and (..., sources, any)
    is_causal: target i attends to the sources up to i only
    scale: 1 / √width by default
    """
    width = int(query.shape[-1])
    scores = query @ key.T * (1 / math.sqrt(width) if scale is None else scale)
    if is_causal:
        targets, sources = map(int, scores.shape[-2:])
        scores = scores + np.triu(np.full((targets, sources), -np.inf), 1)
    return softmax(scores) @ value


def self_attention(
    x: Node,
    num_heads: int,
    in_proj_weight: Node,
    in_proj_bias: Node,
    out_proj_weight: Node,
    out_proj_bias: Node,
    is_causal: bool = False,
) -> Node:
    """nn.MultiheadAttention of x with itself: every head attends with a part of the width.

    x: (samples, times, width)
    in_proj_weight, in_proj_bias: (3 * width, width) and (3 * width,), of queries, keys and values
    out_proj_weight, out_proj_bias: (width, width) and (width,)
    Raises ValueError if the width does not divide into the heads.
    """
    samples, times, width = x.shape
    if int(width) % num_heads:
        raise ValueError(
            f"self_attention: the width must be a multiple of num_heads, got {width} and "
            f"{num_heads}"
        )
    size = int(width) // num_heads
    passed = reshape(x @ in_proj_weight.T + in_proj_bias, (samples, times, 3, num_heads, size))
    query, key, value = (permute(passed[:, :, part], (0, 2, 1, 3)) for part in range(3))
    heads = scaled_dot_product_attention(query, key, value, is_causal)
    joined = reshape(permute(heads, (0, 2, 1, 3)), (samples, times, width))
    return joined @ out_proj_weight.T + out_proj_bias
