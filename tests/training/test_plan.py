"""The plan that both twins follow: sizes, initial parameters, batches, snapshots."""

import numpy as np
import pytest
import torch
from trainings import task_like

from stages.models.mlp_torch import network
from stages.task.errors import InputError
from stages.task.table import Table
from stages.task.training import Training
from stages.training.plan import (
    ALL,
    batch_size,
    epochs,
    initial_parameters,
    plan,
    snapshot_steps,
    start,
)

SIZES = [3, 50, 40, 2]


def training(**changes: object) -> Training:
    keys = {f"training__{key}": value for key, value in changes.items()}
    return task_like("moons", **keys).training


@pytest.mark.parametrize("initialization", ["uniform01", "torch_linear"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_initial_parameters_are_a_state_of_the_torch_model(initialization: str, dtype: str) -> None:
    start = initial_parameters(SIZES, initialization, dtype, seed=1)
    model = network(SIZES, "relu", dtype)
    assert list(start) == list(model.state_dict())
    model.load_state_dict({name: torch.from_numpy(values) for name, values in start.items()})
    assert all(part.dtype == getattr(torch, dtype) for part in model.parameters())
    again = initial_parameters(SIZES, initialization, dtype, seed=1)
    other = initial_parameters(SIZES, initialization, dtype, seed=2)
    for name, values in start.items():
        np.testing.assert_array_equal(values, again[name])
        if values.any():  # the biases of uniform01 are 0
            assert not np.array_equal(values, other[name])


def test_uniform01_is_the_seeds_rand_and_zeros() -> None:
    start = initial_parameters([100, 100, 1], "uniform01", "float64", seed=1)
    weight = start["0.weight"]
    assert 0 <= weight.min() < 0.001
    assert 0.999 < weight.max() < 1
    assert weight.mean() == pytest.approx(0.5, abs=0.01)
    assert not start["0.bias"].any()
    assert not start["2.bias"].any()


def test_torch_linear_has_the_ranges_of_torch() -> None:
    sizes = [4, 2000, 1000]
    start = initial_parameters(sizes, "torch_linear", "float64", seed=1)
    theirs = {name: values.numpy() for name, values in network(sizes, "relu").state_dict().items()}
    for name, values in start.items():
        bound = 1 / np.sqrt(4 if name.startswith("0") else 2000)
        # torch.nn.Linear draws from the same interval, but in single precision
        for found, limit in ((values, bound), (theirs[name], float(np.float32(bound)))):
            assert 0.99 * bound < found.max() <= limit
            assert -limit <= found.min() < -0.99 * bound
            assert found.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_float32_starts_from_the_same_numbers_rounded() -> None:
    double = initial_parameters(SIZES, "torch_linear", "float64", seed=1)
    single = initial_parameters(SIZES, "torch_linear", "float32", seed=1)
    for name, values in double.items():
        np.testing.assert_array_equal(values.astype(np.float32), single[name])


@pytest.mark.parametrize(("samples", "size"), [(10, 3), (10, 5), (10, 1), (7, 6)])
def test_the_batches_of_an_epoch_share_out_the_samples(samples: int, size: int) -> None:
    made = list(epochs(training(epochs=4, seed=1), samples, size))
    assert len(made) == 4
    for batches in made:
        full, rest = divmod(samples, size)
        assert [len(batch) for batch in batches] == [size] * full + [rest] * (rest > 0)
        assert sorted(np.concatenate(batches)) == list(range(samples))
    orders = {tuple(np.concatenate(batches)) for batches in made}
    assert len(orders) > 1
    again = list(epochs(training(epochs=4, seed=1), samples, size))
    for batches, same in zip(made, again, strict=True):
        np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(same))


def test_the_order_depends_on_the_seed() -> None:
    table = Table(np.zeros((20, 2)), np.zeros(20, np.int64), ["a", "b"], "c", ["0", "1"])
    plans = [plan("moons", training(batch_size=20 // 2, seed=seed), table) for seed in (1, 1, 2)]
    first, again, other_seed = (np.concatenate(next(iter(made.epochs))) for made in plans)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other_seed)


def test_a_full_batch_is_all_samples_as_they_lie() -> None:
    for size in ("full", 12):
        given = training(epochs=2, batch_size=size)
        assert batch_size("moons", given, 12) == 12
        assert list(epochs(given, 12, 12)) == [[ALL], [ALL]]
    assert np.arange(12)[ALL].tolist() == list(range(12))


def test_a_batch_larger_than_the_training_part_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        batch_size("moons", training(batch_size=301), 300)
    assert str(caught.value) == (
        "params.yaml: tasks.moons.training.batch_size: must be at most 300, the size of the "
        "training part, or full; got 301"
    )
    assert batch_size("moons", training(batch_size=300), 300) == 300


@pytest.mark.parametrize(
    ("number", "epochs_", "samples", "size", "expected"),
    [
        (2, 3, 10, 5, [0, 6]),
        (4, 3, 10, 5, [0, 2, 4, 6]),
        (3, 3, 10, 4, [0, 4, 9]),  # 3 batches an epoch, the middle rounded to even
        (100, 1, 10, 5, [0, 1, 2]),  # more moments than steps: all steps
        (51, 100, 160, 160, list(range(0, 101, 2))),
    ],
)
def test_snapshots_are_equally_spaced_from_the_start_to_the_end(
    number: int, epochs_: int, samples: int, size: int, expected: list[int]
) -> None:
    made = snapshot_steps(training(snapshots=number, epochs=epochs_), samples, size)
    assert made == expected


def test_a_number_has_one_output_and_classes_one_each() -> None:
    features = np.zeros((5, 3))
    number = Table(features, np.zeros(5), ["a", "b", "c"], "y")
    classes = Table(features, np.zeros(5, np.int64), ["a", "b", "c"], "y", ["0", "1", "2", "3"])
    assert start(task_like("regression").model, 1, number).sizes == [3, 1]
    assert start(task_like("moons").model, 1, classes).sizes == [3, 16, 16, 4]
