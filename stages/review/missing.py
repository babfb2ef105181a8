"""The files that stages need and a clone would lack: those in neither git nor DVC."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage

from stages.review.paths import git, is_inside, path_of


def missing_files(repo: Repo, stages: Iterable[Any], commit: str | None) -> dict[str, str]:
    """The files that a clone would lack, each with the name of a stage that depends on it.

    commit: the one that `repo` is switched to, None for the workspace
    """
    tree = ("ls-tree", "-r", "--name-only", "-z", commit) if commit else ("ls-files", "-z")
    in_git = set(git(*tree))
    outs = {path_of(repo, out.fs_path): out.stage for out in repo.index.outs}
    missing: dict[str, str] = {}
    for stage in stages:
        for dep in stage.deps:
            if isinstance(dep, ParamsDependency) or dep.fs.protocol != repo.fs.protocol:
                continue  # params.yaml, and what lies on a server
            for path in _files(repo, dep, in_git, outs):
                if path not in in_git:
                    missing.setdefault(path, stage.name)
    return missing


def _files(repo: Repo, dep: Any, in_git: Collection[str], outs: Mapping[str, Any]) -> Iterator[str]:
    """The files that have to be in git for a clone to have a dependency.

    For what a stage writes these are none, and for what `dvc add` tracks it is the .dvc file.
    """
    path = path_of(repo, dep.fs_path)
    if repo.fs.protocol == "local" and dep.fs.isdir(dep.fs_path):
        found = repo.dvcignore.find(dep.fs, dep.fs_path)
        files = [path_of(repo, place) for place in found]
    else:
        files = [one for one in (*in_git, *outs) if is_inside(one, path)] or [path]
    for file in files:
        writers = [stage for out, stage in outs.items() if file == out or is_inside(file, out)]
        if not writers:
            yield file
        elif not isinstance(writers[0], PipelineStage):
            yield path_of(repo, writers[0].path)
