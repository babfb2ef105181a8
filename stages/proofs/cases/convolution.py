"""See stages/graph/operations/convolution.py."""

from typing import Any

from stages.graph.operation import SAMPLES, Shape
from stages.proofs.operands import Case


def _convolutions(dims: int, *cases: tuple[Shape, Shape, dict[str, Any]]) -> list[Case]:
    ones, zeros = (1,) * dims, (0,) * dims
    usual = {"stride": ones, "padding": zeros, "dilation": ones, "groups": 1}
    return [Case((images, weight), usual | options) for images, weight, options in cases]


CONVOLUTION: dict[str, list[Case]] = {
    "conv1d": _convolutions(
        1,
        ((2, 2, 5), (3, 2, 3), {}),
        ((2, 1, 4), (1, 1, 1), {}),
        ((SAMPLES, 2, 5), (4, 1, 2), {"stride": (2,), "padding": (1,), "groups": 2}),
        ((1, 1, 5), (2, 1, 2), {"dilation": (3,)}),
    ),
    "conv2d": _convolutions(
        2,
        ((2, 2, 3, 4), (3, 2, 2, 3), {}),
        ((1, 2, 2, 2), (1, 2, 1, 1), {}),
        ((SAMPLES, 2, 3, 3), (2, 2, 3, 2), {"padding": (1, 0)}),
        ((2, 2, 3, 4), (2, 1, 2, 2), {"stride": (1, 2), "groups": 2}),
        ((1, 1, 4, 3), (2, 1, 2, 2), {"dilation": (2, 1), "padding": (1, 1), "stride": (2, 2)}),
    ),
}
