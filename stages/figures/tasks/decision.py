"""Where a classifier chooses which class: regions of the plane and the lines between them."""

from typing import Any

import numpy as np
from contourpy import FillType, LineType, contour_generator
from matplotlib.path import Path
from numpy.typing import NDArray

Scores = NDArray[np.floating]  # (classes, rows, columns), one score for each class on a grid
Axis = NDArray[np.float64]

NOWHERE = Path(np.empty((0, 2)))


def regions(x: Axis, y: Axis, scores: Scores) -> list[Path]:
    """For each class the region in which its score is the highest; empty if a score is NaN."""
    if not np.isfinite(scores).all():
        return [NOWHERE for _ in scores]
    return [_region(x, y, _lead(scores, index)) for index in range(len(scores))]


def boundary(x: Axis, y: Axis, scores: Scores) -> Path:
    """The lines between the regions, each once, so that they can be dashed; empty if any is NaN."""
    if not np.isfinite(scores).all():
        return NOWHERE
    lines = []
    for index in range(len(scores) - 1):
        lead = _lead(scores[index:], 0)
        if index:  # where an earlier class wins there is no boundary between later ones
            lead[scores[:index].max(axis=0) > scores[index:].max(axis=0)] = np.nan
        generator: Any = contour_generator(x, y, lead, line_type=LineType.SeparateCode)
        points, codes = generator.lines(0.0)
        lines += [Path(*line) for line in zip(points, codes, strict=True)]
    return Path.make_compound_path(*lines) if lines else NOWHERE


def _region(x: Axis, y: Axis, lead: NDArray[np.float64]) -> Path:
    generator: Any = contour_generator(x, y, lead, fill_type=FillType.OuterCode)
    points, codes = generator.filled(0.0, np.inf)
    if not points:
        return NOWHERE
    return Path(np.concatenate(points), np.concatenate(codes))


def _lead(scores: Scores, index: int) -> NDArray[np.float64]:
    """How far the score of a class is above the best of the others."""
    # Scaled, because the difference of two scores near the largest float would overflow.
    scaled = scores / max(np.abs(scores).max(), 1e-300)
    others = np.delete(scaled, index, axis=0).max(axis=0)
    return np.asarray(scaled[index] - others, np.float64)
