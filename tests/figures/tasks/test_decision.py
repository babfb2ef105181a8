import numpy as np

from stages.figures.tasks.decision import boundary, regions

AXIS = np.linspace(-2, 2, 41)
X, Y = np.meshgrid(AXIS, AXIS)
# The class whose direction is nearest: three sectors that meet in the middle.
ANGLES = np.array([0, 2 * np.pi / 3, 4 * np.pi / 3])[:, None, None]
SECTORS = X * np.cos(ANGLES) + Y * np.sin(ANGLES)


def test_each_point_lies_in_the_region_of_its_highest_score_and_in_no_other() -> None:
    paths = regions(AXIS, AXIS, SECTORS)
    points = np.random.default_rng(0).uniform(-1.9, 1.9, (300, 2))
    scores = points[:, 0] * np.cos(ANGLES[:, 0]) + points[:, 1] * np.sin(ANGLES[:, 0])
    lead = np.diff(np.sort(scores, axis=0), axis=0)[-1]
    clear = lead > 0.15  # regions are exact to a cell of the grid
    for index, path in enumerate(paths):
        inside = path.contains_points(points[clear])
        np.testing.assert_array_equal(inside, scores.argmax(axis=0)[clear] == index)


def test_the_boundary_runs_where_the_two_highest_scores_are_equal_and_only_once() -> None:
    vertices = boundary(AXIS, AXIS, SECTORS).vertices
    scores = vertices[:, 0] * np.cos(ANGLES[:, 0]) + vertices[:, 1] * np.sin(ANGLES[:, 0])
    best = np.sort(scores, axis=0)
    np.testing.assert_allclose(best[-1], best[-2], atol=0.1)
    rounded = {tuple(vertex) for vertex in vertices.round(6)}
    assert len(rounded) >= len(vertices) - 3  # a doubled line would have every vertex twice


def test_a_score_that_is_not_finite_has_no_regions() -> None:
    scores = SECTORS.copy()
    scores[1, 3, 3] = np.nan
    assert all(len(path.vertices) == 0 for path in regions(AXIS, AXIS, scores))
    assert len(boundary(AXIS, AXIS, scores).vertices) == 0


def test_one_class_everywhere_has_no_boundary() -> None:
    scores = np.stack([np.ones_like(X), np.zeros_like(X)])
    whole, nothing = regions(AXIS, AXIS, scores)
    assert whole.contains_point((0, 0))
    assert len(nothing.vertices) == 0
    assert len(boundary(AXIS, AXIS, scores).vertices) == 0


def test_scores_near_the_largest_float_are_compared() -> None:
    assert regions(AXIS, AXIS, SECTORS * 6e307)[0].contains_point((1.5, 0))
