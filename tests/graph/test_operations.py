"""Every operation against torch.autograd and central differences, over shapes that broadcast."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from differentiation import (
    Compiled,
    Formula,
    assert_close,
    random_values,
    torch_differentiate,
    weights,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from stages.graph import (
    Graph,
    atan2,
    clip,
    cos,
    elu,
    equal,
    erf,
    exp,
    expm1,
    floor,
    gelu,
    half_mse,
    hardtanh,
    leaky_relu,
    log,
    log1p,
    log_sigmoid,
    log_softmax,
    logsumexp,
    maximum,
    minimum,
    norm,
    not_equal,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    tanh,
    where,
)
from stages.graph.operation import OPERATIONS
from stages.proofs.cases.convolution import CONVOLUTION
from stages.proofs.cases.pooling import POOLING
from stages.proofs.cases.shapes import SHAPES

Shapes = tuple[tuple[int, ...], ...]

# Over 500 examples of each case, relative to the largest element, no difference was above 9e-16,
# 8e-7 and, between gradients and central differences, 8e-9.
TOLERANCE = {"float64": 1e-14, "float32": 5e-6}
DIFFERENCE_TOLERANCE = 1e-7

ONE = array_shapes(min_dims=0, max_dims=3, max_side=4).map(lambda shape: (shape,))
ONE_WITH_AXIS = array_shapes(min_dims=1, max_dims=3, max_side=4).map(lambda shape: (shape,))
MATRIX = array_shapes(min_dims=2, max_dims=4, max_side=3).map(lambda shape: (shape,))
TWO = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4).map(
    lambda shapes: shapes.input_shapes
)
THREE = mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=4).map(
    lambda shapes: shapes.input_shapes
)
TWO_EQUAL = ONE.map(lambda shapes: shapes * 2)


@st.composite
def products(draw: st.DrawFn) -> Shapes:
    left, right = draw(TWO)
    rows, inner, columns = draw(st.tuples(*[st.integers(1, 4)] * 3))
    return (*left[-2:], rows, inner), (*right[-2:], inner, columns)


@dataclass(frozen=True)
class Case:
    """An operation here and in torch, the shapes it takes, and values it is smooth at."""

    ours: Formula
    theirs: Formula
    shapes: st.SearchStrategy[Shapes]
    low: float = -2.0
    high: float = 2.0


def compared(function: Formula) -> Formula:
    """torch's comparison, with 1 for what is true and 0 for what is not, and gradients of 0."""
    return lambda a, b: function(a, b).to(a.dtype) + 0 * torch.sign(a) * torch.sign(b)


def compared_floors(function: Formula) -> Formula:
    return lambda a, b: compared(function)(a.floor(), b.floor())


CASES = {
    "add": Case(lambda a, b: a + b, lambda a, b: a + b, TWO),
    "subtract": Case(lambda a, b: a - b, lambda a, b: a - b, TWO),
    "multiply": Case(lambda a, b: a * b, lambda a, b: a * b, TWO),
    "divide": Case(lambda a, b: a / b, lambda a, b: a / b, TWO, low=0.5),
    "power": Case(lambda a, b: a**b, lambda a, b: a**b, TWO, low=0.5),
    "maximum": Case(maximum, torch.maximum, TWO),
    "negative": Case(lambda a: -a, lambda a: -a, ONE),
    "exp": Case(exp, torch.exp, ONE),
    "log": Case(log, torch.log, ONE, low=0.5),
    "sqrt": Case(sqrt, torch.sqrt, ONE, low=0.5),
    "minimum": Case(minimum, torch.minimum, TWO),
    "less": Case(lambda a, b: a < b, compared(torch.lt), TWO),
    "less_equal": Case(lambda a, b: a <= b, compared(torch.le), TWO),
    "greater": Case(lambda a, b: a > b, compared(torch.gt), TWO),
    "greater_equal": Case(lambda a, b: a >= b, compared(torch.ge), TWO),
    "equal": Case(lambda a, b: equal(floor(a), floor(b)), compared_floors(torch.eq), TWO),
    "not_equal": Case(lambda a, b: not_equal(floor(a), floor(b)), compared_floors(torch.ne), TWO),
    "where": Case(
        lambda c, a, b: where(c > 0, a, b), lambda c, a, b: torch.where(c > 0, a, b) + 0 * c, THREE
    ),
    "clip": Case(lambda a: clip(a, -0.5, 1.0), lambda a: torch.clamp(a, -0.5, 1.0), ONE),
    "absolute": Case(abs, torch.abs, ONE),
    "sign": Case(sign, torch.sign, ONE),
    "floor": Case(floor, torch.floor, ONE),
    "expm1": Case(expm1, torch.expm1, ONE),
    "log1p": Case(log1p, torch.log1p, ONE, low=-0.5),
    "sin": Case(sin, torch.sin, ONE),
    "cos": Case(cos, torch.cos, ONE),
    "erf": Case(erf, torch.erf, ONE),
    "atan2": Case(atan2, torch.atan2, TWO, low=0.5),
    "relu": Case(relu, torch.relu, ONE),
    "leaky_relu": Case(lambda a: leaky_relu(a, 0.2), lambda a: F.leaky_relu(a, 0.2), ONE),
    "elu": Case(lambda a: elu(a, 1.5), lambda a: F.elu(a, 1.5), ONE),
    "hardtanh": Case(lambda a: hardtanh(a, -1, 0.5), lambda a: F.hardtanh(a, -1, 0.5), ONE),
    "softplus": Case(lambda a: softplus(a, 2, 3), lambda a: F.softplus(a, 2, 3), ONE),
    "log_sigmoid": Case(log_sigmoid, F.logsigmoid, ONE),
    "silu": Case(silu, F.silu, ONE),
    "gelu": Case(gelu, F.gelu, ONE),
    "gelu_tanh": Case(lambda a: gelu(a, "tanh"), lambda a: F.gelu(a, approximate="tanh"), ONE),
    "tanh": Case(tanh, torch.tanh, ONE),
    "sigmoid": Case(sigmoid, torch.sigmoid, ONE),
    "log_softmax": Case(log_softmax, lambda a: torch.log_softmax(a, -1), ONE_WITH_AXIS),
    "log_softmax along the first axis": Case(
        lambda a: log_softmax(a, 0), lambda a: torch.log_softmax(a, 0), ONE_WITH_AXIS
    ),
    "softmax": Case(softmax, lambda a: torch.softmax(a, -1), ONE_WITH_AXIS),
    "softmax along the first axis": Case(
        lambda a: softmax(a, 0), lambda a: torch.softmax(a, 0), ONE_WITH_AXIS
    ),
    "cumsum": Case(lambda a: a.cumsum(-1), lambda a: a.cumsum(-1), ONE_WITH_AXIS),
    "cumsum along the first axis": Case(
        lambda a: a.cumsum(0), lambda a: a.cumsum(0), ONE_WITH_AXIS
    ),
    "matmul": Case(lambda a, b: a @ b, lambda a, b: a @ b, products()),
    "transpose": Case(lambda a: a.T, lambda a: a.mT, MATRIX),
    "sum": Case(lambda a: a.sum(), lambda a: a.sum(), ONE),
    "mean": Case(lambda a: a.mean(), lambda a: a.mean(), ONE),
    "half_mse": Case(half_mse, lambda p, t: 0.5 * torch.nn.functional.mse_loss(p, t), TWO_EQUAL),
    # the same operand in several places: its gradients add up
    "a used three times": Case(lambda a: a * a + a, lambda a: a * a + a, ONE),
    "a row and its column": Case(lambda a: a @ a.T, lambda a: a @ a.mT, MATRIX),
    "a over its sum": Case(lambda a: a / a.sum(), lambda a: a / a.sum(), ONE, low=0.5),
    "a scalar and all else": Case(lambda a: a.sum() * a, lambda a: a.sum() * a, ONE),
    # a number on either side, and the exponents with rules of their own
    "numbers": Case(lambda a: (3 - 2 * a) / 4 + 1 / a, lambda a: (3 - 2 * a) / 4 + 1 / a, ONE, 0.5),
    "squared": Case(lambda a: a**2, lambda a: a**2, ONE),
    "to the power of 1": Case(lambda a: a**1, lambda a: a**1, ONE),
    "to the power of 0": Case(lambda a: a**0 + a, lambda a: a**0 + a, ONE),
    "to the power of -3": Case(lambda a: a**-3, lambda a: a**-3, ONE, low=0.5),
    "2 to the power of": Case(lambda a: 2**a, lambda a: 2**a, ONE),
}


def cases(strategy: st.SearchStrategy[Any]) -> Any:
    """A test over examples that are the same at every run."""
    return lambda test: settings(max_examples=20)(given(strategy, st.integers(0, 2**32))(test))


def compare(case: Case, shapes: Shapes, seed: int, dtype: str) -> None:
    """Value and gradients against torch, in each of two runs; in float64 also differences."""
    operands = random_values(shapes, case.low, case.high, seed, dtype)
    shape = tuple(case.theirs(*(torch.tensor(operand[0]) for operand in operands)).shape)
    factors = weights(shape, dtype)
    compiled = Compiled(case.ours, operands, factors)
    assert compiled.shape == shape
    value, gradients = compiled.differentiate()
    their_value, their_gradients = torch_differentiate(case.theirs, operands, factors)
    assert_close(value, their_value, TOLERANCE[dtype])
    for ours, theirs in zip(gradients, their_gradients, strict=True):
        assert_close(ours, theirs, TOLERANCE[dtype])
    if dtype == "float64":
        for ours, slopes in zip(gradients, compiled.central_differences(), strict=True):
            assert_close(ours, slopes, DIFFERENCE_TOLERANCE)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients(name: str, dtype: str) -> None:
    case = CASES[name]

    @cases(case.shapes)
    def check(shapes: Shapes, seed: int) -> None:
        compare(case, shapes, seed, dtype)

    check()


def test_every_operation_is_compared() -> None:
    elsewhere = {"cross_entropy", "accuracy"}  # in test_losses.py, with their labels
    elsewhere |= {"of_the_label", "huber"}  # in test_named_losses.py
    elsewhere |= {"layer_norm", "rms_norm", "batch_norm"}  # in test_normalization.py
    elsewhere |= set(REDUCTIONS)  # below, over any axes
    elsewhere |= {"choose"}  # in test_modes.py
    elsewhere |= {"embedding"}  # in test_embedding.py
    elsewhere |= set(SHAPES)  # in test_shapes.py, with their attributes
    elsewhere |= set(CONVOLUTION) | set(POOLING)  # in test_convolution.py
    assert set(OPERATIONS) - elsewhere <= set(CASES)


@st.composite
def reductions(draw: st.DrawFn) -> tuple[tuple[int, ...], int | tuple[int, ...], bool]:
    shape = draw(array_shapes(min_dims=1, max_dims=4, max_side=3))
    axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape)))]
    signed = tuple(draw(st.sampled_from([axis, axis - len(shape)])) for axis in axes)
    return shape, signed[0] if len(signed) == 1 else signed, draw(st.booleans())


def products_along(a: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for one in sorted((one % a.ndim for one in axes), reverse=True):
        a = a.prod(one, keepdim=keepdims)
    return a


REDUCTIONS: dict[str, tuple[Formula, Formula]] = {
    "sum": (lambda a, axis, keep: a.sum(axis, keep), torch.sum),
    "mean": (lambda a, axis, keep: a.mean(axis, keep), torch.mean),
    "max": (lambda a, axis, keep: a.max(axis, keep), torch.amax),
    "min": (lambda a, axis, keep: a.min(axis, keep), torch.amin),
    "prod": (lambda a, axis, keep: a.prod(axis, keep), products_along),
    "var": (
        lambda a, axis, keep: a.var(axis, keep, correction=0),
        lambda a, axis, keep: a.var(axis, correction=0, keepdim=keep),
    ),
    "norm": (norm, lambda a, axis, keep: torch.linalg.vector_norm(a, dim=axis, keepdim=keep)),
    "logsumexp": (logsumexp, torch.logsumexp),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_over_any_axes(name: str, dtype: str) -> None:
    ours, theirs = REDUCTIONS[name]

    @cases(reductions())
    def check(reduction: tuple[tuple[int, ...], Any, bool], seed: int) -> None:
        shape, axis, keepdims = reduction
        case = Case(
            lambda a: ours(a, axis, keepdims),
            lambda a: theirs(a, axis, keepdims),
            st.nothing(),
        )
        compare(case, (shape,), seed, dtype)

    check()


# An element that every operation treats exactly as torch does, where no derivative exists.
CORNERS = {
    "relu at 0": (relu, torch.relu, [[-0.0, 0.0, 1.0, -1.0]]),
    "maximum of equals": (maximum, torch.maximum, [[0.0, -0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 3.0]]),
    "relu of what is no number": (relu, torch.relu, [[np.nan, np.inf, -np.inf]]),
    "maximum with what is no number": (
        maximum,
        torch.maximum,
        [[np.nan, 1.0, np.nan, np.inf, -np.inf], [1.0, np.nan, np.nan, np.inf, np.inf]],
    ),
    "maximum of itself": (lambda a: maximum(a, a), lambda a: torch.maximum(a, a), [[1.0, -1.0]]),
    "0 to the power of 1, 2, 0": (
        lambda a, b: a**b,
        lambda a, b: a**b,
        [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]],
    ),
    "0 to the power of a negative": (
        lambda a, b: a**b,
        lambda a, b: a**b,
        [[0.0, 0.0, 0.0], [-1.0, -0.5, -np.inf]],
    ),
    "a negative squared and cubed": (lambda a: a**2 + a**3, lambda a: a**2 + a**3, [[-2.0, -0.5]]),
    "far out": (
        lambda a: tanh(a) + sigmoid(a),
        lambda a: torch.tanh(a) + torch.sigmoid(a),
        [[-700.0, -40.0, 40.0, 700.0]],
    ),
    "log_softmax far apart": (log_softmax, lambda a: torch.log_softmax(a, -1), [[1e4, 0.0, -1e4]]),
}


@pytest.mark.parametrize("name", CORNERS)
def test_corners_are_those_of_torch(name: str) -> None:
    ours, theirs, values = CORNERS[name]
    operands = [np.array([value]) for value in values]
    factors = weights(operands[0].shape[1:], "float64")
    with np.errstate(all="ignore"):
        value, gradients = Compiled(ours, operands, factors).differentiate()
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    np.testing.assert_allclose(value, their_value, rtol=1e-14)
    for own, other in zip(gradients, their_gradients, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-14)


INF, NAN = np.inf, np.nan
EDGES = [-INF, -800.0, -20.5, -5.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 5.0, 20.5, 800.0, INF, NAN]
ONES: dict[str, tuple[Formula, Formula]] = {
    "absolute": (abs, torch.abs),
    "sign": (sign, torch.sign),
    "floor": (floor, torch.floor),
    "exp": (exp, torch.exp),
    "expm1": (expm1, torch.expm1),
    "log": (log, torch.log),
    "log1p": (log1p, torch.log1p),
    "sqrt": (sqrt, torch.sqrt),
    "sin": (sin, torch.sin),
    "cos": (cos, torch.cos),
    "erf": (erf, torch.erf),
    "tanh": (tanh, torch.tanh),
    "sigmoid": (sigmoid, torch.sigmoid),
    "log_sigmoid": (log_sigmoid, F.logsigmoid),
    "relu": (relu, torch.relu),
    "leaky_relu": (leaky_relu, F.leaky_relu),
    "elu": (elu, F.elu),
    "hardtanh": (hardtanh, F.hardtanh),
    "softplus": (softplus, F.softplus),
    "silu": (silu, F.silu),
    "gelu": (gelu, F.gelu),
    "gelu_tanh": (lambda a: gelu(a, "tanh"), lambda a: F.gelu(a, approximate="tanh")),
    "clip": (lambda a: clip(a, -1, 1), lambda a: torch.clamp(a, -1, 1)),
    "clip from below": (lambda a: clip(a, low=0), lambda a: torch.clamp(a, min=0)),
    "clip from above": (lambda a: clip(a, high=0), lambda a: torch.clamp(a, max=0)),
    "clip to nothing": (lambda a: clip(a, 1, -1), lambda a: torch.clamp(a, 1, -1)),
}
TWOS: dict[str, tuple[Formula, Formula]] = {
    "atan2": (atan2, torch.atan2),
    "maximum": (maximum, torch.maximum),
    "minimum": (minimum, torch.minimum),
    "less": (lambda a, b: a < b, compared(torch.lt)),
    "less_equal": (lambda a, b: a <= b, compared(torch.le)),
    "greater": (lambda a, b: a > b, compared(torch.gt)),
    "greater_equal": (lambda a, b: a >= b, compared(torch.ge)),
    "equal": (equal, compared(torch.eq)),
    "not_equal": (not_equal, compared(torch.ne)),
    "where": (lambda a, b: where(a > 0, a, b), lambda a, b: torch.where(a > 0, a, b)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [*ONES, *TWOS])
def test_edges_are_those_of_torch(name: str, dtype: str) -> None:
    """As many elements as torch's vectors hold: the rest, one by one, it treats differently."""
    pairs = np.array([(a, b) for a in EDGES for b in EDGES]).T
    columns = [pairs[0], pairs[1]] if name in TWOS else [np.tile(EDGES, 32)]
    ours, theirs = (TWOS | ONES)[name]
    operands = [column[None].astype(dtype) for column in columns]
    factors = weights(operands[0].shape[1:], dtype)
    with np.errstate(all="ignore"):
        value, gradients = Compiled(ours, operands, factors).differentiate()
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    tolerance = {"rtol": 10 * TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(value, their_value, **tolerance)
    for own, other in zip(gradients, their_gradients, strict=True):
        np.testing.assert_allclose(own, other, **tolerance)


ROWS = {
    "zeros": [0.0, 0.0, -0.0],
    "one zero": [0.0, 2.0, -3.0],
    "two zeros": [0.0, 0.0, 3.0],
    "equals": [2.0, 2.0, -1.0],
    "∞": [INF, 0.0, 1.0],
    "two ∞": [INF, INF, 1.0],
    "-∞": [-INF, 0.0, 1.0],
    "only -∞": [-INF, -INF, -INF],
    "NaN": [NAN, 2.0, 1.0],
}
LAST: dict[str, tuple[Formula, Formula]] = {
    "sum": (lambda a: a.sum(-1), lambda a: a.sum(-1)),
    "mean": (lambda a: a.mean(-1), lambda a: a.mean(-1)),
    "max": (lambda a: a.max(-1), lambda a: a.amax(-1)),
    "min": (lambda a: a.min(-1), lambda a: a.amin(-1)),
    "prod": (lambda a: a.prod(-1), lambda a: a.prod(-1)),
    "var": (lambda a: a.var(-1), lambda a: a.var(-1)),
    "norm": (lambda a: norm(a, -1), lambda a: torch.linalg.vector_norm(a, dim=-1)),
    "cumsum": (lambda a: a.cumsum(-1), lambda a: a.cumsum(-1)),
    "logsumexp": (lambda a: logsumexp(a, -1), lambda a: torch.logsumexp(a, -1)),
    "softmax": (softmax, lambda a: torch.softmax(a, -1)),
    "log_softmax": (log_softmax, lambda a: torch.log_softmax(a, -1)),
}
SAME_SHAPE = ("cumsum", "softmax", "log_softmax")
# Where one factor is 0 and another infinite, torch multiplies all factors but one, and the graph
# divides by that one: 0 for the infinite one itself, and NaN.
UNLIKE = {("prod", "∞"), ("prod", "-∞")}


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name in LAST for row in ROWS if (name, row) not in UNLIKE]
)
def test_edges_of_a_row_are_those_of_torch(name: str, row: str) -> None:
    ours, theirs = LAST[name]
    operands = [np.array([[ROWS[row]]])]
    factors = np.array([[1.5, 2.0, 2.5]] if name in SAME_SHAPE else [1.5])
    with np.errstate(all="ignore"):
        value, gradients = Compiled(ours, operands, factors).differentiate()
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    np.testing.assert_allclose(value, their_value, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gradients[0], their_gradients[0], rtol=1e-14, atol=1e-15)


def test_the_variance_of_too_few_is_no_number_as_in_torch() -> None:
    operands = [np.array([[3.0]])]
    with np.errstate(all="ignore"):
        value, gradients = Compiled(lambda a: a.var(), operands, np.array(1.0)).differentiate()
    assert np.isnan([value.item(), gradients[0].item()]).all()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda a: a.max(2), r"^max: there is no axis 2, got \(2, 3\)$"),
        (lambda a: softmax(a, 2), r"^softmax: there is no axis 2, got \(2, 3\)$"),
        (lambda a: a.cumsum(-3), r"^cumsum: there is no axis -3, got \(2, 3\)$"),
        (lambda a: norm(a, (0, 0)), r"^norm: axis \(0, 0\) names an axis twice, got \(2, 3\)$"),
    ],
)
def test_an_axis_that_is_not_there_is_refused(write: Formula, message: str) -> None:
    a = Graph().parameter("a", (2, 3))
    with pytest.raises(ValueError, match=message):
        write(a)


def test_what_where_does_not_choose_has_no_influence() -> None:
    """Neither an infinite gradient, which a product with 0 would make NaN."""
    operands = [np.array([[-1.0, 4.0, 0.0]])]
    formula = (lambda a: sqrt(where(a > 0, a, 0.0)), lambda a: torch.sqrt(torch.where(a > 0, a, 0)))
    with np.errstate(all="ignore"):
        value, gradients = Compiled(formula[0], operands, np.ones(3)).differentiate()
    their_value, their_gradients = torch_differentiate(formula[1], operands, np.ones(3))
    np.testing.assert_array_equal(value, their_value)
    np.testing.assert_array_equal(gradients[0], their_gradients[0])


def test_options_that_mean_nothing_are_refused() -> None:
    a = Graph().parameter("a", (3,))
    with pytest.raises(ValueError, match=r"^gelu: approximate must be none or tanh, got 'erf'$"):
        gelu(a, "erf")
    with pytest.raises(ValueError, match=r"^hardtanh: min_val must be less than max_val, got 1, 1"):
        hardtanh(a, 1, 1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sigmoid_far_out_is_that_of_torch_without_a_warning(dtype: str) -> None:
    operand = np.array([[-1e4, -100.0, -89.0, -88.0, 88.0, 100.0, 1e4, -np.inf, np.inf]], dtype)
    factors = np.ones(operand[0].shape, dtype)
    value, gradients = Compiled(sigmoid, [operand], factors).differentiate()
    their_value, their_gradients = torch_differentiate(torch.sigmoid, [operand], factors)
    tolerance = {"rtol": TOLERANCE[dtype], "atol": 0}
    np.testing.assert_allclose(value, their_value, **tolerance)
    np.testing.assert_allclose(gradients[0], their_gradients[0], **tolerance)


def test_infinities_at_the_borders_of_log_and_sqrt_are_those_of_torch() -> None:
    operand = [np.array([[0.0, 1.0]])]
    factors = np.ones(2)
    for ours, theirs in [(log, torch.log), (sqrt, torch.sqrt)]:
        with np.errstate(divide="ignore"):
            value, gradients = Compiled(ours, operand, factors).differentiate()
        their_value, their_gradients = torch_differentiate(theirs, operand, factors)
        np.testing.assert_array_equal(value, their_value)
        np.testing.assert_array_equal(gradients[0], their_gradients[0])


def test_constants_may_be_arrays_on_either_side() -> None:
    row = np.array([1.0, 2.0, 4.0])
    graph = Graph()
    w = graph.parameter("w", (3,))
    outputs = [row + w, row - w, row * w, row / w, row**w, w - row, w / row, w**row]
    program = graph.compile(*outputs)
    graph.parameters[:] = value = np.array([[2.0, 3.0, 5.0]])
    program.forward()
    v = value[0]
    expected = [row + v, row - v, row * v, row / v, row**v, v - row, v / row, v**row]
    for output, numbers in zip(program.outputs, expected, strict=True):
        np.testing.assert_array_equal(output[0], numbers)
    matrix = np.arange(6.0).reshape(2, 3)
    product = graph.compile(matrix @ (w * np.ones((3, 1))))
    product.forward()
    np.testing.assert_array_equal(product.outputs[0][0], np.tile(matrix.sum(1), (3, 1)).T * v)
