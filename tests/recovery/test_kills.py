"""Nothing is lost when `make repro` and a sweep are killed, wherever they are."""

from pathlib import Path
from random import Random

from repository import set_up_environment

from tests.recovery.kills import kill_repro, kill_sweep


def test_make_repro_goes_on_wherever_it_is_killed(project: Path) -> None:
    set_up_environment(project)
    outcome = kill_repro(project, 4, Random(2))
    assert outcome.lost == []
    assert outcome.kills == 4


def test_a_sweep_goes_on_wherever_it_is_killed(tmp_path: Path) -> None:
    outcome = kill_sweep(tmp_path, 2, Random(1))
    assert outcome.lost == []
    assert outcome.kills == 2
