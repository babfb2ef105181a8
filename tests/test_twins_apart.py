"""The twins import each other in neither direction."""

from pathlib import Path

import pytest
from repository import ROOT

from stages.code import closure, imports

STAGES = ROOT / "stages"
NUMPY = {"graph", "optim", "models/mlp.py", "models/network.py", "training/twin.py"}
TORCH = {
    "reference",
    "models/mlp_torch.py",
    "models/network_torch.py",
    "training/twin_torch.py",
}


def modules(*folders: str) -> list[str]:
    """The files of some folders, from stages/."""
    files = (path for folder in folders for path in (STAGES / folder).rglob("*.py"))
    return sorted(str(path.relative_to(STAGES)) for path in files)


def crossing(path: Path, others: set[str]) -> list[str]:
    """What of the other side a file imports, directly or not; torch itself counts to its side."""
    files = closure([path.relative_to(ROOT)])
    found = {str(file.relative_to("stages")) for file in files}
    outside = {name.partition(".")[0] for file in files for name in imports(file).found}
    parts = {name for name in found if name in others or name.partition("/")[0] in others}
    return sorted(parts | ({"torch"} & outside if others is TORCH else set()))


OF_NUMPY = ["train_numpy.py", "models/mlp.py", *modules("graph", "optim")]
# The stage train_torch itself imports more: it has the start drawn as the graph declares it. With
# the kernels of the graph torch is compared, and no twin trains.
OF_TORCH = {"training/twin_torch.py", "models/mlp_torch.py", *modules("reference")}
OF_TORCH -= {"reference/graph_kernels.py"}


@pytest.mark.parametrize("name", OF_NUMPY)
def test_the_numpy_side_knows_nothing_of_torch(name: str) -> None:
    assert crossing(STAGES / name, TORCH) == []


@pytest.mark.parametrize("name", sorted(OF_TORCH))
def test_the_torch_side_knows_nothing_of_numpys(name: str) -> None:
    assert crossing(STAGES / name, NUMPY) == []


def test_an_import_across_is_found(tmp_path: Path) -> None:
    """Made on purpose, directly and by way of a file that both may import."""
    cases = (
        ("from stages.training.twin_torch import Twin", TORCH, "training/twin_torch.py"),
        ("from stages.task.hyperparameters import SGD", NUMPY, "optim/sgd.py"),
        ("import torch", TORCH, "torch"),
    )
    for number, (line, others, found) in enumerate(cases):
        file = ROOT / "stages" / "own" / f"across_{number}_{tmp_path.name}.py"
        file.write_text(line)
        try:
            assert found in crossing(file, others)
        finally:
            file.unlink()
