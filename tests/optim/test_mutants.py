"""Mistakes in the optimizers are found, those of mistakes.py and a sample of mutants.py's."""

from random import Random

import pytest

from stages.task.hyperparameters import BUILT_IN
from tests.optim.mistakes import MISTAKES
from tests.optim.mutants import (
    MODULES,
    Mutant,
    explanation,
    fails_tests,
    leaves_path,
    mistakes,
    mutants,
)
from tests.optim.replay import SOURCES, Replay, classes_with

# A mistake in these leads no optimizer off torch's path: their own tests find it.
NOT_ON_THE_PATH = ["arrays", "averaging", "bounds", "clipping", "state"]
STEPS = 40  # of each variant: the last mistake to be found is found at step 19
SAMPLE = 4  # of each file


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay(STEPS)


def test_every_file_has_mistakes_in_it() -> None:
    assert sorted([*MISTAKES, *NOT_ON_THE_PATH]) == MODULES


def test_the_originals_follow_torch(replay: Replay) -> None:
    assert classes_with("bounds") == tuple(kind.__name__ for kind in BUILT_IN)
    assert replay.difference("bounds", SOURCES["bounds"]) is None


@pytest.mark.parametrize("mutant", [each for m in MISTAKES for each in mistakes(m)], ids=str)
def test_each_mistake_is_found(mutant: Mutant, replay: Replay) -> None:
    assert leaves_path(replay, mutant)


@pytest.mark.parametrize("module", MISTAKES)
def test_so_is_a_sample_of_small_changes(module: str, replay: Replay) -> None:
    for mutant in Random(module).sample(mutants(module), SAMPLE):
        found = leaves_path(replay, mutant) or explanation(mutant) or fails_tests(mutant)
        assert found, mutant
