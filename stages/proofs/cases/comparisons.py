"""See stages/graph/operations/comparisons.py."""

from stages.proofs.operands import ONE, ROWS, TWO, Case, cases

WHOLE = cases(((5, 1), (5,)), ((5,), 0.0), whole=True)

COMPARISONS: dict[str, list[Case]] = {
    name: [*cases(((2, 3), (3,)), (1.5, (2, 3)), (ROWS, ROWS)), *WHOLE]
    for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
} | {
    "where": cases(
        ((2, 3), (2, 3), (2, 3)),
        ((3, 5), (5,), ()),
        ((), (3,), (2, 3)),
        ((4,), (2, 4), -1.5),
        ((4,), 0.5, (4,)),
        (ROWS, ROWS, (3,)),
        whole=True,
    ),
    "maximum": [*cases(*TWO), *WHOLE],
    "minimum": [*cases(*TWO), *WHOLE],
    "clip": cases(*ONE, ((3, 5),), attributes={"low": -1.0, "high": 1.0}, whole=True)
    + cases((ROWS,), attributes={"low": -0.7, "high": float("inf")})
    + cases((ROWS,), attributes={"low": 0.5, "high": -0.5}),
}
