"""See stages/graph/operations/pooling.py."""

from dataclasses import replace

from stages.graph.operation import SAMPLES
from stages.proofs.operands import Case

ROWS = [
    Case((shape,), {"kernel_size": (kernel,), "stride": (stride,), "padding": (padding,)})
    for shape, kernel, stride, padding in (
        ((2, 2, 6), 2, 2, 0),
        ((SAMPLES, 1, 5), 3, 1, 1),
        ((1, 2, 4), 1, 3, 0),
    )
]
IMAGES = [
    Case((shape,), {"kernel_size": kernel, "stride": stride, "padding": padding})
    for shape, kernel, stride, padding in (
        ((2, 2, 4, 4), (2, 2), (2, 2), (0, 0)),
        ((SAMPLES, 1, 3, 4), (3, 2), (1, 2), (1, 1)),
        ((1, 2, 3, 3), (2, 2), (1, 1), (0, 0)),
    )
]


def _with_equals(cases: list[Case]) -> list[Case]:
    """The cases, and the first once more with elements that are equal."""
    return [*cases, replace(cases[0], whole=True)]


POOLING: dict[str, list[Case]] = {
    "max_pool1d": _with_equals(ROWS),
    "max_pool2d": _with_equals(IMAGES),
    "avg_pool1d": ROWS,
    "avg_pool2d": IMAGES,
    "adaptive_avg_pool1d": [
        Case((shape,), {"output_size": (size,)})
        for shape, size in (((2, 2, 6), 3), ((SAMPLES, 1, 5), 3), ((1, 2, 4), 1))
    ],
    "adaptive_avg_pool2d": [
        Case((shape,), {"output_size": size})
        for shape, size in (
            ((2, 2, 4, 3), (2, 1)),
            ((SAMPLES, 1, 5, 3), (3, 2)),
            ((1, 1, 2, 2), (3, 2)),
        )
    ],
}
