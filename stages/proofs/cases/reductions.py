"""See stages/graph/operations/reductions.py."""

from stages.proofs.operands import ROWS, Case

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

SOME = [REDUCED[index] for index in (0, 3, 4, 8, 12, 15)]
WHOLE = [
    Case(((3, 5),), {"axis": axis, "keepdims": False}, whole=True) for axis in (None, 1, (0, 1))
]
ZERO = Case(((3,),), {"axis": None, "keepdims": False}, low=-0.4, high=0.4, whole=True)
MINUS_ONE_ZERO_ONE = Case(
    ((3,),), {"axis": None, "keepdims": False}, low=-1.2, high=1.2, whole=True
)
ALONG = [
    Case((shape,), {"axis": axis})
    for shape, axis in (((3,), 0), ((2, 3, 2), 1), ((2, 3, 2), -1), (ROWS, 0), (ROWS, 1))
]
VARIANCES = [
    Case((shape,), {"axis": axis, "keepdims": keepdims, "correction": correction})
    for shape, axis, keepdims, correction in (
        ((2, 3), None, False, 1),
        ((2, 3, 2), 1, True, 0),
        ((2, 3, 2), (0, 2), False, 1.5),
        (ROWS, 0, False, 1),
        (ROWS, -1, True, 0),
    )
]

REDUCTIONS: dict[str, list[Case]] = {
    "sum": REDUCED,
    "mean": REDUCED,
    "max": [*SOME, *WHOLE],
    "min": [*SOME, *WHOLE],
    "prod": [*SOME, *WHOLE, ZERO, MINUS_ONE_ZERO_ONE],
    "var": VARIANCES,
    "norm": [*SOME, ZERO],
    "cumsum": ALONG,
    "logsumexp": SOME,
    "softmax": ALONG,
    "log_softmax": ALONG,
}
