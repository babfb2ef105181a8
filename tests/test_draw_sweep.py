"""The stage `draw_sweep`, on a file as `sweep` writes it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import assert_is_for_readme, assert_same_bytes
from PIL import Image
from repository import ROOT
from sweep_files import RATES, bowl, grid, write

from stages.draw_sweep import main
from stages.task.command import run

CURVES = Path("plots", "moons", "sweep.csv")
PICTURE = Path("plots", "moons", "sweep.png")


@pytest.fixture(autouse=True)
def _swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with nothing but what the stage reads."""
    monkeypatch.chdir(tmp_path)
    shutil.copy2(ROOT / "params.yaml", "params.yaml")
    Path("stages").symlink_to(ROOT / "stages")
    write(
        CURVES,
        {
            "adam": (grid(lr=RATES), bowl(0.01)),
            "sgd": (grid(lr=RATES, momentum=np.linspace(0, 0.9, 10).tolist()), bowl(0.1)),
        },
    )


def test_there_is_a_picture_of_the_usual_width() -> None:
    run(main, ["moons"])
    assert_is_for_readme(PICTURE)


def test_the_same_sweep_is_the_same_bytes() -> None:
    assert_same_bytes(lambda: run(main, ["moons"]), [PICTURE])


def test_maps_are_below_the_curves_where_two_hyperparameters_differ() -> None:
    heights = []
    for momenta in ([0.0], [0.0, 0.5]):
        write(CURVES, {"sgd": (grid(lr=RATES, momentum=momenta), bowl(0.01))})
        run(main, ["moons"])
        with Image.open(PICTURE) as picture:
            assert picture.width == 1600
            heights.append(picture.height)
    assert heights[1] > heights[0] + 500


def test_a_missing_file_is_named_in_one_line() -> None:
    CURVES.unlink()
    with pytest.raises(SystemExit) as stopped:
        run(main, ["moons"])
    assert str(stopped.value) == f"{CURVES}: No such file or directory"


def test_a_backend_of_matplotlib_that_does_not_exist_changes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.draw_sweep", "moons"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "nope"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert PICTURE.exists()
