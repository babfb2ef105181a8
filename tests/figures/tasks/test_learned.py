import math
from dataclasses import replace

import numpy as np
from networks import predict

from stages.figures.tasks.learned import Learned, Results, thinned
from stages.task.table import Table

STEPS = np.array([0, 5, 10])


def learned(*losses: float, weight: tuple[float, ...] = (1.0, 2.0, 3.0)) -> Learned:
    history = {"epoch": [0.0, 1.0], "step": [0.0, 10.0], "train_loss": list(losses)}
    snapshots = {
        "0.weight": np.array(weight).reshape(-1, 1, 1),
        "0.bias": np.ones((len(weight), 1)),
    }
    return Learned(history, STEPS[: len(weight)], snapshots, predict)


def table(samples: int) -> Table:
    x = np.arange(samples, dtype=np.float64)
    return Table(x[:, None], 2 * x, ["x"], "y")


def test_outputs_are_those_of_the_moments_asked_for() -> None:
    outputs = learned(1.0, 0.5).outputs(np.array([[0.0], [2.0]]), [2, 0])
    np.testing.assert_array_equal(outputs[..., 0], [[1, 7], [1, 3]])


def test_outputs_are_in_the_own_units_of_a_standardized_target() -> None:
    twin = replace(learned(1.0, 0.5), units=(100.0, 10.0))
    outputs = twin.outputs(np.array([[0.0], [2.0]]), [2, 0])
    np.testing.assert_array_equal(outputs[..., 0], [[110, 170], [110, 130]])


def test_a_moment_that_is_not_finite_or_was_not_reached_is_nan() -> None:
    twin = learned(1.0, math.nan, weight=(1.0, math.inf))
    outputs = twin.outputs(np.array([[2.0]]), [0, 1, 2])
    np.testing.assert_array_equal(outputs[:, 0, 0], [3, math.nan, math.nan])


def test_a_twin_that_diverged_is_named_unless_both_did_at_the_same_step() -> None:
    def text(numpy: Learned, torch: Learned) -> str:
        return Results(table(3), table(3), {"numpy": numpy, "torch": torch}).diverged

    fine, diverged = learned(1.0, 0.5), learned(1.0, math.nan)
    assert text(fine, fine) == ""
    assert text(diverged, diverged) == "diverged at step 10"
    assert text(fine, diverged) == "torch diverged at step 10"


def test_a_thinned_table_has_its_first_and_last_sample() -> None:
    assert thinned(table(10), 20).target.tolist() == table(10).target.tolist()
    few = thinned(table(100_000), 500)
    assert len(few.target) == 500
    assert few.target[[0, -1]].tolist() == [0, 199_998]
