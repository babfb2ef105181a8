"""Values and gradients that are kept, against torch's, and against a program that keeps none."""

import numpy as np
import pytest
import torch

from stages.graph import SAMPLES, Graph, Node, Program, cross_entropy, relu

SIZES = (3, 5, 4)
RANDOM = np.random.default_rng(0)
X, LABEL = RANDOM.normal(size=(2, 6, 3)), RANDOM.integers(0, 4, (2, 6))
PARAMETERS = RANDOM.normal(size=(2, 44))


class Classifier:
    """Two layers, whose hidden values are used twice, of two runs."""

    def __init__(self, keep: bool | list[str] = False) -> None:
        self.graph = graph = Graph(runs=2)
        self.nodes: dict[str, Node] = {"x": graph.input("x", (SAMPLES, 3))}
        label = graph.input("label", (SAMPLES,), np.int64)
        weights = [graph.parameter(f"w{n}", shape) for n, shape in ((0, (5, 3)), (1, (4, 5)))]
        bias = graph.parameter("bias", (5,))
        hidden = relu(self.nodes["x"] @ weights[0].T + bias)
        output = (hidden + hidden * 0.5) @ weights[1].T
        self.loss = cross_entropy(output, label)
        self.nodes |= {"w0": weights[0], "hidden": hidden, "output": output, "loss": self.loss}
        assert graph.parameters.shape == (2, 40)
        graph.parameters[:] = PARAMETERS[:, :40]
        nodes = [self.nodes[name] for name in keep] if isinstance(keep, list) else keep
        self.program = graph.compile(self.loss, samples=6, differentiate=True, keep=nodes)
        self.program.feed(x=X, label=LABEL)
        self.program.gradients()


def in_torch(run: int) -> dict[str, torch.Tensor]:
    flat = torch.tensor(PARAMETERS[run])
    found = {"x": torch.tensor(X[run]), "w0": flat[:15].reshape(5, 3).clone().requires_grad_()}
    other, bias = flat[15:35].reshape(4, 5), flat[35:40]
    found["hidden"] = torch.relu(found["x"] @ found["w0"].T + bias)
    found["output"] = (found["hidden"] * 1.5) @ other.T
    found["loss"] = torch.nn.functional.cross_entropy(found["output"], torch.tensor(LABEL[run]))
    for name in ("hidden", "output", "loss"):
        found[name].retain_grad()
    found["loss"].backward()
    return found


@pytest.mark.parametrize("keep", [True, ["x", "w0", "hidden", "output", "loss"]], ids=str)
def test_values_and_gradients_are_those_of_torch(keep: bool | list[str]) -> None:
    ours = Classifier(keep)
    for run in range(2):
        for name, tensor in in_torch(run).items():
            node = ours.nodes[name]
            value = ours.program.value(node)[run]
            np.testing.assert_allclose(value, tensor.detach().numpy(), rtol=1e-12)
            if name != "x":
                gradient = np.broadcast_to(ours.program.gradient(node), (2, *tensor.shape))[run]
                np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_all_numbers_are_to_the_last_bit_those_of_a_program_that_keeps_nothing() -> None:
    kept, bare = Classifier(keep=True), Classifier()
    for _ in range(2):
        assert kept.program.outputs[0].tobytes() == bare.program.outputs[0].tobytes()
        assert kept.graph.gradients.tobytes() == bare.graph.gradients.tobytes()
        for each in (kept, bare):
            each.graph.parameters[:] -= 0.1 * each.graph.gradients
            each.program.gradients()


def test_a_program_that_keeps_nothing_has_no_memory_for_it() -> None:
    kept, some, bare = (Classifier(keep).program for keep in (True, ["hidden"], False))
    assert bare.nbytes <= some.nbytes < kept.nbytes


def test_a_value_is_there_until_the_next_execution_and_cannot_be_changed() -> None:
    ours = Classifier(keep=True)
    ours.program.forward()
    values = [ours.program.value(node).copy() for node in ours.graph.nodes]
    ours.program.backward()
    after = [ours.program.value(node) for node in ours.graph.nodes]
    for one, other in zip(values, after, strict=True):
        assert one.tobytes() == np.ascontiguousarray(other).tobytes()
        with pytest.raises(ValueError, match="read-only"):
            other[...] = 0


def test_what_is_not_kept_or_has_no_gradient_is_said() -> None:
    ours = Classifier(keep=["x", "output"])
    for read in (ours.program.value, ours.program.gradient):
        with pytest.raises(ValueError, match=r"relu.* is not kept; give it to compile in keep"):
            read(ours.nodes["hidden"])
    with pytest.raises(ValueError, match=r"gradient: x\['samples', 3\] has none in this program"):
        ours.program.gradient(ours.nodes["x"])
    with pytest.raises(ValueError, match=r"loss.*is to be kept, but no output depends on it"):
        unused(ours.graph, ours.nodes["hidden"])


def unused(graph: Graph, output: Node) -> Program:
    loss = graph.input("loss", ())
    return graph.compile(output, keep=[loss])


def test_a_graph_and_a_program_can_be_read() -> None:
    ours = Classifier()
    lines = repr(ours.graph).splitlines()
    assert lines[0] == "Graph in float64, 2 runs, 40 parameters"
    shown = [" ".join(line.split()) for line in lines[1:]]
    assert shown[:4] == [
        "x = input (samples, 3)",
        "label = input (samples,) int64",
        "w0 = parameter (5, 3)",
        "w1 = parameter (4, 5)",
    ]
    assert "add = add(matmul, bias) (samples, 5)" in shown
    assert "multiply = multiply(relu, 0.5) (samples, 5)" in shown
    assert "matmul_2 = matmul(add_2, transpose_2) (samples, 4)" in shown
    first, *rest = repr(ours.program).splitlines()
    assert f"{ours.program.nbytes:,} bytes" in first
    assert rest == [
        "  takes x (2, 6, 3) float64",
        "  takes label (2, 6) int64",
        "  gives (2,) float64",
    ]
