"""The losses and the accuracy against torch and against values computed by hand."""

import math

import numpy as np
import pytest
import torch
from differentiation import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.graph import SAMPLES, Graph, accuracy, cross_entropy, half_mse
from stages.graph.program import Program


def classify(
    logits: np.ndarray, labels: np.ndarray, differentiate: bool = True
) -> tuple[Graph, Program]:
    """cross_entropy and accuracy of logits (runs, ..., classes), which are the parameters."""
    graph = Graph(len(logits), logits.dtype)
    z = graph.parameter("z", logits.shape[1:])
    k = graph.input("k", labels.shape[1:], labels.dtype)
    program = graph.compile(cross_entropy(z, k), accuracy(z, k), differentiate=differentiate)
    graph.parameters[:] = logits.reshape(len(logits), -1)
    program.feed(k=labels)
    program.forward()
    if differentiate:
        program.backward()
    return graph, program


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float32", 5e-6)])
def test_cross_entropy_and_its_gradient_are_those_of_torch(dtype: str, tolerance: float) -> None:
    @settings(max_examples=50)
    @given(
        samples=st.lists(st.integers(1, 4), min_size=0, max_size=2),
        classes=st.integers(1, 5),
        spread=st.sampled_from([0.1, 1.0, 30.0]),
        seed=st.integers(0, 2**32),
    )
    def check(samples: list[int], classes: int, spread: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        logits = (spread * random.normal(size=(2, *samples, classes))).astype(dtype)
        labels = random.integers(classes, size=(2, *samples))
        graph, program = classify(logits, labels)
        gradients = graph.views(graph.gradients)["z"]
        for run in range(2):
            z = torch.tensor(logits[run], requires_grad=True)
            rows = z.reshape(-1, classes)
            k = torch.tensor(labels[run]).reshape(-1)
            loss = torch.nn.functional.cross_entropy(rows, k)
            loss.backward()
            assert_close(program.outputs[0][run], loss.detach().numpy(), tolerance)
            assert_close(gradients[run], z.grad.numpy(), tolerance)
            if samples:
                right = (rows.argmax(1) == k).reshape(samples[0], -1)
                share = right.all(1).double().mean().item()
                assert program.outputs[1][run] == pytest.approx(share, rel=1e-6)

    check()


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_their_number() -> None:
    _, program = classify(np.full((1, 3, 7), 2.5), np.array([[0, 3, 6]]))
    assert program.outputs[0].item() == pytest.approx(math.log(7), rel=1e-15)


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.int8])
def test_labels_are_of_any_integer_dtype(integer: type) -> None:
    logits = np.array([[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]])
    _, program = classify(logits, np.array([[2, 1]], integer))
    expected = np.log(np.exp([-2.0, -1.0, 0.0]).sum()) + 0.5  # label 1 lies 1 below the largest
    assert program.outputs[0].item() == pytest.approx(expected, rel=1e-14)
    assert program.outputs[1].item() == 0.5


def test_cross_entropy_is_finite_for_logits_far_apart() -> None:
    graph, program = classify(np.array([[[1e4, -1e4], [1e4, -1e4]]]), np.array([[0, 1]]))
    assert program.outputs[0].item() == 1e4
    np.testing.assert_array_equal(graph.gradients, [[0.0, 0.0, 0.5, -0.5]])


LARGEST = float(np.finfo(np.float64).max)


@pytest.mark.parametrize(
    ("logits", "label"),
    [
        ([-np.inf, 0.0, 0.0], 1),
        ([-np.inf, 0.0, 0.0], 0),
        ([LARGEST, -LARGEST, 0.0], 0),
        ([LARGEST, -LARGEST, 0.0], 1),
        ([np.inf, 0.0, 0.0], 0),
        ([np.nan, 0.0, 0.0], 1),
        ([-np.inf, -np.inf, -np.inf], 2),
    ],
)
def test_cross_entropy_is_torchs_for_logits_without_bounds(logits: list[float], label: int) -> None:
    with np.errstate(all="ignore"):
        graph, program = classify(np.array([[logits, [0.0] * 3]]), np.array([[label, 0]]))
    z = torch.tensor([logits, [0.0] * 3], dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(z, torch.tensor([label, 0]))
    loss.backward()
    np.testing.assert_allclose(program.outputs[0].item(), loss.item(), rtol=1e-14)
    np.testing.assert_allclose(graph.views(graph.gradients)["z"][0], z.grad, rtol=1e-14)


@pytest.mark.parametrize(
    ("logits", "right"),
    [
        ([1.0, 2.0, 3.0], 2),
        ([3.0, 3.0, 1.0], 0),  # the first of equals, as argmax
        ([0.0, 0.0, 0.0], 0),
        ([-5.0, -1.0, -1.0], 1),
        ([-0.0, 0.0, -1.0], 0),
        ([np.inf, 1.0, np.inf], 0),
    ],
)
def test_accuracy_counts_the_first_of_the_largest_logits(logits: list[float], right: int) -> None:
    for dtype in ("float64", "float32"):
        rows = np.array([[logits] * 3], dtype)
        with np.errstate(invalid="ignore"):
            _, program = classify(rows, np.array([[0, 1, 2]]), differentiate=False)
        assert program.outputs[1].item() == pytest.approx(1 / 3, rel=1e-6)
        with np.errstate(invalid="ignore"):
            _, program = classify(rows, np.array([[right] * 3]), differentiate=False)
        assert program.outputs[1].item() == pytest.approx(1, rel=1e-6)


def test_accuracy_of_one_sample_without_a_sample_axis() -> None:
    for label, expected in [(0, 0), (1, 1)]:
        _, program = classify(np.array([[1.0, 2.0]]), np.array([label]), differentiate=False)
        assert program.outputs[1].item() == expected


def test_of_several_labels_all_have_to_be_right() -> None:
    logits = np.array([[[[3, 1], [0, 2]], [[1, 0], [1, 0]], [[0, 1], [0, 1]], [[1, 2], [2, 1]]]])
    labels = np.array([[[0, 1], [0, 1], [0, 0], [1, 0]]])  # both, the first, none, both
    _, program = classify(logits.astype(np.float64), labels, differentiate=False)
    assert program.outputs[1].item() == 0.5


def test_logits_that_are_not_numbers_are_never_right() -> None:
    _, program = classify(np.full((1, 2, 3), np.nan), np.array([[0, 2]]), differentiate=False)
    assert program.outputs[1].item() == 0


def test_accuracy_has_no_gradient() -> None:
    rows = []
    for with_accuracy in (True, False):
        graph = Graph()
        z, k = graph.parameter("z", (2, 3)), graph.input("k", (2,), np.int64)
        loss = cross_entropy(z, k) + accuracy(z, k) if with_accuracy else cross_entropy(z, k)
        program = graph.compile(loss, differentiate=True)
        graph.parameters[:] = [[1.0, 2.0, 3.0, 3.0, 2.0, 1.0]]
        program.feed(k=np.array([[2, 2]]))
        program.forward()
        program.backward()
        rows.append(graph.gradients.copy())
    np.testing.assert_array_equal(rows[0], rows[1])


def test_half_mse_of_the_seed() -> None:
    """0.5 * (y_head - by)**2, averaged over the batch, and its gradient, the mean error."""
    graph = Graph()
    y_head, by = graph.parameter("y_head", (4, 1)), graph.input("by", (SAMPLES, 1))
    with pytest.raises(ValueError, match="half_mse"):
        half_mse(y_head, by)  # 4 are not any number of samples
    by = graph.input("four", (4, 1))
    program = graph.compile(half_mse(y_head, by), differentiate=True)
    graph.parameters[:] = [[1.0, 2.0, 3.0, 4.0]]
    program.feed(four=np.array([[[1.0], [0.0], [6.0], [4.0]]]))
    program.forward()
    program.backward()
    assert program.outputs[0].item() == 0.5 * (0 + 4 + 9 + 0) / 4
    np.testing.assert_array_equal(graph.gradients, [[0.0, 0.5, -0.75, 0.0]])


def test_half_mse_has_gradients_for_both_sides() -> None:
    graph = Graph()
    p, t = graph.parameter("p", (2,)), graph.parameter("t", (2,))
    program = graph.compile(half_mse(p, t), differentiate=True)
    graph.parameters[:] = [[1.0, 2.0, 5.0, 4.0]]
    program.forward()
    program.backward()
    np.testing.assert_array_equal(graph.gradients, [[-2.0, -1.0, 2.0, 1.0]])
