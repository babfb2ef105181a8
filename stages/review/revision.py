"""A revision: what DVC and git know of a commit, of an experiment or of the workspace."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.brancher import switch
from dvc.repo.graph import get_subgraph_of_nodes
from dvc.scm import RevError, resolve_rev
from dvc.stage import PipelineStage
from dvc.utils.serialize import ParseError, load_path

from stages.review.gates import FILE as GATES
from stages.review.missing import missing_files
from stages.review.paths import git, is_inside, path_of
from stages.task.errors import InputError
from stages.task.files import CODE

WORKSPACE = "workspace"
PARAMETERS = "params.yaml"


@dataclass(frozen=True)
class Stage:
    """A stage as it ran last, according to dvc.lock.

    dependencies, outs: hashes by path
    parameters: values by dotted key
    code: hashes of the files that it runs, by path; empty if DVC's cache lacks their list
    """

    command: str
    dependencies: Mapping[str, str | None]
    parameters: Mapping[str, object]
    outs: Mapping[str, str | None]
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plot:
    """A file that dvc.yaml calls a plot, and the columns of its curves, if it names them."""

    content: bytes
    x: str | None
    y: tuple[str, ...]


@dataclass(frozen=True)
class Revision:
    """One of the two sides that are compared.

    name: as it was asked for
    commit: its hash; for the workspace, that of HEAD
    parameters: values by dotted key
    metrics_files: the content of each file of metrics, by its path
    stages: by name
    plots: by path
    missing: the files in neither git nor DVC, each with a stage that depends on it
    behind: the stages whose results, according to dvc.lock, are not those of this code and these
        parameters, and the stages that depend on them
    is_experiment: whether it is an experiment of DVC and on no branch
    gates: the text of gates.yaml, None if there is none
    """

    name: str
    commit: str
    parameters: Mapping[str, object]
    metrics_files: Mapping[str, Any]
    stages: Mapping[str, Stage]
    plots: Mapping[str, Plot]
    missing: Mapping[str, str]
    behind: tuple[str, ...]
    is_experiment: bool = False
    gates: str | None = None

    @cached_property
    def metrics(self) -> dict[str, object]:
        """The metrics by their names, `<file>:<dotted key>`."""
        return {
            f"{path}:{key}": value
            for path, content in self.metrics_files.items()
            for key, value in leaves(content)
        }

    def without_results_of(self, stages: Iterable[Stage]) -> "Revision":
        """The revision without the metrics and plots of some stages."""
        outs = [out for stage in stages for out in stage.outs]

        def kept(files: Mapping[str, Any]) -> dict[str, Any]:
            return {
                path: content
                for path, content in files.items()
                if not any(path == out or is_inside(path, out) for out in outs)
            }

        return replace(self, metrics_files=kept(self.metrics_files), plots=kept(self.plots))


def read_revision(repo: Repo, name: str) -> Revision:
    """Reads the commit, branch, tag or experiment of this name, or the workspace.

    Raises InputError if there is none, if nothing ran there, or if a file cannot be read.
    """
    try:
        commit = resolve_rev(repo.scm, "HEAD" if name == WORKSPACE else name)
    except RevError:
        if "true" in "".join(git("rev-parse", "--is-shallow-repository")):
            raise InputError(
                f"{name}: not in this clone, which is shallow; run `git fetch --unshallow`"
            ) from None
        raise InputError(f"{name}: neither a revision of git nor an experiment of DVC") from None
    with switch(repo, WORKSPACE if name == WORKSPACE else commit):
        if not repo.fs.exists(repo.fs.join(repo.root_dir, "dvc.lock")):
            raise InputError(f"{name}: has no dvc.lock, so no stage ran there; run `dvc repro`")
        try:
            return _read(repo, name, commit)
        except DvcException as error:
            raise InputError(f"{name}: {' '.join(str(error).split())}") from None


def _read(repo: Repo, name: str, commit: str) -> Revision:
    stages = [stage for stage in repo.index.stages if isinstance(stage, PipelineStage)]
    missing = missing_files(repo, stages, None if name == WORKSPACE else commit)
    return Revision(
        name=name,
        commit=commit,
        parameters=_parameters(repo),
        metrics_files=_metrics_files(repo),
        stages={stage.name: _locked(stage) for stage in stages},
        plots={path: _plot(repo, out, path) for out, path in _files(repo, repo.index.plots)},
        missing=missing,
        behind=_behind(repo, stages, missing),
        is_experiment=name != WORKSPACE and _is_experiment(commit),
        gates=_text(repo, GATES),
    )


def leaves(value: object, *keys: str) -> Iterator[tuple[str, object]]:
    """Every value in nested mappings by its dotted key; a list is one value if it has no mappings.

    >>> dict(leaves({"model": {"hidden": [8, 8]}, "variants": [{"lr": 1}]}))
    {'model.hidden': [8, 8], 'variants.0.lr': 1}
    """
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        value = dict(enumerate(value))
    if isinstance(value, dict) and (value or not keys):
        for key, item in value.items():
            yield from leaves(item, *keys, str(key))
    else:
        yield ".".join(keys), value


def changed_files(commit: str, revision: Revision) -> list[str]:
    """The files that differ between a commit and a revision, but for those that git ignores."""
    if revision.name != WORKSPACE:
        return git("diff", "--name-only", "-z", commit, revision.commit)
    untracked = git("ls-files", "--others", "--exclude-standard", "-z")
    return git("diff", "--name-only", "-z", commit) + untracked


def _text(repo: Repo, path: str) -> str | None:
    place = repo.fs.join(repo.root_dir, path)
    if not repo.fs.exists(place):
        return None
    return str(repo.fs.read_text(place, encoding="utf-8", errors="replace"))


def _is_experiment(commit: str) -> bool:
    elsewhere = ("refs/heads", "refs/tags", "refs/remotes")
    return bool(git("for-each-ref", "--points-at", commit, "refs/exps")) and not git(
        "for-each-ref", "--contains", commit, *elsewhere
    )


def _parameters(repo: Repo) -> dict[str, object]:
    values: dict[str, object] = {}
    for file, result in repo.params.show()[""]["data"].items():
        if "error" in result:
            raise _unreadable(file, result["error"])
        prefix = [] if file == PARAMETERS else [file]
        values |= dict(leaves(result["data"], *prefix))
    return values


def _unreadable(path: str, error: Exception) -> DvcException:
    """An error with the path from the root of the project, which DVC's own lacks."""
    return DvcException(f"{path}: {error.__cause__ or error}")


def _metrics_files(repo: Repo) -> dict[str, Any]:
    # `repo.metrics.show` leaves out null, which is what a metric that is not a number becomes.
    files: dict[str, Any] = {}
    for _, path in _files(repo, repo.index.metrics):
        try:
            files[path] = load_path(f"/{path}", repo.dvcfs)
        except ParseError as error:
            raise _unreadable(path, error) from None
    return files


def _plot(repo: Repo, out: Any, path: str) -> Plot:
    look = out.plot if isinstance(out.plot, dict) else {}
    x, y = look.get("x"), look.get("y", ())
    columns = (y,) if isinstance(y, str) else tuple(y)
    return Plot(repo.dvcfs.read_bytes(f"/{path}"), x, columns)


def _files(repo: Repo, outs: list[Any]) -> Iterator[tuple[Any, str]]:
    """The files of outs, including those in folders, by their paths from the root of the project.

    Raises DvcException if one is a link out of the project, which must not be shown.
    """
    for out in outs:
        for found in repo.dvcfs.find("/" + path_of(repo, out.fs_path)):
            path = found.lstrip("/")
            if repo.fs.protocol == "local" and not out.use_cache:
                target = Path(repo.root_dir, path).resolve()
                if not target.is_relative_to(Path(repo.root_dir).resolve()):
                    raise DvcException(f"{path}: must be in the project, leads to {target}")
            yield out, path


def _locked(stage: Any) -> Stage:
    repo = stage.repo
    values: dict[str, object] = {}
    for dep in stage.params:
        prefix = [] if path_of(repo, dep.fs_path) == PARAMETERS else [path_of(repo, dep.fs_path)]
        for key, value in (dep.hash_info.value or {}).items():
            values |= dict(leaves(value, *prefix, key))
    files = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    dependencies = {path_of(repo, dep.fs_path): dep.hash_info.value for dep in files}
    return Stage(
        command=str(stage.cmd),
        dependencies=dependencies,
        parameters=values,
        outs={path_of(repo, out.fs_path): out.hash_info.value for out in stage.outs},
        code=_code(repo, dependencies),
    )


def _code(repo: Repo, dependencies: Mapping[str, str | None]) -> dict[str, str]:
    """The files in the list of code among the dependencies of a stage, see stages/code.py."""
    code: dict[str, str] = {}
    for path, content in dependencies.items():
        if is_list_of_code(path) and content is not None:
            with suppress(FileNotFoundError):
                lines = Path(repo.cache.local.oid_to_path(content)).read_text().splitlines()
                code |= {
                    file: digest for digest, _, file in (line.partition("  ") for line in lines)
                }
    return code


def is_list_of_code(path: str) -> bool:
    """Whether a dependency is the list of the files that a stage runs."""
    return is_inside(path, CODE.as_posix())


def _behind(repo: Repo, stages: Sequence[Any], missing: Collection[str]) -> tuple[str, ...]:
    behind = [stage for stage in stages if _is_behind(repo, stage, missing)]
    if not behind:
        return ()
    downstream = get_subgraph_of_nodes(repo.index.graph, behind, downstream=True)
    return tuple(stage.name for stage in stages if stage in downstream)


def _is_behind(repo: Repo, stage: Any, missing: Collection[str]) -> bool:
    """Whether a stage would run again, as far as can be told without what is missing.

    DVC's own `status` needs the cached data, which a clone may lack and a commit never has.
    """
    cached = [out for out in repo.index.outs if out.use_cache]
    of_data = [
        (dep, out)
        for dep in stage.deps
        for out in cached
        if dep.fs_path == out.fs_path or is_inside(dep.fs_path, out.fs_path)
    ]
    others = [
        dep
        for dep in stage.deps
        if dep not in [one for one, _ in of_data]
        and (dep.exists or path_of(repo, dep.fs_path) not in missing)
    ]
    return bool(
        stage.cmd_changed
        or any(dep.hash_info != _hash_in(out, dep) for dep, out in of_data)
        or any(one.status() for one in others)
        or any(out.status() for out in stage.outs if not out.use_cache)
    )


def _hash_in(out: Any, dep: Any) -> Any:
    """The hash of a dependency among the results of a stage; its own if DVC's cache lacks them."""
    if dep.fs_path == out.fs_path:
        return out.hash_info
    found = out.get_obj(filter_info=dep.fs_path)
    return dep.hash_info if found is None else found.hash_info
