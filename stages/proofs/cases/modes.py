"""See stages/graph/operations/modes.py."""

from stages.proofs.operands import ROWS, Case, cases

MODES: dict[str, list[Case]] = {
    "choose": cases(((), ()), ((2, 3), (2, 3)), (ROWS, ROWS), attributes={"updates": {}})
}
