"""L-BFGS: steps of Newton's method, with a Hessian inferred from the last few steps.

    s = t · d,  y = g - g before          (of each step; kept if yᵀs > 1e-10)
    d = -H · g
    p = p + t · d                         (t = lr, shortened to lr / Σ|g| at the very first step if
                                           Σ|g| > 1, or found from there by a line search)

H begins as yᵀs / yᵀy of the newest kept pair and takes up each pair, from the oldest on:

    H = (1 - ρ · s · yᵀ) · H · (1 - ρ · y · sᵀ) + ρ · s · sᵀ            ρ = 1 / yᵀs

Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", Mathematical
Programming 45, 1989; here by the two loops of algorithm 7.4 in Nocedal and Wright, "Numerical
Optimization", 2nd edition.

The line search is their algorithms 3.5 and 3.6. It looks for the strong Wolfe conditions:

    f(p + t · d) <= f(p) + 1e-4 · t · gᵀd,        |∇f(p + t · d)ᵀd| <= 0.9 · |gᵀd|
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Ge

from stages.optim.arithmetic import Array
from stages.optim.arrays import kind, require_arrays, require_elements
from stages.optim.bounds import Bounded, hyperparameters

Closure = Callable[[], float]

# torch's names of what changes from step to step.
STATE = ("func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad")


@hyperparameters
class LBFGS(Bounded):
    """torch.optim.LBFGS in NumPy.

    lr: the step along d, or the first that the line search tries
    max_iter: iterations in a call
    max_eval: evaluations after which a call ends; a line search that begins with but one left makes
        two. None stands for max_iter * 5 // 4 as it is at the start, so that max_iter=1 tries one
        step, good or bad.
    tolerance_grad: a call ends where no element of the gradient is larger
    tolerance_change: a call ends where d leads down no more than this, and after an iteration that
        changes no parameter by more, or the loss by less
    history_size: pairs of s and y to keep
    line_search_fn: how the step along d is found; None takes lr as it is

    `iterations` and `evaluations` count those of all calls so far.

    >>> parameters, gradients = np.array([3.0, -5.0]), np.zeros(2)
    >>> def closure() -> float:
    ...     gradients[:] = 2 * (parameters - 1)
    ...     return ((parameters - 1) ** 2).sum()
    >>> LBFGS()(parameters, gradients, closure)
    40.0
    >>> parameters.round(6)
    array([1., 1.])
    """

    lr: Annotated[float, Ge(0)] = 1.0
    max_iter: Annotated[int, Ge(1)] = 20
    max_eval: Annotated[int, Ge(1)] | None = None
    tolerance_grad: float = 1e-7
    tolerance_change: float = 1e-9
    history_size: Annotated[int, Ge(1)] = 100
    line_search_fn: Literal["strong_wolfe"] | None = None

    iterations = evaluations = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_eval is None:
            self.max_eval = self.max_iter * 5 // 4

    def require(self, assigned: Mapping[str, Any]) -> None:
        if self.evaluations and "history_size" in assigned:
            raise ValueError(
                "history_size cannot change after the first step, "
                f"got {assigned['history_size']} in place of {self.history_size}"
            )

    def __call__(self, parameters: Array, gradients: Array, closure: Closure) -> float:
        """Up to max_iter iterations, in place; returns the loss before them.

        parameters, gradients: contiguous arrays of any shape, worked on as one vector; of one shape
            and dtype at all calls
        closure: evaluates the model at the parameters as they are: writes the gradients, returns
            the loss. Its last call need not be where the parameters end.

        Raises ValueError for arrays that are not contiguous, empty, not float64 or float32, or of
        other shapes.
        """
        require_arrays(parameters, gradients, self._parameters)
        require_elements(parameters)
        p, g = (array.reshape(-1, copy=False) for array in (parameters, gradients))
        if self._parameters is None:
            self._start(p)
        self._parameters = parameters
        d, previous, gradient = self._direction, self._previous_gradient, g

        limit = self.evaluations + (self.max_eval or self.max_iter * 5 // 4)
        first_loss = loss = float(closure())
        self.evaluations += 1
        if self._largest(gradient) <= self.tolerance_grad:
            return first_loss

        for iteration in range(1, self.max_iter + 1):
            self.iterations += 1
            if self.iterations > 1:
                self._remember(gradient)
            self._turn(gradient)
            self._step: float = self.lr
            if self.iterations == 1:
                self._step *= min(1.0, 1 / np.sum(np.abs(gradient, self._scratch)))
            np.copyto(previous, gradient)
            previous_loss, slope = loss, np.dot(gradient, d)
            if slope > -self.tolerance_change:
                break

            if self.line_search_fn == "strong_wolfe":
                here = Point(0, loss, slope, previous)
                found = self._search(p, g, closure, here, limit - self.evaluations)
                self._step, loss, _, gradient = found
                self._move(p, self._step)
            else:
                self._move(p, self._step)
                if iteration < self.max_iter:
                    loss = float(closure())
                    self.evaluations += 1

            if (
                self.evaluations >= limit
                or self._largest(gradient) <= self.tolerance_grad
                or self._largest(np.multiply(d, self._step, self._scratch)) <= self.tolerance_change
                or abs(loss - previous_loss) < self.tolerance_change
            ):
                break
        return first_loss

    def state_dict(self) -> dict[str, Array]:
        """Copies of what changes from step to step, by torch's names; empty before the first step.

        old_dirs and old_stps, lists in torch, are (pairs, n): y and s of each; ro is (pairs,). What
        torch writes down and does not read, prev_loss and al, is not there.
        """
        if self._parameters is None:
            return dict(self._loaded)
        counts = {"func_evals": self.evaluations, "n_iter": self.iterations}
        state = {name: np.array(count) for name, count in counts.items()}
        if self.iterations == 0:
            return state
        d, dtype = self._direction.copy(), self._direction.dtype
        none = np.empty((0, d.size), dtype)
        s, y = (np.array([pair[i] for pair in self._pairs] or none) for i in (0, 1))
        rho, scale = (np.array(each, dtype) for each in ([p[2] for p in self._pairs], self._scale))
        history = {"old_dirs": y, "old_stps": s, "ro": rho, "H_diag": scale}
        before = {"d": d, "t": np.array(self._step, dtype)}
        return state | history | before | {"prev_flat_grad": self._previous_gradient.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of this class at the next step; the arrays are copied.

        Raises ValueError for names that it does not have; the next step does for other sizes.
        """
        for name in state:
            if name not in STATE:
                raise ValueError(
                    f"{name} is not in the state of LBFGS, which has {', '.join(STATE)}"
                )
        self._loaded = {name: np.array(each) for name, each in state.items()}
        self._parameters, self.changed = None, True
        self.iterations = self.evaluations = 0

    def _start(self, p: Array) -> None:
        self._direction, self._previous_gradient = np.empty_like(p), np.empty_like(p)
        self._pairs: list[tuple[Array, Array, float]] = []  # s, y and ρ, the oldest first
        self._next_pair = np.empty_like(p), np.empty_like(p)
        self._scale: float = 1.0  # of H at its beginning
        self._origin = np.empty_like(p)
        self._gradients = tuple(np.empty_like(p) for _ in range(3))
        self._scratch = np.empty_like(p)
        if self._loaded:
            self._take(p, self._loaded)

    def _take(self, p: Array, loaded: Mapping[str, Array]) -> None:
        self.evaluations, self.iterations = int(loaded["func_evals"]), int(loaded["n_iter"])
        if self.iterations == 0:
            return
        for name in STATE:
            if name not in loaded:
                raise ValueError(f"the state of LBFGS must have {name}")
        for name in ("d", "prev_flat_grad"):
            if loaded[name].shape != p.shape or loaded[name].dtype != p.dtype:
                raise ValueError(f"{name} must be {kind(p)}, got {kind(loaded[name])}")
        np.copyto(self._direction, loaded["d"])
        np.copyto(self._previous_gradient, loaded["prev_flat_grad"])
        self._step, self._scale = float(loaded["t"]), float(loaded["H_diag"])
        triples = zip(loaded["old_stps"], loaded["old_dirs"], loaded["ro"], strict=True)
        self._pairs = [(s.copy(), y.copy(), rho) for s, y, rho in triples]

    def _remember(self, gradient: Array) -> None:
        """Takes the pair of the last step into the history, in the memory of one that leaves it."""
        s, y = self._next_pair
        np.subtract(gradient, self._previous_gradient, y)
        np.multiply(self._direction, self._step, s)
        curvature = np.dot(y, s)
        if curvature > 1e-10:
            self._scale = curvature / np.dot(y, y)
            self._pairs.append((s, y, 1 / curvature))
            if len(self._pairs) > self.history_size:
                self._next_pair = self._pairs.pop(0)[:2]
            else:
                self._next_pair = np.empty_like(s), np.empty_like(y)

    def _turn(self, gradient: Array) -> None:
        """Sets the direction to -H · gradient."""
        d, scratch = np.negative(gradient, self._direction), self._scratch
        alphas = []
        for s, y, rho in reversed(self._pairs):
            alpha = np.dot(s, d) * rho
            np.subtract(d, np.multiply(y, alpha, scratch), d)
            alphas.append(alpha)
        np.multiply(d, self._scale, d)
        for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
            beta = np.dot(y, d) * rho
            np.add(d, np.multiply(s, alpha - beta, scratch), d)

    def _move(self, p: Array, step: float) -> None:
        np.add(p, np.multiply(self._direction, step, self._scratch), p)

    def _largest(self, values: Array) -> float:
        largest: float = np.abs(values, self._scratch).max()
        return largest

    def _search(self, p: Array, g: Array, closure: Closure, start: "Point", trials: int) -> "Point":
        d, origin = self._direction, self._origin
        np.copyto(origin, p)

        def evaluate(step: float, *kept: Point) -> Point:
            self._move(p, step)
            loss = float(closure())
            self.evaluations += 1
            np.copyto(p, origin)
            in_use = {id(point.gradient) for point in kept}
            gradient = next(array for array in self._gradients if id(array) not in in_use)
            np.copyto(gradient, g)
            return Point(step, loss, np.dot(gradient, d), gradient)

        return strong_wolfe(evaluate, start, self._step, trials, self._largest(d))


class Point(NamedTuple):
    """A place on the line p + step · d, and the model there; slope is gradientᵀd.

    The numbers are Python's own or scalars of the parameters' dtype, as they come: what Python's
    alone give is in double precision, what a scalar takes part in is of its dtype. NumPy has this
    rule as torch has it for its tensors.
    """

    step: float
    loss: float
    slope: float
    gradient: Array


SUFFICIENT_DECREASE, CURVATURE = 1e-4, 0.9
SMALLEST_CHANGE = 1e-9  # of a parameter, within a bracket; torch leaves tolerance_change out here


def strong_wolfe(
    evaluate: Callable[..., Point], start: Point, step: float, trials: int, length: float
) -> Point:
    """A point with the strong Wolfe conditions, or the lowest end of the bracket if none is found.

    As in torch the lower end of the first bracket is the one to improve on even where it lacks the
    first condition (3.6 would take the nearer end), so that the start may leave the bracket.

    evaluate: the point at a step; the points named after the step keep their gradients
    step: the first to try
    trials: how many may follow it
    length: of d, as its largest element
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + SUFFICIENT_DECREASE * point.step * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    before, new, tried = start, evaluate(step), 0
    while tried < trials:  # go on until a bracket holds a minimum
        risen = too_high(new) or (tried > 1 and new.loss >= before.loss)
        if not risen and flat(new):
            return new
        if risen or new.slope >= 0:
            break
        bounds = new.step + 0.01 * (new.step - before.step), new.step * 10
        before, new = new, evaluate(cubic_minimum(before, new, bounds), new)
        tried += 1
    else:
        before = start

    bracket, stuck = [before, new], False
    low, high = lowest_first(bracket)
    while tried < trials:  # zoom
        ends = bracket[0].step, bracket[1].step
        left, right = min(ends), max(ends)
        if abs(ends[1] - ends[0]) * length < SMALLEST_CHANGE:  # not right - left: NaN has no order
            break
        step = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        near_an_end = min(right - step, step - left) < margin
        if near_an_end and (stuck or step >= right or step <= left):
            step = right - margin if abs(step - right) < abs(step - left) else left + margin
            near_an_end = False
        stuck = near_an_end

        new = evaluate(step, *bracket)
        tried += 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = lowest_first(bracket)
        elif flat(new):
            return new
        else:
            if new.slope * (bracket[high].step - bracket[low].step) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    return bracket[low]


def lowest_first(bracket: list[Point]) -> tuple[int, int]:
    """The index of the end with the smaller loss, and that of the other."""
    return (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """The step to the minimum of the cubic through both points with their slopes, within bounds.

    By default the bounds are the points; without a minimum it is halfway between the bounds.
    Nocedal and Wright, equation 3.59.
    """
    if a.step > b.step:
        a, b = b, a
    smallest, largest = bounds or (a.step, b.step)
    d1 = a.slope + b.slope - quotient(3 * (a.loss - b.loss), a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (smallest + largest) / 2
    d2 = np.sqrt(square)
    share = (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
    step: float = b.step - (b.step - a.step) * share
    return min(max(step, smallest), largest)


def quotient(number: float, divisor: float | np.floating[Any]) -> Any:
    """As torch has it, which multiplies a number of Python by a tensor's reciprocal."""
    return 1 / divisor * number if isinstance(divisor, np.floating) else number / divisor
