import math
from collections.abc import Callable

import numpy as np
import pytest

from stages.graph import Graph, Node, exp, maximum, relu
from stages.proofs.formulas import Formula
from stages.proofs.gradients import central_differences, relative_error


def slopes(write: Callable[[Node], Node], at: float, step: float) -> tuple[float, bool]:
    graph = Graph()
    loss = write(graph.parameter("p", ()))
    formula = Formula(graph, loss, {"p": np.array([at])}, lambda values: values["p"])
    found, smooth = central_differences(formula, step)
    assert graph.parameters.item() == at
    return found.item(), smooth.item()


def test_central_differences_are_exact_for_polynomials_of_degree_4() -> None:
    slope, smooth = slopes(lambda p: 3 * p**4 - p**3 + 2 * p**2 - p + 7, 0.5, step=0.25)
    assert slope == pytest.approx(12 * 0.125 - 3 * 0.25 + 4 * 0.5 - 1, rel=1e-14)
    assert smooth


@pytest.mark.parametrize("step", [0.1, 0.05, 0.025])
def test_central_differences_have_the_error_that_they_state(step: float) -> None:
    slope, _ = slopes(exp, 1.0, step)
    assert math.e - slope == pytest.approx(step**4 / 30 * math.e, rel=0.02)


@pytest.mark.parametrize("write", [relu, lambda p: maximum(p, 0.0), lambda p: maximum(-p, 2 * p)])
def test_central_differences_stop_short_of_a_kink(write: Callable[[Node], Node]) -> None:
    at = {0.0: False, 0.19: False, -0.19: False, 0.21: True, -0.21: True}
    assert {p: slopes(write, p, step=0.1)[1] for p in at} == at


def test_a_relative_error_is_that_of_a_whole_gradient() -> None:
    gradients = np.array([[100.0, 1e-9, 0.0], [0.0, 0.0, 0.0], [-2.0, 1.0, 1.0]])
    others = gradients + np.array([[0.0, 1e-9, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.5]])
    assert relative_error(gradients, others) == 0.25
    assert relative_error(gradients[:2], others[:2]) == pytest.approx(1e-11)
    assert relative_error(gradients[1:2], others[1:2] + 1e-13) == 1e-13
    assert math.isnan(relative_error(gradients, others * math.nan))
