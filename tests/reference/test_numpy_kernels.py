"""Leaf kernels: right by torch's own and by difference quotients, and the graph's to the bit."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from networks import initial_parameters, network, torch_network
from torch import Tensor, nn

from stages.graph.memory import FEW
from stages.graph.writer import MANY
from stages.models.mlp_torch import ACTIVATIONS
from stages.proofs.difference import ulp_difference
from stages.reference import numpy_kernels
from stages.reference.operations.losses import LOSSES

OWN: dict[str, Callable[..., Tensor]] = {
    "linear": numpy_kernels.linear(MANY),
    "relu": numpy_kernels.relu,
    "tanh": numpy_kernels.tanh,
    "sigmoid": numpy_kernels.sigmoid,
    "half_mse": numpy_kernels.half_mse,
    "cross_entropy": numpy_kernels.cross_entropy,
}
NATIVE: dict[str, Callable[..., Tensor]] = {
    "linear": nn.functional.linear,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "half_mse": LOSSES["half_mse"],
    "cross_entropy": nn.functional.cross_entropy,
}


def operands(name: str, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Numbers away from 0 and from where a derivative cancels, lest an ULP there be a large one."""
    random = np.random.default_rng(1)
    arrays = {
        "linear": [random.uniform(0.5, 2, shape) for shape in [(7, 3), (4, 3), (4,)]],
        "half_mse": [random.uniform(0, 1, (7, 3)), random.uniform(2, 3, (7, 3))],
        "cross_entropy": [random.uniform(-1, 1, (7, 3))],
    }
    sign = random.choice([-1, 1], (7, 3))
    given = arrays.get(name, [sign * random.uniform(0.1, 1, (7, 3))])
    tensors = [torch.tensor(array, dtype=dtype, requires_grad=True) for array in given]
    labels = [torch.tensor([0, 1, 2, 2, 1, 0, 1])] if name == "cross_entropy" else []
    return tensors + labels


def value_and_gradients(function: Callable[..., Tensor], given: list[Tensor]) -> list[Any]:
    """The result, and the gradients of its sum weighted by 1, 2, 3, ..."""
    result = function(*given)
    weights = torch.arange(1.0, 1 + result.numel(), dtype=result.dtype).reshape(result.shape)
    wanted = [tensor for tensor in given if tensor.requires_grad]
    gradients = torch.autograd.grad((result * weights).sum(), wanted)
    return [result.detach().numpy(), *(gradient.numpy() for gradient in gradients)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", OWN)
def test_a_kernel_is_within_a_few_ulp_of_torchs_own(name: str, dtype: torch.dtype) -> None:
    own = value_and_gradients(OWN[name], operands(name, dtype))
    native = value_and_gradients(NATIVE[name], operands(name, dtype))
    for mine, theirs in zip(own, native, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        assert np.abs(mine).min() > 0 or name == "relu"
        assert ulp_difference(mine.reshape(-1), theirs.reshape(-1)) <= 4


@pytest.mark.parametrize("name", OWN)
def test_a_derivative_is_the_limit_of_difference_quotients(name: str) -> None:
    assert torch.autograd.gradcheck(OWN[name], operands(name))


def test_a_second_derivative_is_refused_and_not_wrong() -> None:
    (a,) = operands("tanh")
    (gradient,) = torch.autograd.grad((numpy_kernels.tanh(a) * a).sum(), a, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_relu_has_the_derivative_0_at_0() -> None:
    a = torch.tensor([[-1.0, -0.0, 0.0, 1.0]], requires_grad=True)
    numpy_kernels.relu(a).sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == [[0, 0, 0, 1]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [1, 2, 7, 160])
@pytest.mark.parametrize(
    "sizes", [[2, 10, 2], [1, 1], [3, 1, 1], [4, 16, 16, 3], [5, 1, 4]], ids=str
)
@pytest.mark.parametrize("loss", numpy_kernels.LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@np.errstate(invalid="ignore")  # OpenBLAS warns where the product is right
def test_loss_and_gradients_are_those_of_the_graph_in_every_bit(
    activation: str, loss: str, sizes: Sequence[int], samples: int, dtype: str
) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(samples, sizes[0])).astype(dtype)
    target = random.normal(size=(samples, sizes[-1])).astype(dtype)
    if loss == "cross_entropy":
        target = random.integers(0, sizes[-1], samples)
    start = initial_parameters(sizes, "torch_linear", dtype, seed=1)

    net = network(sizes, activation, loss, dtype)
    for name, values in net.graph.views(net.graph.parameters).items():
        np.copyto(values, start[name])
    program = net.graph.compile(net.loss, samples=samples, differentiate=True)
    program.feed(x=x[None], target=target[None])
    program.forward()
    program.backward()

    model = torch_network(sizes, activation, dtype)
    model.load_state_dict({name: torch.from_numpy(values) for name, values in start.items()})
    output = numpy_kernels.forward(model, torch.from_numpy(x), FEW, MANY)
    value = numpy_kernels.LOSSES[loss](output, torch.from_numpy(target))
    value.backward()

    assert value.detach().numpy().tobytes() == program.outputs[0].tobytes()
    for name, ours in net.graph.views(net.graph.gradients).items():
        theirs = model.get_parameter(name).grad
        assert theirs is not None
        assert theirs.numpy().tobytes() == ours.tobytes(), name
    if sizes[-1] > 1 or loss == "half_mse":  # the softmax of a single class is 1 whatever it is
        assert net.graph.gradients.any()
