"""See stages/graph/operations/normalization.py."""

from stages.graph.operation import SAMPLES
from stages.proofs.operands import ROWS, Case

LAST = [
    Case((shape,), {"normalized_shape": shape[-count:], "eps": eps})
    for shape, count in (((5,), 1), ((2, 5), 1), ((2, 3, 2), 2), (ROWS, 1))
    for eps in (1e-5, 0.5)
]
ALONE = Case(((3, 1),), {"normalized_shape": (1,), "eps": 0.5})

NORMALIZATION: dict[str, list[Case]] = {
    "layer_norm": [*LAST, ALONE],
    "rms_norm": [*LAST, ALONE],
    "batch_norm": [
        Case((shape, weight, bias), {"eps": eps})
        for shape, weight, bias in (
            ((4, 3), (3,), (3,)),
            ((3, 2, 2), (2,), (2,)),
            ((2, 3, 2, 2), (3,), (3,)),
            ((4, 1), (1,), 0.0),
            ((1, 2, 3), 1.0, (2,)),
            (ROWS, (3,), (3,)),
            ((SAMPLES, 2, 3), 1.0, 0.0),
        )
        for eps in (1e-5, 0.5)
    ],
}
