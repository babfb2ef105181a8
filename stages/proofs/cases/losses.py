"""See stages/graph/operations/losses.py."""

from stages.graph.operation import SAMPLES
from stages.proofs.operands import ONE, ROWS, TRANSPOSED, Case, Labels, cases

LOSSES: dict[str, list[Case]] = {
    "half_mse": cases(((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), TRANSPOSED), (ROWS, ROWS)),
    "cross_entropy": cases(
        ((3,), Labels((), 3)),
        ((4, 3), Labels((4,), 3)),
        ((2, 3, 2), Labels((2, 3), 2)),
        ((4, 1), Labels((4,), 1)),
        (ROWS, Labels((SAMPLES,), 3)),
    ),
    "of_the_label": cases(
        ((3,), Labels((), 3)),
        ((4, 3), Labels((4,), 5)),  # some are no class
        ((3,), Labels((4,), 3)),
        (ROWS, Labels((SAMPLES,), 3)),
    ),
    "huber": [
        *cases(*ONE, attributes={"delta": 0.7}),
        *cases(((3, 5),), attributes={"delta": 1.0}, whole=True),
    ],
    "accuracy": cases(
        ((3,), Labels((), 3)), ((4, 3), Labels((4,), 3)), ((4, 2, 3), Labels((4, 2), 3))
    ),
}
