"""See stages/graph/operations/embedding.py."""

from stages.proofs.operands import Case, cases

EMBEDDING: dict[str, list[Case]] = {
    "embedding": cases(
        ((), (4, 2)),
        ((3,), (4, 2)),
        ((2, 3), (4, 1)),
        ((5,), (4, 3)),
        low=0,
        high=3,
        whole=True,
    ),
}
