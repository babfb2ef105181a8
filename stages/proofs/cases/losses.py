"""See stages/graph/operations/losses.py."""

from stages.graph.operation import SAMPLES
from stages.proofs.operands import ROWS, TRANSPOSED, Case, Labels, cases

LOSSES: dict[str, list[Case]] = {
    "half_mse": cases(((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), TRANSPOSED), (ROWS, ROWS)),
    "cross_entropy": cases(
        ((3,), Labels((), 3)),
        ((4, 3), Labels((4,), 3)),
        ((2, 3, 2), Labels((2, 3), 2)),
        ((4, 1), Labels((4,), 1)),
        (ROWS, Labels((SAMPLES,), 3)),
    ),
    "accuracy": cases(
        ((3,), Labels((), 3)), ((4, 3), Labels((4,), 3)), ((4, 2, 3), Labels((4, 2), 3))
    ),
}
