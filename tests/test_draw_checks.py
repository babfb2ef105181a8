"""The stage `draw_checks`, on files as the checks write them."""

from pathlib import Path

import numpy as np
import pytest
from pictures import assert_is_for_readme, assert_same_bytes

from stages.draw_checks import main
from stages.optim import SGD, Adam, Rprop
from stages.task.command import plain_errors
from stages.task.files import write_history, write_tensors

PICTURES = [
    Path("plots", "optimizers", "rosenbrock.png"),
    Path("plots", "optimizers", "variants.png"),
    Path("plots", "training", "drift.png"),
]
INPUTS = [
    Path("data", "rosenbrock.safetensors"),
    Path("plots", "optimizers", "variants.csv"),
    Path("plots", "training", "drift.csv"),
]


@pytest.fixture(autouse=True)
def _checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of the checks in an empty folder."""
    monkeypatch.chdir(tmp_path)
    paths = {}
    for optimizer in (SGD(lr=0.001, momentum=0.6), Adam(lr=0.1), Rprop(lr=0.01)):
        point = np.array([-1.5, 2.0])
        path = [point.copy()]
        for _ in range(100):
            x, y = point
            slope = 200 * (y - x**2)
            optimizer(point, np.array([-2 * (1 - x) - 2 * x * slope, slope]))
            path.append(point.copy())
        for twin in ("numpy", "torch"):
            paths[f"{type(optimizer).__name__}/{twin}"] = np.array(path)
    write_tensors(INPUTS[0], paths)
    INPUTS[1].parent.mkdir(parents=True)
    INPUTS[1].write_text(
        "optimizer,variant,ulp_ieee,ulp_native,first_difference\n"
        'SGD,lr=0.1,0,3,0\nAdam,"lr=0.1 betas=[0.5, 0.9]",0,250,0\nRprop,lr=0.01,0,0,0\n'
    )
    drift = {"SGD": [0.0, 1e-16, 4e-16], "Adam": [2e-16, 1e-15, 3e-14]}
    write_history(INPUTS[2], {"step": [1, 10, 100], **drift})


def test_there_are_three_pictures_of_the_usual_width() -> None:
    main()
    for path in PICTURES:
        assert_is_for_readme(path)


def test_the_same_results_are_the_same_bytes() -> None:
    assert_same_bytes(main, PICTURES)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_a_missing_file_is_named_in_one_line(path: Path) -> None:
    path.unlink()
    with pytest.raises(SystemExit) as stopped, plain_errors():
        main()
    assert str(stopped.value) == f"{path}: No such file or directory"
