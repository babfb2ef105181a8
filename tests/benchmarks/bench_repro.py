"""How long `dvc repro` takes, with nothing to run and from nothing."""

import os
import re
import shutil
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from repository import ROOT, commit, copy_repository, new_repository, run

NOTHING = "repro with nothing to run"
COLD = "repro from nothing"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository, reproduced and committed."""
    directory = tmp_path_factory.mktemp("project")
    copy_repository(directory)
    run(directory, "dvc", "repro")
    commit(directory)
    return directory


@pytest.fixture(scope="module")
def trivial(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with as many stages, each of which copies a file, reproduced and committed."""
    directory = tmp_path_factory.mktemp("trivial")
    new_repository(directory)
    (directory / ".dvc").mkdir()
    shutil.copy2(ROOT / ".dvc/config", directory / ".dvc/config")
    lines = ["stages:"]
    for index, _ in enumerate(run(project, "dvc", "stage", "list").splitlines()):
        (directory / f"{index}.in").write_text(str(index))
        source, copy = f"{index}.in", f"{index}.out"
        lines.append(
            f"  copy{index}: {{cmd: cp {source} {copy}, deps: [{source}], outs: [{copy}]}}"
        )
    (directory / "dvc.yaml").write_text("\n".join(lines))
    run(directory, "dvc", "repro")
    commit(directory)
    return directory


@pytest.mark.benchmark(group=NOTHING)
def test_trivial_stages(benchmark: BenchmarkFixture, trivial: Path) -> None:
    output = benchmark.pedantic(run, (trivial, "dvc", "repro"), rounds=7, warmup_rounds=1)
    assert "Running stage" not in output


@pytest.mark.benchmark(group=NOTHING)
def test_this_pipeline(benchmark: BenchmarkFixture, project: Path) -> None:
    output = benchmark.pedantic(run, (project, "dvc", "repro"), rounds=7, warmup_rounds=1)
    assert "Running stage" not in output


@pytest.mark.benchmark(group=COLD)
def test_everything(benchmark: BenchmarkFixture, tmp_path_factory: pytest.TempPathFactory) -> None:
    def copy() -> tuple[tuple[Path, str, str], dict[str, str]]:
        directory = tmp_path_factory.mktemp("cold")
        copy_repository(directory)
        return (directory, "dvc", "repro"), {}

    benchmark.pedantic(run, setup=copy, rounds=3)


@pytest.mark.benchmark(group=COLD)
@pytest.mark.skipif(not os.environ.get("SEED"), reason="SEED names no file with fenced scripts")
def test_scripts_one_after_the_other(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    text = Path(os.environ["SEED"]).read_text()
    scripts = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)

    def run_scripts() -> None:
        for script in scripts:
            run(tmp_path, "python", "-c", script, MPLBACKEND="Agg")

    benchmark.pedantic(run_scripts, rounds=3)
