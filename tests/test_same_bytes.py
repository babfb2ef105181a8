"""Stages write the same bytes on every processor that has AVX2, whoever makes it.

Other processors are emulated: by qemu-user, which Debian and others have as a package.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from repository import ROOT

from stages import PINNED

STAGES = (
    ("train_numpy", "classification"),
    ("train_torch", "classification"),
    ("check_model", "classification"),
)


def written(project: Path, *emulator: str, **environment: str) -> dict[str, bytes]:
    """What the stages write in a copy of the project, by its name."""
    kept = {key: value for key, value in os.environ.items() if key not in {"KERNELS", *PINNED}}
    kept |= {"PYTHONPATH": sysconfig.get_path("purelib"), **environment}
    for stage, task in STAGES:
        command = [*emulator, os.path.realpath(sys.executable), "-m", f"stages.{stage}", task]
        done = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    files = [*(project / "data/classification").glob("*.safetensors")]
    files += [*(project / "plots/classification").glob("*.csv")]
    files += [project / "metrics/classification/gradients.json"]
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def here(
    reproduced: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, bytes]]:
    project = tmp_path_factory.mktemp("same_bytes")
    for name in ("stages", "params.yaml", "data/classification", "plots/classification"):
        source = reproduced / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, project / name)
    return project, written(project)


def test_other_kernels_in_the_environment_change_nothing(
    here: tuple[Path, dict[str, bytes]],
) -> None:
    project, expected = here
    assert written(project, OPENBLAS_CORETYPE="Nehalem", ATEN_CPU_CAPABILITY="avx512") == expected


def test_native_kernels_are_others_where_there_are_others(
    here: tuple[Path, dict[str, bytes]],
) -> None:
    """So what is compared here does depend on the kernels."""
    project, expected = here
    assert written(project, KERNELS="native", OPENBLAS_CORETYPE="Nehalem") != expected


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="qemu-user is not installed")
@pytest.mark.parametrize("processor", ["Haswell-noTSX", "Skylake-Client-noTSX-IBRS", "EPYC-Rome"])
def test_another_processor_writes_the_same_bytes(
    here: tuple[Path, dict[str, bytes]], processor: str
) -> None:
    project, expected = here
    assert written(project, "qemu-x86_64", "-cpu", processor) == expected


def test_a_value_of_kernels_that_is_none_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stages.generate", "moons"]
    environment = {**os.environ, "KERNELS": "fast", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "KERNELS: must be pinned or native, got 'fast'\n")
