"""`python -m stages.review`: two revisions in, a page and an exit code out."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT, run
from small_project import PIPELINE, Project

import stages.review.__main__ as command


def review(project: Project, *arguments: str) -> tuple[int, str, str]:
    """The exit code of the command in a process of its own, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "stages.review", *arguments],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def here(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command in this process."""
    monkeypatch.setattr(sys, "argv", ["review", *arguments])
    with pytest.raises(SystemExit) as stop:
        command.main()
    return int(stop.value.code or 0)


def test_a_better_workspace_passes(project: Project) -> None:
    project.change(curve=[4, 1, 0.5], picture="two")
    (project.root / "code/words.txt").write_text("now three words")
    project.measure(loss=0.125, drift={"parameters": 2.5e-15})
    code, text, errors = review(project, "HEAD")
    assert (code, errors) == (0, "")
    assert text.startswith(
        "**Passed.** 2 of 4 metrics moved: 1 better, 1 within tolerance.\n\nFrom `HEAD` ("
    )
    assert "| `metrics.loss` | `0.25` | `0.125` |" in text
    assert "3 ran, 0 reused." in text
    assert "| `words` | `code` (`words.txt`) | 1 of 1 changed |" in text
    assert "| `count` | `words.txt` | 1 of 1 changed |" in text
    assert "| `train` | `metrics.loss` `0.25` → `0.125`; " in text
    assert "| `metrics/moons.json:loss` | `0.25` | `0.125` | -0.125 | -50 % | better | " in text
    assert "| `moons` | 1.5e-15 → 2.5e-15 | missing | missing |" in text
    folder = project.root / "review"
    assert (folder / "review.md").read_text() == text
    for side, content in (("before", "one"), ("after", "two")):
        assert f"]({side}/plots/a%20picture.png)" in text
        assert (folder / side / "plots/a picture.png").read_text() == content
    assert "`plots/curve.csv`<br>![before and after](curves/plots/curve.csv.png)" in text
    assert (folder / "curves/plots/curve.csv.png").read_bytes().startswith(b"\x89PNG")
    assert "These tables changed as well: `plots/curve.csv`, `plots/table.csv`." in text
    assert (folder / "review.html").read_text().count("data:image/png;base64,") == 3


def test_a_worse_commit_fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.measure(loss=0.5)
    project.commit()
    code, text, errors = review(project, "HEAD~1", "HEAD")
    assert (code, errors) == (1, "")
    assert text.startswith(
        "**Failed.** `metrics/moons.json:loss` is worse: `0.25` → `0.5` (+100 %)"
    )
    assert "| ❌ worse | 0.01 relative |" in text
    assert here(monkeypatch, "HEAD", "HEAD~1") == 0


def test_no_revision_cannot_be_compared(project: Project) -> None:
    assert review(project, "nope") == (
        2,
        "",
        "nope: neither a revision of git nor an experiment of DVC\n",
    )


def test_a_base_that_a_shallow_clone_has_not(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(project.root, "git", "tag", "before")
    project.measure(loss=0.125)
    project.commit()
    monkeypatch.chdir(tmp_path)
    run(tmp_path, "git", "clone", "--quiet", "--depth", "1", project.root.as_uri(), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    for base in ("HEAD~1", "before"):
        assert here(monkeypatch, base, "HEAD") == 2
        assert capsys.readouterr().err == (
            f"{base}: not in this clone, which is shallow; run `git fetch --unshallow`\n"
        )
    run(tmp_path / "clone", "git", "fetch", "--quiet", "--unshallow")
    assert here(monkeypatch, "HEAD~1", "HEAD") == 0


def test_what_a_clone_would_not_have_fails(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "own.csv").write_text("a,b")
    words = PIPELINE["stages"]["words"]
    project.edit_pipeline(words=words | {"deps": ["code", "own.csv"]})
    project.reproduce()
    assert here(monkeypatch, "HEAD") == 1
    text = capsys.readouterr().out
    assert text.startswith(
        "**Failed.** `own.csv`, which `words` needs, is in neither git nor DVC. "
    )
    assert "\n\nA clone would lack `own.csv`. `git add` or `dvc add` makes it part of " in text
    run(project.root, "git", "add", "own.csv")
    assert here(monkeypatch, "HEAD") == 0


def test_an_experiment_by_its_name(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = "metrics.loss=0.5"
    run(project.root, "dvc", "exp", "run", "--name", "slower", "--set-param", setting)
    run(project.root, "git", "restore", ".")
    assert here(monkeypatch, "HEAD", "slower") == 1
    text = capsys.readouterr().out
    assert " to `slower` (" in text
    assert "| `metrics.loss` | `0.25` | `0.5` |" in text
    assert "1 ran, 2 reused." in text


@pytest.mark.parametrize(
    ("target", "exit_code", "start", "not_run"),
    [
        ("count", 0, "**Passed.** 0 of 0 metrics moved. 1 of 3 stages did not run.", "`train`"),
        ("train", 1, "**Failed.** `metrics/moons.json:loss` is worse: ", "`count`, `words`"),
        ("words", 0, "**Passed.** 0 of 0 metrics moved. 2 of 3 stages did", "`count`, `train`"),
    ],
)
def test_an_experiment_with_a_target_is_reviewed_for_what_it_ran(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    target: str,
    exit_code: int,
    start: str,
    not_run: str,
) -> None:
    (project.root / "code/words.txt").write_text("now three words")
    setting = "metrics.loss=0.5"
    run(project.root, "dvc", "exp", "run", "--name", "some", "--set-param", setting, target)
    run(project.root, "git", "restore", ".")
    assert here(monkeypatch, "HEAD", "some") == exit_code
    text = capsys.readouterr().out
    assert text.startswith(start)
    assert f" not run</summary>\n\n{not_run}\n\n</details>" in text
    assert "metrics/" not in text or target == "train"

    run(
        project.root,
        "git",
        "branch",
        "promoted",
        run(project.root, "dvc", "exp", "list", "--sha-only").strip(),
    )
    assert here(monkeypatch, "HEAD", "promoted") == 2
    assert "not the results of this code and these parameters" in capsys.readouterr().err


def test_a_warning_passes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.measure(accuracy=0.25)
    assert here(monkeypatch, "HEAD") == 0


@pytest.mark.usefixtures("project")
def test_nothing_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(monkeypatch, "HEAD", "--unchanged") == 0
    text = capsys.readouterr().out
    assert text.startswith("**Passed.** 0 of 4 metrics moved.")
    assert "0 ran, 3 reused." in text
    assert text.count("None") == 3


def test_what_has_to_be_reproduced_may_not_get_better(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.measure(loss=0.125)
    assert here(monkeypatch, "HEAD") == 0
    assert here(monkeypatch, "HEAD", "--unchanged") == 1


def test_a_removed_and_a_new_task(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = (project.root / "dvc.yaml").read_text()
    (project.root / "dvc.yaml").write_text(
        pipeline.replace("train:", "learn:").replace("moons", "blobs")
    )
    script = (project.root / "train.py").read_text()
    (project.root / "train.py").write_text(script.replace("moons", "blobs"))
    project.reproduce()
    assert here(monkeypatch, "HEAD") == 1
    text = capsys.readouterr().out
    line = "metrics/moons.json:*: {removed: true}"
    assert text.startswith("**Failed.** `metrics/moons.json:*` is gone. ")
    assert (
        f"\n\nIf what is gone was removed on purpose, `gates.yaml` has to say so:\n\n- `{line}`\n\n"
        in text
    )
    assert "1 ran, 2 reused, 1 removed." in text
    assert "| `learn` | new | new |" in text
    assert "| `train` | removed | gone |" in text
    assert "| `metrics/moons.json:loss` | `0.25` | `missing` |  |  | ❌ removed |" in text
    assert "| `metrics/blobs.json:loss` | `missing` | `0.25` |  |  | new |" in text
    assert "| `blobs` | missing → 1.5e-15 |" in text
    assert "New: `metrics/blobs.json`." in text
    assert "Gone: `metrics/moons.json`." in text

    gates = project.root / "gates.yaml"
    gates.write_text(f"{gates.read_text()}\n{line}\n")
    project.commit()
    run(project.root, "git", "branch", "renamed")
    run(project.root, "git", "reset", "--quiet", "--hard", "HEAD~1")
    assert here(monkeypatch, "HEAD", "renamed") == 0
    assert "| removed | removed on purpose |" in capsys.readouterr().out
    assert here(monkeypatch, "HEAD", "renamed", "--unchanged") == 1


LION = {"variants": 1, "steps": 300, "ulp_ieee": 48128, "ulp_repeated": 0, "descending": 1}


@pytest.mark.parametrize(
    ("name", "measured", "said"),
    [
        ("optimizers", {"Lion": LION}, "Lion differs from its reference by up to 48128 units"),
        ("optimizers", {"Lion": LION | {"ulp_ieee": 0, "descending": 0}}, "Lion does not descend"),
        ("blobs", {"drift": {"cloud": 1e3}}, "blobs: the twins are 1000 times as far apart"),
        ("blobs", {"drift": {"cloud": 0.1}}, None),
    ],
)
def test_what_is_new_and_does_not_hold_fails(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    measured: dict[str, Any],
    said: str | None,
) -> None:
    project.change(tasks={"blobs": {"model": {"dtype": "float64"}}})
    path = f"metrics/{name}.json"
    project.edit_pipeline(
        new={
            "cmd": f"cp measured.json {path}",
            "deps": ["measured.json"],
            "metrics": [{path: {"cache": False}}],
        }
    )
    (project.root / "measured.json").write_text(json.dumps(measured))
    run(project.root, "git", "add", "measured.json")
    project.reproduce()
    assert here(monkeypatch, "HEAD") == (said is not None)
    text = capsys.readouterr().out
    assert text.startswith(f"**Failed.** `{said}" if said else "**Passed.**")
    assert f"New: `{path}`." in text


def test_committed_pictures_by_their_addresses(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://host/raw/{commit}/{path}"
    project.change(picture="two", curve=[3, 2, 1])
    project.reproduce()
    project.commit()
    assert here(monkeypatch, "HEAD~1", "--images", address) == 0
    text = capsys.readouterr().out
    for name in ("HEAD~1", "HEAD"):
        commit = run(project.root, "git", "rev-parse", name).strip()
        assert f"(https://host/raw/{commit}/plots/a%20picture.png)" in text
    assert "curves/" not in text
    assert "data:image/png" in (project.root / "review/review.html").read_text()

    project.change(picture="three")
    project.reproduce()
    assert here(monkeypatch, "HEAD~1", "--images", address) == 0
    assert "| `plots/a picture.png`, not committed |" in capsys.readouterr().out


def test_a_path_is_no_markup_and_no_file_that_it_names_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("plots/a](/etc/hostname)<script>alert(1)/b.png")
    make = f"mkdir -p {shlex.quote(str(path.parent))} && echo one > {shlex.quote(str(path))}"
    project.edit_pipeline(evil={"cmd": make, "plots": [{str(path): {"cache": False}}]})
    project.reproduce()
    assert here(monkeypatch, "HEAD") == 0
    assert f"`{path}`<br>none" in capsys.readouterr().out
    written = (project.root / "review/review.html").read_text()
    assert "<script" not in written
    (picture,) = re.findall(r'<img src="([^"]*)"', written)
    assert (
        picture
        == f"data:image/png;base64,{base64.b64encode(b'one' + os.linesep.encode()).decode()}"
    )


def test_the_gates_are_part_of_what_is_reviewed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "gates.yaml").write_text(yaml.safe_dump({"*": {"gate": "none"}}))
    project.measure(loss=0.5)
    assert here(monkeypatch, "HEAD") == 0
    assert "**the gates changed, too**" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("gates.yaml", None, "gates.yaml: not found; it says what the review makes of a metric"),
        ("gates.yaml", "a: {better: up}", "gates.yaml: a.better: must be one of "),
        ("gates.yaml", "a: {}", "gates.yaml: no pattern matches metrics/moons.json:loss; add one"),
        (
            "train.py",
            "",
            "workspace: train: not the results of this code and these parameters; run",
        ),
        ("dvc.yaml", "stages: 1", "workspace: './dvc.yaml' validation failed"),
        ("metrics/moons.json", "{", "workspace: metrics/moons.json: Expecting property name"),
    ],
)
def test_a_mistake_is_one_line_and_cannot_be_compared(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
    text: str | None,
    message: str,
) -> None:
    (project.root / path).unlink()
    if text is not None:
        (project.root / path).write_text(text)
    assert here(monkeypatch, "HEAD") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert printed.err.count("\n") == 1


def test_no_project_cannot_be_compared(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root / "code")
    assert here(monkeypatch, "HEAD") == 2
    assert capsys.readouterr().err == (
        f"the review must run in the root of the project, {project.root}\n"
    )
