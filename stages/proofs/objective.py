"""What the optimizers are compared on: a sum of terms, each with parameters of its own.

    replay       Σ g · p, whose gradient is g: a sequence of g of each kind, whatever p does
    parabola     p · x²
    quadratic    ½ Σ c · p², with c from 1e-4 to 1
    rosenbrock   ((1 - x)² + 100 · (y - x²)²) / 1000

Rosenbrock, "An automatic method for finding the greatest or least value of a function", The
Computer Journal 1960. Its gradients are the graph's for both sides, so that what differs is the
optimizers; that torch's autograd finds the same ones is for check_gradients to show.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.graph import Graph, Program
from stages.task.checks import Case

Array = NDArray[np.float64]
Shape = tuple[int, ...]

KINDS = ("smooth", "noisy", "with zeros", "changing signs", "tiny", "huge", "of all sizes")
ROWS, COLUMNS = 4, 3  # of each array in the replay
CURVATURES = np.array([1e-4, 1e-2, 1e-1, 1.0])


@dataclass(frozen=True)
class Term:
    """A term of the objective.

    shapes: of its arrays
    start: (n,), all its arrays before the first step
    operands: of the formula, the shapes that the row of n parameters is cut into
    formula: the term, or what it is the sum of, by operands and by what is fed
    fed: (steps, ...), a value for each step, or None
    """

    shapes: Sequence[Shape]
    start: Array
    operands: Sequence[Shape]
    formula: Callable[..., Any]
    fed: Array | None = None

    def loss(self, parameters: Array) -> float:
        """The term at the parameters, (n,), with what is fed first."""
        parts = np.split(parameters, np.cumsum([prod(shape) for shape in self.operands])[:-1])
        operands = [part.reshape(shape) for part, shape in zip(parts, self.operands, strict=True)]
        return float(np.sum(self.formula(*operands, *([] if self.fed is None else self.fed[:1]))))


def objective(start: float, samples: int, steps: int, seed: int) -> dict[str, Term]:
    """The terms by name.

    start: p before the first step of the parabola
    samples: random x in [0, 1), fed to the parabola over and over
    """
    random = np.random.default_rng(seed)
    x = np.resize(random.random(samples), steps)
    gradients = replayed_gradients(random, steps).reshape(steps, -1)
    parameters = random.normal(size=gradients.shape[1])
    parameters[::2] = 0.0  # where even a tiny step is seen
    return {
        "parabola": Term([(1, 1)], np.array([start]), [()], lambda p, x: p * x**2, x),
        "quadratic": Term([(2, 2)], np.array([1.0, -2.0, 3.0, -4.0]), [(4,)], lambda p: 0.5 * p**2),
        "rosenbrock": Term([(1, 2)], np.array([-1.5, 2.0]), [(), ()], rosenbrock),
        "replay": Term(
            [(ROWS, COLUMNS)] * len(KINDS),
            parameters,
            [(len(parameters),)],
            lambda p, g: g * p,
            gradients,
        ),
    }


def rosenbrock(x: Any, y: Any) -> Any:
    """Rosenbrock's function over 1000, so that its curvature is near 1; 0 at (1, 1)."""
    return ((1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2) * 1e-3


def replayed_gradients(random: np.random.Generator, steps: int) -> Array:
    """(steps, kinds, rows, columns): gradients of each kind."""
    shape = (steps, ROWS, COLUMNS)
    noise, size = random.normal(size=shape), random.uniform(0.5, 2, size=shape)
    step = np.arange(steps)[:, None, None]
    phase = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    kept = random.integers(0, 2, shape) * (phase > 0) * random.integers(0, 2, (steps, ROWS, 1))
    kinds = {
        "smooth": np.cos(step / 40 + phase),
        "noisy": noise,
        "with zeros": noise * kept,
        "changing signs": size * (-1.0) ** step,
        "tiny": noise * 1e-30,
        "huge": noise * 1e30,
        "of all sizes": noise * 10.0 ** random.integers(-6, 7, (steps, 1, 1)),
    }
    return np.stack([kinds[kind] for kind in KINDS], axis=1)


def on_graph(
    terms: Mapping[str, Term], runs: int, dtype: str
) -> tuple[Graph, Program, dict[str, NDArray[Any]]]:
    """The sum of the terms, every run at its start, and what is fed: (1, steps, ...) by name."""
    graph = Graph(runs, dtype)
    elements, fed = [], {}
    for name, term in terms.items():
        operands = [
            graph.parameter(f"{name}.{number}", shape) for number, shape in enumerate(term.operands)
        ]
        if term.fed is not None:
            fed[name] = term.fed.astype(dtype)[None]
            operands.append(graph.input(name, term.fed.shape[1:]))
        elements.append(term.formula(*operands))
    loss = elements[0].sum()
    for each in elements[1:]:
        loss = loss + each.sum()
    program = graph.compile(loss, differentiate=True, shared_inputs=True)
    graph.parameters[:] = start_of(terms)
    return graph, program, fed


def shapes_of(terms: Mapping[str, Term]) -> list[Shape]:
    """Those of the arrays of all terms, in the order in which they lie in the row of all."""
    return [shape for term in terms.values() for shape in term.shapes]


def start_of(terms: Mapping[str, Term]) -> Array:
    """(n,): the parameters of all terms before the first step."""
    return np.concatenate([term.start for term in terms.values()])


def columns_of(terms: Mapping[str, Term]) -> dict[str, slice]:
    """Where the parameters of each term lie in the row of all."""
    stops = accumulate(len(term.start) for term in terms.values())
    return {
        name: slice(stop - len(term.start), stop)
        for (name, term), stop in zip(terms.items(), stops, strict=True)
    }


Cases = Mapping[int, Case]


def groups(
    cases: Cases, terms: Mapping[str, Term]
) -> Iterator[tuple[Cases, Mapping[str, Term], slice]]:
    """Which cases train together on which terms, and the columns of these in the row of all.

    All train on all terms at once, since one term knows nothing of the others. Only an optimizer
    for which the whole model is one does so alone, on one term after the other. It searches for a
    minimum, so there is nothing for it in a replay, which has none.
    """
    together = {number: case for number, case in cases.items() if case.scope != "model"}
    if together:
        yield together, terms, slice(None)
    for number in sorted(set(cases) - set(together)):
        for name, columns in columns_of(terms).items():
            if name != "replay":
                yield {number: cases[number]}, {name: terms[name]}, columns
