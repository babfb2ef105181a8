"""See stages/graph/operations/matrices.py."""

from stages.graph.operation import SAMPLES
from stages.proofs.operands import ONE, ROWS, TRANSPOSED, Case, cases

MATRICES: dict[str, list[Case]] = {
    "matmul": cases(
        ((2, 3), (3, 2)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
        ((1, 2, 3), (2, 3, 1)),
        ((2, 1, 1, 3), (2, 3, 1)),
        ((2, 3), TRANSPOSED),
        (ROWS, (3, 2)),
        ((2, SAMPLES), ROWS),
    ),
    "transpose": cases(*ONE[2:]),
}
