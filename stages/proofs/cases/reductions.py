"""See stages/graph/operations/reductions.py."""

from stages.proofs.operands import ONE, ROWS, Case, cases

REDUCED = [
    Case((shape,), {"axis": axis, "keepdims": keepdims})
    for shape, axis in (
        ((), None),
        ((2, 3, 2), None),
        ((2, 3, 2), 1),
        ((2, 3, 2), -1),
        ((2, 3, 2), (0, 2)),
        (ROWS, None),
        (ROWS, 0),
        (ROWS, 1),
    )
    for keepdims in (False, True)
]

REDUCTIONS: dict[str, list[Case]] = {
    "sum": REDUCED,
    "mean": REDUCED,
    "log_softmax": cases(*ONE[1:]),
}
