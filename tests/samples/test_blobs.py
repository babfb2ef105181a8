import numpy as np
import pytest

from stages.samples.blobs import generate

CENTERS = [[2.0, 2.0, 0.0], [-2.0, -2.0, 5.0], [0.0, 7.0, 1.0], [9.0, 9.0, 9.0]]


def test_each_class_is_normal_around_its_center():
    samples = 20_000
    columns = generate(
        np.random.default_rng(1), samples_per_class=samples, centers=CENTERS, deviation=1.5
    )
    assert list(columns) == ["x1", "x2", "x3", "class"]
    *coordinates, label = columns.values()
    points = np.stack(coordinates, axis=1)
    for index, center in enumerate(CENTERS):
        cloud = points[label == index]
        assert len(cloud) == samples
        # Four standard errors, of the mean and of the covariance.
        assert cloud.mean(axis=0) == pytest.approx(center, abs=4 * 1.5 / np.sqrt(samples))
        np.testing.assert_allclose(
            np.cov(cloud.T), 1.5**2 * np.eye(3), atol=4 * 1.5**2 * np.sqrt(2 / samples)
        )
        within = (np.abs(cloud - center) < 1.5).mean()
        assert within == pytest.approx(0.6827, abs=0.01)  # within one deviation


def test_without_deviation_the_points_are_the_centers():
    columns = generate(
        np.random.default_rng(1), samples_per_class=2, centers=[[1.0], [4.0]], deviation=0
    )
    assert {name: column.tolist() for name, column in columns.items()} == {
        "x1": [1, 1, 4, 4],
        "class": [0, 0, 1, 1],
    }
