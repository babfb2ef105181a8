"""Which stages ran between two revisions, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.review.differences import Difference, differences, sections
from stages.review.paths import is_inside
from stages.review.revision import Revision, Stage, is_list_of_code


@dataclass(frozen=True)
class Run:
    """A stage that ran, and why.

    new, removed: whether only one of the revisions has it
    command: whether its command changed
    parameters: those that changed
    code: the files and folders that changed, with the files that changed in each folder
    data: the results of other stages that changed; among them the list of its code, if DVC's cache
        lacks what was in it
    outs, changed: how many files and folders it writes, and how many of them changed
    """

    stage: str
    new: bool
    removed: bool
    command: bool
    parameters: Sequence[Difference]
    code: dict[str, list[str]]
    data: list[str]
    outs: int
    changed: int


def stages_run(old: Revision, new: Revision, files: Iterable[str]) -> list[Run]:
    """The stages that ran, and those that are gone, in the order of the pipeline.

    A stage of the new revision that is behind did not run.

    files: all that changed between the two revisions
    """
    stages = [*old.stages.values(), *new.stages.values()]
    results = {path for stage in stages for path in stage.outs}
    nothing = Stage("", {}, {}, {})
    runs = []
    for name in dict.fromkeys([*new.stages, *old.stages]):
        before, after = old.stages.get(name, nothing), new.stages.get(name, nothing)
        if before == after or name in new.behind:
            continue
        inputs = [path for path, *_ in differences(before.dependencies, after.dependencies)]
        code, data = list[str](), list[str]()
        for path in inputs:
            if is_list_of_code(path) and before.code and after.code:
                code += [file for file, *_ in differences(before.code, after.code)]
            elif path in results or any(is_inside(path, result) for result in results):
                data.append(path)
            else:
                code.append(path)
        run = Run(
            stage=name,
            new=name not in old.stages,
            removed=name not in new.stages,
            command=before.command != after.command,
            parameters=sections(before.parameters, after.parameters),
            code={
                path: [file.removeprefix(f"{path}/") for file in files if is_inside(file, path)]
                for path in code
            },
            data=data,
            outs=len({*before.outs, *after.outs}),
            changed=len(differences(before.outs, after.outs)),
        )
        runs.append(run)
    return runs
