"""Which stages ran, and why."""

from dataclasses import replace

from dvc.repo import Repo
from small_project import PIPELINE, Project

from stages.review.differences import MISSING
from stages.review.revision import Revision, Stage, changed_files, read_revision
from stages.review.stages import Run, stages_run

WORDS = Stage("cp", {"code": "1.dir"}, {}, {"words.txt": "2"})
COUNT = Stage("wc", {"words.txt": "2"}, {"unit": "word", "top": None}, {"count": "3.dir"})
PRINT = Stage("cat", {"count/all.txt": "4", "print.py": "5"}, {}, {"a": "6", "b": "7"})


def revision(**stages: Stage) -> Revision:
    return Revision("HEAD", "0", {}, {}, stages, {}, {}, ())


BEFORE = revision(words=WORDS, count=COUNT, print=PRINT)


def only(run: list[Run]) -> Run:
    (one,) = run
    return one


def test_nothing_ran() -> None:
    assert stages_run(BEFORE, BEFORE, ["README.md"]) == []


def test_a_parameter() -> None:
    changed = replace(COUNT, parameters={"unit": "line", "new": 1}, outs={"count": "9.dir"})
    run = only(stages_run(BEFORE, revision(words=WORDS, count=changed, print=PRINT), []))
    assert (run.stage, run.command, run.code, run.data) == ("count", False, {}, [])
    assert run.parameters == [
        ("unit", "word", "line"),
        ("new", MISSING, 1),
        ("top", None, MISSING),
    ]
    assert (run.changed, run.outs) == (1, 1)


def test_a_folder_of_code_and_the_same_results() -> None:
    changed = replace(WORDS, dependencies={"code": "9.dir"})
    files = ["code/a.py", "code/sub/b.py", "codec.py", "README.md"]
    run = only(stages_run(BEFORE, revision(words=changed, count=COUNT, print=PRINT), files))
    assert (run.stage, run.code, run.data) == ("words", {"code": ["a.py", "sub/b.py"]}, [])
    assert (run.changed, run.outs) == (0, 1)


def test_data_from_another_stage_and_from_a_folder_of_one() -> None:
    count = replace(COUNT, dependencies={"words.txt": "9"})
    shown = replace(PRINT, dependencies={"count/all.txt": "9", "print.py": "9"})
    runs = stages_run(BEFORE, revision(words=WORDS, count=count, print=shown), ["print.py"])
    assert [(run.data, run.code) for run in runs] == [
        (["words.txt"], {}),
        (["count/all.txt"], {"print.py": []}),
    ]


def test_another_command() -> None:
    changed = replace(PRINT, command="less", outs={"a": "6", "c": "8"})
    run = only(stages_run(BEFORE, revision(words=WORDS, count=COUNT, print=changed), []))
    assert run.command
    assert (run.changed, run.outs) == (2, 3)  # b is gone, c is new


def test_other_results_from_the_same_inputs() -> None:
    changed = replace(WORDS, outs={"words.txt": "9"})
    run = only(stages_run(BEFORE, revision(words=changed, count=COUNT, print=PRINT), []))
    assert not any([run.command, run.parameters, run.code, run.data, run.new, run.removed])


def test_new_and_removed_stages() -> None:
    runs = stages_run(BEFORE, revision(new=WORDS, count=COUNT, print=PRINT), [])
    assert [(run.stage, run.new, run.removed) for run in runs] == [
        ("new", True, False),
        ("words", False, True),
    ]


def test_what_dvc_ran(project: Project) -> None:
    (project.root / "code/words.txt").write_text("now three words")
    (project.root / "code/more.txt").write_text("")
    project.change(picture="two")
    project.edit_pipeline(
        count=PIPELINE["stages"]["count"] | {"cmd": "wc -w < words.txt >count.txt"}
    )
    project.reproduce()
    with Repo() as repo:
        old, new = read_revision(repo, "HEAD"), read_revision(repo, "workspace")
    runs = {run.stage: run for run in stages_run(old, new, changed_files(old.commit, new))}
    assert set(runs) == {"words", "count", "train"}
    assert runs["words"].code == {"code": ["words.txt", "more.txt"]}
    assert (runs["count"].data, runs["count"].command) == (["words.txt"], True)
    assert runs["train"].parameters == [("picture", "one", "two")]
    assert [runs[name].changed for name in ("words", "count", "train")] == [1, 1, 1]
