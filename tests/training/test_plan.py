"""The plan that both twins follow: batches and snapshots."""

import numpy as np
import pytest
from trainings import task_like

from stages.task.errors import InputError
from stages.task.table import Table
from stages.task.training import Training
from stages.training.plan import (
    ALL,
    batch_size,
    epochs,
    plan,
    snapshot_steps,
)


def training(**changes: object) -> Training:
    keys = {f"training__{key}": value for key, value in changes.items()}
    return task_like("moons", **keys).training


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
