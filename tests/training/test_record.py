"""What is written down of a training, and when it ends."""

import math
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable

import numpy as np
import pytest
from repository import ROOT

from stages.task.files import Files, read_history, read_tensors
from stages.training.record import Record

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

EPOCHS = [[slice(0, 2), slice(2, 3)]] * 3  # of two batches each


class Countdown:
    """A training whose one parameter is the number of steps done."""

    def __init__(
        self, loss: Callable[[int], float] = float, train_loss: Callable[[int], float] = float
    ) -> None:
        self.parameter = np.zeros(1)
        self.batches: list[slice] = []
        self._loss, self._train_loss = loss, train_loss

    def evaluate(self) -> dict[str, float]:
        step = int(self.parameter[0])
        return {"train_loss": self._train_loss(step), "test_loss": 10.0 * step}

    def run(self, snapshot_steps: list[int]) -> tuple[dict[str, np.ndarray], dict]:
        record = Record(snapshot_steps, lambda: {"p": self.parameter}, self.evaluate)
        for batch in record.batches(EPOCHS):
            self.batches.append(batch)
            self.parameter += 1
            record.loss = self._loss(int(self.parameter[0]))
        files = Files("countdown")
        record.write(files, "numpy")
        np.testing.assert_array_equal(read_tensors(files.model["numpy"])["p"], self.parameter)
        return read_tensors(files.snapshots["numpy"]), read_history(files.history["numpy"])


def test_a_row_for_the_start_and_for_each_epoch_and_the_snapshots_asked_for() -> None:
    training = Countdown()
    snapshots, history = training.run([0, 1, 4, 6])
    assert training.batches == [*EPOCHS[0], *EPOCHS[1], *EPOCHS[2]]
    assert history == {
        "epoch": [0, 1, 2, 3],
        "step": [0, 2, 4, 6],
        "train_loss": [0, 2, 4, 6],
        "test_loss": [0, 20, 40, 60],
    }
    np.testing.assert_array_equal(snapshots["step"], [0, 1, 4, 6])
    np.testing.assert_array_equal(snapshots["p"], [[0], [1], [4], [6]])
    assert snapshots["step"].dtype == np.int64


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_batch_whose_loss_is_not_finite_ends_the_training(bad: float) -> None:
    training = Countdown(loss=lambda step: bad if step == 3 else 0.0)
    snapshots, history = training.run([0, 1, 3, 6])
    assert len(training.batches) == 3
    assert history["epoch"] == [0, 1, 2]
    assert history["step"] == [0, 2, 3]
    assert history["train_loss"][:2] == [0, 2]
    assert math.isnan(history["train_loss"][2])
    assert math.isnan(history["test_loss"][2])
    np.testing.assert_array_equal(snapshots["step"], [0, 1, 3])


def test_a_training_loss_that_is_not_finite_ends_the_training_after_its_epoch() -> None:
    training = Countdown(train_loss=lambda step: math.inf if step > 2 else 0.0)
    _, history = training.run([0, 6])
    assert history["step"] == [0, 2, 4]
    assert math.isnan(history["train_loss"][-1])


def test_an_infinite_test_loss_alone_is_no_divergence() -> None:
    training = Countdown()
    training.evaluate = lambda: {"train_loss": 1.0, "test_loss": math.inf}
    _, history = training.run([0, 6])
    assert history["train_loss"] == [1, 1, 1, 1]
    assert all(math.isnan(value) for value in history["test_loss"])


SLOW = """
import time
import numpy as np
from stages.training.record import Record

record = Record([0, 8], lambda: {"p": np.zeros(1)}, lambda: {"train_loss": 1.0})
for batch in record.batches([[slice(0, 1)] * 8]):
    time.sleep(0.2)
    record.loss = 1.0
"""


def test_a_long_training_shows_its_progress_on_a_terminal() -> None:
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    try:
        subprocess.run([sys.executable, "-c", SLOW], cwd=ROOT, stderr=terminal, check=True)
        os.set_blocking(controller, False)
        shown = os.read(controller, 2**16).decode()
    finally:
        os.close(terminal)
        os.close(controller)
    assert "/8 [" in shown
    assert "step/s" in shown


def test_and_is_quiet_elsewhere() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW.replace("0.2", "0.001")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
