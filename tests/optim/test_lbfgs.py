"""L-BFGS: its formulas written out, minima that are known, its line search, and torch bit for bit.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file follows torch.optim.LBFGS along every variant, and prints those that differ.
"""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim import lbfgs
from stages.optim.lbfgs import LBFGS, Point, cubic_minimum, strong_wolfe

Model = Callable[[np.ndarray, int], tuple[float, np.ndarray]]  # of the parameters and the call

ITERATIONS = 60  # the most of each variant, in calls of max_iter
VARIANTS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1, "max_iter": 4, "history_size": 9},
    {"history_size": 1, "max_eval": 3},
    {"lr": 0.1, "history_size": 9, "tolerance_grad": 1e-2, "tolerance_change": 1e-3},
    {"lr": 0.1, "max_iter": 1, "tolerance_grad": 0.0, "tolerance_change": 0.0},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 8, "history_size": 5},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 3, "lr": 0.1},
    {"line_search_fn": "strong_wolfe", "history_size": 1, "lr": 7.0, "max_eval": 30},
    {"line_search_fn": "strong_wolfe", "history_size": 9, "tolerance_change": 1e-3},
    {
        "line_search_fn": "strong_wolfe",
        "history_size": 9,
        "tolerance_grad": 0.0,
        "tolerance_change": 0.0,
    },
]


def rosenbrock(p: np.ndarray, _call: int = 0) -> tuple[float, np.ndarray]:
    """(1 - x)² + 100 · (y - x²)², whose minimum is 0 at (1, 1); Rosenbrock 1960."""
    x, y = p
    off = y - x * x
    gradient = [-2 * (1 - x) - 400 * x * off, 200 * off]
    return float((1 - x) ** 2 + 100 * off * off), np.array(gradient, p.dtype)


def badly_scaled(p: np.ndarray, _call: int) -> tuple[float, np.ndarray]:
    curvatures = np.logspace(-3, 3, len(p)).astype(p.dtype)
    return float((curvatures * p * p).sum() / 2), curvatures * p


def parabola(p: np.ndarray, call: int) -> tuple[float, np.ndarray]:
    """y = p · x² with another x at each call."""
    square = np.random.default_rng(call).random(p.shape).astype(p.dtype) ** 2
    return float((p * square).sum()), square


def network(p: np.ndarray, call: int) -> tuple[float, np.ndarray]:
    """½ mean((v · tanh(W · x) - y)²) of a batch that changes from call to call."""
    random = np.random.default_rng(call % 4)
    x, y = random.normal(size=(10, 3)).astype(p.dtype), random.normal(size=10).astype(p.dtype)
    weights, v = p[:15].reshape(3, 5), p[15:]
    hidden = np.tanh(x @ weights)
    error = (hidden @ v - y) / 10
    inner = np.outer(error, v) * (1 - hidden * hidden)
    gradient = np.concatenate([(x.T @ inner).ravel(), hidden.T @ error])
    return float((error * error).sum() * 5), gradient


def through_infinity(p: np.ndarray, _call: int) -> tuple[float, np.ndarray]:
    """Many minima between walls beyond which there is infinity, or no number."""
    e = np.exp(8 * p * p)
    loss = np.log(p + 3) * e - np.cos(5 * p)
    return float(loss.sum()), e / (p + 3) + np.log(p + 3) * e * 16 * p + 5 * np.sin(5 * p)


MODELS: dict[str, tuple[Model, np.ndarray]] = {
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0])),
    "badly scaled": (badly_scaled, np.linspace(-3, 4, 10)),
    "of the seed": (parabola, np.array([1.2])),
    "network": (network, np.random.default_rng(5).normal(size=20)),
    "through infinity": (through_infinity, np.linspace(-2, 3, 7)),
}


def difference(model: Model, start: np.ndarray, variant: dict[str, Any]) -> str | None:
    """Where we part from torch for the first time, in any bit or in the number of evaluations."""
    import torch

    from stages.reference.ieee import numpy_reductions

    p, g = start.copy(), np.zeros_like(start)
    theirs = torch.tensor(start, requires_grad=True)
    optimizer, torch_optimizer = LBFGS(**variant), torch.optim.LBFGS([theirs], **variant)
    calls = [0, 0]
    for step in range(ITERATIONS // optimizer.max_iter):

        def closure(step: int = step) -> float:
            calls[0] += 1
            loss, g[:] = model(p, step)
            return loss

        def torch_closure(step: int = step) -> float:
            calls[1] += 1
            loss, gradient = model(theirs.detach().numpy(), step)
            theirs.grad = torch.from_numpy(gradient)
            return loss

        loss = optimizer(p, g, closure)
        with numpy_reductions():
            torch_loss = torch_optimizer.step(torch_closure)
        state = torch_optimizer.state[theirs]
        if calls[0] != calls[1] or repr(loss) != repr(torch_loss):
            return f"step {step}: {calls[0]} evaluations, not {calls[1]}"
        counts = (optimizer.iterations, optimizer.evaluations)
        if counts != (state["n_iter"], state["func_evals"]) or counts[1] != calls[0]:
            return f"step {step}: counts {counts}"
        expected = theirs.detach().numpy()
        same = (p == expected) & (np.signbit(p) == np.signbit(expected))
        if not (same | np.isnan(p) & np.isnan(expected)).all():
            return f"step {step}: {p}, not {expected}"
    return "nothing moves" if np.array_equal(p, start) else None


LINES_OF_NOISE = 300


def line_difference(seed: int, dtype: str) -> str | None:
    """Where a line search parts from torch's, among points whose losses and slopes are noise."""
    import torch
    from torch.optim.lbfgs import _strong_wolfe

    from stages.reference.ieee import numpy_reductions

    random = np.random.default_rng(seed)
    d = (10 ** random.uniform(-9, 1, 1)).astype(dtype)
    trials = int(random.integers(0, 8))
    falling = random.random() < 0.5
    losses = (random.normal(size=9) - 3 * falling * np.arange(9)).tolist()
    gradients = (random.normal(size=(9, 1)) / d - falling).astype(dtype)
    gradients[0] = -np.abs(gradients[0]) * 2
    for value in (np.inf, np.nan):
        if random.random() < 0.1:
            n = random.integers(1, 9)
            losses[n] = value
            if np.isnan(value):
                gradients[n] = np.nan  # were it small, torch would fail with an IndexError
    step: Any = float(10 ** random.uniform(-2, 1))
    if seed % 2:
        step = np.dtype(dtype).type(step)  # as the first step of all may be
    tried: list[float] = []

    def at(step: float, *_kept: Point) -> Point:
        tried.append(float(step))
        n = len(tried)
        return Point(step, losses[n], np.dot(gradients[n], d), gradients[n])

    start = Point(0, losses[0], np.dot(gradients[0], d), gradients[0])
    found = strong_wolfe(at, start, step, trials, np.abs(d).max())
    theirs: list[float] = []

    def torch_at(_x: object, step: Any, _d: object) -> tuple[float, torch.Tensor]:
        theirs.append(float(step))
        n = len(theirs)
        return losses[n], torch.from_numpy(gradients[n])

    torch_step = torch.tensor(step) if seed % 2 else step
    line = (torch.from_numpy(d), losses[0], torch.from_numpy(gradients[0]))
    slope = torch.tensor(start.slope)
    with numpy_reductions():
        expected = _strong_wolfe(torch_at, None, torch_step, *line, slope, max_ls=trials)
    loss, gradient, torch_step, evaluations = expected
    ours = (found.loss, found.gradient.item(), float(found.step), len(tried), tried)
    other = (loss, gradient.item(), float(torch_step), evaluations, theirs)
    return None if repr(ours) == repr(other) else f"{ours}, not {other}"


def main() -> None:
    """Prints {variant: where it differs, or null}."""
    import torch

    torch.set_num_threads(1)  # on arrays this small several only wait for each other
    with np.errstate(all="ignore"):
        lines = {
            f"line {seed} {dtype}": line_difference(seed, dtype)
            for seed in range(LINES_OF_NOISE)
            for dtype in ("float64", "float32")
        }
        differences = {
            f"{name} {dtype} {variant}": difference(model, start.astype(dtype), variant)
            for name, (model, start) in MODELS.items()
            for dtype in ("float64", "float32")
            for variant in VARIANTS
        }
    print(json.dumps(differences | lines))


def test_every_variant_follows_torch_bit_for_bit_with_as_many_evaluations() -> None:
    """Given the same dot products and sums, see numpy_reductions."""
    differences = printed_by(__file__)
    assert len(differences) == 2 * (len(MODELS) * len(VARIANTS) + LINES_OF_NOISE)
    assert {variant: where for variant, where in differences.items() if where} == {}


class Recorded:
    """A model's closure that keeps the parameters, gradients and losses it has seen."""

    def __init__(self, model: Model, parameters: np.ndarray) -> None:
        self.model, self.parameters = model, parameters
        self.gradients = np.zeros_like(parameters)
        self.at: list[np.ndarray] = []
        self.gradients_at: list[np.ndarray] = []
        self.losses: list[float] = []

    def __call__(self) -> float:
        loss, self.gradients[:] = self.model(self.parameters, 0)
        self.at.append(self.parameters.copy())
        self.gradients_at.append(self.gradients.copy())
        self.losses.append(loss)
        return loss

    def step(self, optimizer: LBFGS) -> float:
        return optimizer(self.parameters, self.gradients, self)


@pytest.mark.parametrize(
    "variant", [{"line_search_fn": "strong_wolfe"}, {"lr": 0.5, "max_iter": 40}]
)
def test_rosenbrocks_minimum_is_found(variant: dict[str, Any]) -> None:
    closure, optimizer = (
        Recorded(rosenbrock, np.array([-1.2, 1.0])),
        LBFGS(tolerance_change=1e-14, **variant),
    )
    assert closure.step(optimizer) == pytest.approx(24.2)
    for _ in range(4):
        closure.step(optimizer)
    np.testing.assert_allclose(closure.parameters, [1, 1], rtol=1e-6)
    assert optimizer.evaluations == len(closure.losses) < 200


def quadratic(n: int) -> tuple[np.ndarray, np.ndarray, Model]:
    """A and b of ½ pᵀAp - bᵀp, whose minimum is where Ap = b, and the model."""
    random = np.random.default_rng(3)
    root, b = random.normal(size=(n, n)), random.normal(size=n)
    a = root @ root.T + np.eye(n)
    return a, b, lambda p, _: (float(p @ a @ p / 2 - b @ p), a @ p - b)


@pytest.mark.parametrize("history_size", [1, 6])
def test_with_an_exact_line_search_it_is_the_method_of_conjugate_gradients(
    history_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nocedal and Wright, section 7.2; so the minimum of n parameters is found in n iterations."""
    monkeypatch.setattr(lbfgs, "CURVATURE", 1e-11)
    a, b, model = quadratic(6)
    closure = Recorded(model, np.zeros(6))
    optimizer = LBFGS(
        max_iter=1,
        max_eval=20,
        history_size=history_size,
        line_search_fn="strong_wolfe",
        tolerance_change=0,
    )
    p = np.zeros(6)
    residual = direction = b
    for iteration in range(6):
        closure.step(optimizer)
        step = residual @ residual / (direction @ a @ direction)
        p, before, residual = p + step * direction, residual, residual - step * a @ direction
        direction = residual + residual @ residual / (before @ before) * direction
        np.testing.assert_allclose(closure.parameters, p, rtol=1e-6, err_msg=f"{iteration}")
    np.testing.assert_allclose(closure.parameters, np.linalg.solve(a, b), rtol=1e-6)


@pytest.mark.parametrize("history_size", [1, 3, 100])
def test_the_direction_is_that_of_the_formula_with_matrices(history_size: int) -> None:
    _, _, model = quadratic(5)
    closure = Recorded(model, np.ones(5))
    optimizer = LBFGS(lr=0.3, max_iter=8, history_size=history_size)
    closure.step(optimizer)
    steps = list(
        zip(np.diff(closure.at, axis=0), np.diff(closure.gradients_at, axis=0), strict=True)
    )
    assert len(steps) == 7
    assert all(s @ y > 1e-10 for s, y in steps)
    for done in range(1, 7):
        s, y = steps[done - 1]
        hessian = np.eye(5) * (y @ s) / (y @ y)
        for s, y in steps[max(0, done - history_size) : done]:
            rho, one = 1 / (y @ s), np.eye(5)
            left = one - rho * np.outer(s, y)
            hessian = left @ hessian @ left.T + rho * np.outer(s, s)
        newton = -hessian @ closure.gradients_at[done]
        np.testing.assert_allclose(steps[done][0], 0.3 * newton, rtol=1e-9)


def test_the_very_first_step_is_short() -> None:
    for gradient, step in ((np.array([3.0, -5.0]), 0.5 / 8), (np.array([0.25, -0.5]), 0.5)):
        closure = Recorded(lambda _p, _call, g=gradient: (0.0, g), np.zeros(2))
        closure.step(LBFGS(lr=0.5, max_iter=1))
        np.testing.assert_allclose(closure.parameters, -step * gradient, rtol=1e-15)


def test_a_pair_without_curvature_is_left_out() -> None:
    """Where the gradient stays the same there is nothing to infer: d = -g."""
    closure = Recorded(lambda _p, _call: (0.0, np.array([3.0, -5.0])), np.zeros(2))
    optimizer = LBFGS(max_iter=1)
    for _ in range(3):
        closure.step(optimizer)
    np.testing.assert_allclose(closure.parameters, np.array([-3, 5]) * (1 / 8 + 1 + 1), rtol=1e-15)


@pytest.mark.parametrize("history_size", [2, 100])
def test_iterations_may_be_one_call_or_many(history_size: int) -> None:
    settings: dict[str, Any] = {"lr": 0.5, "history_size": history_size, "tolerance_change": 0.0}
    at_once, one_by_one = (Recorded(rosenbrock, np.array([-1.2, 1.0])) for _ in range(2))
    at_once.step(LBFGS(max_iter=12, **settings))
    optimizer = LBFGS(max_iter=1, **settings)
    for _ in range(12):
        one_by_one.step(optimizer)
    assert optimizer.iterations == 12
    assert [p.tobytes() for p in at_once.at] == [p.tobytes() for p in one_by_one.at]
    assert at_once.parameters.tobytes() == one_by_one.parameters.tobytes()


@pytest.mark.parametrize(
    ("variant", "evaluations"),
    [
        ({"max_iter": 4}, 4),  # none after the last iteration
        ({"max_iter": 1}, 1),
        ({"max_iter": 20, "max_eval": 7}, 7),
        ({"tolerance_grad": 1e9}, 1),
        ({"tolerance_change": 1e9}, 1),
    ],
)
def test_the_closure_is_called_no_more_than_said(variant: dict[str, Any], evaluations: int) -> None:
    closure = Recorded(rosenbrock, np.array([-1.2, 1.0]))
    closure.step(LBFGS(lr=0.1, **variant))
    assert len(closure.losses) == evaluations


@pytest.mark.parametrize("max_eval", range(1, 12))
def test_the_line_search_tries_one_step_at_least(max_eval: int) -> None:
    closure = Recorded(rosenbrock, np.array([-1.2, 1.0]))
    optimizer = LBFGS(max_iter=100, max_eval=max_eval, line_search_fn="strong_wolfe")
    closure.step(optimizer)
    assert max_eval <= len(closure.losses) == optimizer.evaluations <= max_eval + 1
    loss, _ = rosenbrock(closure.parameters)
    assert loss == min(closure.losses)


def test_a_start_at_the_minimum_stays_there() -> None:
    closure = Recorded(rosenbrock, np.ones(2))
    assert closure.step(LBFGS()) == 0
    np.testing.assert_array_equal(closure.parameters, [1, 1])


# Moré and Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20, 1994,
# equations 5.1 and 5.2; and a valley far away.
LINES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "5.1": (lambda t: -t / (t**2 + 2), lambda t: (t**2 - 2) / (t**2 + 2) ** 2),
    "5.2": (
        lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
        lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
    ),
    "far": (lambda t: (t - 1e6) ** 2, lambda t: 2 * (t - 1e6)),
}


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("line", LINES)
def test_the_line_search_ends_where_the_strong_wolfe_conditions_hold(
    line: str, first: float
) -> None:
    value, derivative = LINES[line]
    tried = []

    def at(step: float, *_kept: Point) -> Point:
        tried.append(step)
        return Point(step, value(step), derivative(step), np.array([derivative(step)]))

    start = at(0)
    found = strong_wolfe(at, start, first, 50, 1.0)
    assert found.step in tried[1:]
    assert found.loss <= start.loss + 1e-4 * found.step * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert len(tried) < 50


def test_the_minimum_of_a_cubic() -> None:
    """t³ - 3t has its minimum at 1, and 3t - t³, turned around, at -1."""

    def point(t: float, sign: int = 1) -> Point:
        return Point(t, sign * (t**3 - 3 * t), sign * (3 * t**2 - 3), np.empty(0))

    for a, b in ((0.0, 2.0), (2.0, 0.0), (0.5, 0.75), (3.0, 2.0)):
        bounds = (-9.0, 9.0)
        assert cubic_minimum(point(a), point(b), bounds) == pytest.approx(1, rel=1e-12)
        mirrored = cubic_minimum(point(-a, -1), point(-b, -1), bounds)
        assert mirrored == pytest.approx(-1, rel=1e-12)
    assert cubic_minimum(point(2.0), point(3.0)) == 2
    assert cubic_minimum(point(0.5), point(0.75)) == 0.75
    assert cubic_minimum(point(0.0), point(2.0), (1.5, 5.0)) == 1.5


def test_a_cubic_without_a_minimum_is_halved() -> None:
    """t³ + t."""
    left, right = (Point(t, t**3 + t, 3 * t**2 + 1, np.empty(0)) for t in (0.0, 3.0))
    assert cubic_minimum(left, right) == cubic_minimum(right, left) == 1.5
    assert cubic_minimum(left, right, (4.0, 6.0)) == 5


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_arrays_of_any_shape_are_one_vector(line_search_fn: Any) -> None:
    start = np.linspace(-1, 2, 20)
    settings: dict[str, Any] = {"lr": 0.1, "line_search_fn": line_search_fn}
    flat = Recorded(network, start.copy())
    flat.step(LBFGS(**settings))
    for shape in ((4, 5), (2, 1, 10)):
        p, g = start.reshape(shape).copy(), np.zeros(shape)

        def closure(p: np.ndarray = p, g: np.ndarray = g) -> float:
            loss, gradient = network(p.reshape(-1), 0)
            g[:] = gradient.reshape(g.shape)
            return loss

        LBFGS(**settings)(p, g, closure)
        assert p.tobytes() == flat.parameters.tobytes() != start.tobytes()
        assert g.tobytes() == flat.gradients_at[-1].tobytes()  # as the closure left it


def test_arrays_that_are_no_vector_in_memory_are_refused() -> None:
    for p, g in ((np.ones((3, 4)).T, np.ones((4, 3))), (np.ones((3, 4)), np.ones((4, 3)).T)):
        with pytest.raises(ValueError, match="copy"):
            LBFGS()(p, g, lambda: pytest.fail("evaluated"))


def test_a_full_history_takes_no_more_memory() -> None:
    n, values = 50_000, np.linspace(1, 2, 50_000)

    def valley(p: np.ndarray, out: np.ndarray) -> float:
        np.multiply(p, values, out)
        return float(p @ out) / 2

    p, g = np.ones(n), np.zeros(n)
    optimizer = LBFGS(1e-3, 2, 9, 0, 0, history_size=3, line_search_fn="strong_wolfe")
    for _ in range(3):
        optimizer(p, g, lambda: valley(p, g))
    tracemalloc.start()
    before = optimizer.evaluations
    for _ in range(3):
        optimizer(p, g, lambda: valley(p, g))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert optimizer.evaluations - before > 9
    assert peak < p.nbytes / 4


def steps_of_torch(**variant: Any) -> None:
    import torch

    p = torch.tensor([3.0], requires_grad=True)
    p.grad = torch.ones(1)
    torch.optim.LBFGS([p], **variant).step(lambda: 1.0)


def test_what_torch_fails_at_in_a_step_is_refused_at_once() -> None:
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        steps_of_torch(line_search_fn="armijo")
    message = r"^line_search_fn must be one of strong_wolfe; got 'armijo'$"
    with pytest.raises(ValueError, match=message):
        LBFGS(line_search_fn="armijo")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_iter", "max_eval", "history_size"])
def test_counts_of_nothing_are_refused(name: str) -> None:
    """Without a history torch fails at the first pair with curvature, which finds no place."""
    with pytest.raises(ValueError, match=rf"^{name} must be at least 1, got 0$"):
        LBFGS(**{name: 0})


def test_without_a_closure_it_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="'closure'"):
        LBFGS()(np.ones(1), np.ones(1))  # type: ignore[call-arg]


if __name__ == "__main__":
    main()
