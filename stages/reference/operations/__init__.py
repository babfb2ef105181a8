"""The operations of the computation graph in torch, by the names that the graph gives them.

Each takes the operands and the attributes of the operation in stages/graph, for one run.
"""

from collections.abc import Callable
from typing import Any

from stages.reference import square_root as square_root
from stages.reference.operations.activations import ACTIVATIONS
from stages.reference.operations.arithmetic import ARITHMETIC
from stages.reference.operations.comparisons import COMPARISONS
from stages.reference.operations.convolution import CONVOLUTION
from stages.reference.operations.elementwise import ELEMENTWISE
from stages.reference.operations.embedding import EMBEDDING
from stages.reference.operations.losses import LOSSES
from stages.reference.operations.matrices import MATRICES
from stages.reference.operations.modes import MODES
from stages.reference.operations.normalization import NORMALIZATION
from stages.reference.operations.pooling import POOLING
from stages.reference.operations.reductions import REDUCTIONS
from stages.reference.operations.shapes import SHAPES

OPERATIONS: dict[str, Callable[..., Any]] = {
    **ARITHMETIC,
    **ELEMENTWISE,
    **ACTIVATIONS,
    **COMPARISONS,
    **REDUCTIONS,
    **MATRICES,
    **EMBEDDING,
    **LOSSES,
    **MODES,
    **NORMALIZATION,
    **SHAPES,
    **CONVOLUTION,
    **POOLING,
}
