"""What every operation of the graph is given when its gradient is compared, by its name."""

from stages.proofs.cases.activations import ACTIVATIONS
from stages.proofs.cases.arithmetic import ARITHMETIC
from stages.proofs.cases.comparisons import COMPARISONS
from stages.proofs.cases.convolution import CONVOLUTION
from stages.proofs.cases.elementwise import ELEMENTWISE
from stages.proofs.cases.embedding import EMBEDDING
from stages.proofs.cases.losses import LOSSES
from stages.proofs.cases.matrices import MATRICES
from stages.proofs.cases.modes import MODES
from stages.proofs.cases.normalization import NORMALIZATION
from stages.proofs.cases.pooling import POOLING
from stages.proofs.cases.reductions import REDUCTIONS
from stages.proofs.cases.shapes import SHAPES
from stages.proofs.operands import Case

CASES: dict[str, list[Case]] = {
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
