"""dvc.yaml names all that each stage depends on, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import chdir
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from networkx import ancestors
from repository import ROOT, copy_repository, remove_task, run

from stages.code import closure, code_of_stages, imports
from stages.recovery.gone import Pipeline
from stages.task.files import CODE

PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text())
MODULES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))

# These may import torch: the twin in PyTorch and what compares with it.
TORCH = {"train_torch", "check_gradients", "check_model"}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repo]:
    """A repository in which nothing has run."""
    directory = tmp_path_factory.mktemp("pipeline")
    copy_repository(directory)
    with chdir(directory), Repo() as repo:  # DVC reads dvc.yaml's paths from the current folder
        yield repo


@pytest.fixture(scope="module")
def stages(repo: Repo) -> dict[str, Any]:
    """The stages of dvc.yaml by name, foreach resolved."""
    return {stage.addressing: stage for stage in repo.index.stages}


@pytest.fixture(scope="module")
def records(repo: Repo) -> dict[str, Any]:
    return recorded(repo, PARAMETERS)


def test_every_module_in_stages_is_a_stage(stages: dict[str, Any]) -> None:
    assert sorted({name.partition("@")[0] for name in stages}) == MODULES
    for name, stage in stages.items():
        module, _, task = name.partition("@")
        assert stage.cmd == f"python -m stages.{module} {task}".rstrip()
        assert stage.desc


def test_a_stage_depends_on_its_list_of_code_and_on_results(stages: dict[str, Any]) -> None:
    results = {Path(out.def_path) for stage in stages.values() for out in stage.outs}
    others = {Path("stages"), Path("params.yaml"), Path("metrics"), Path("plots")}
    for name, stage in stages.items():
        found = [Path(dependency.def_path) for dependency in stage.deps]
        if name != "code":
            assert found[0] == CODE / name.replace("@", "/")
        sources = {Path(task["data"]["source"]) for task in PARAMETERS["tasks"].values()}
        assert {*found[1:]} <= results | others | sources


def test_metrics_and_plots_are_in_git_and_the_rest_in_the_cache(stages: dict[str, Any]) -> None:
    cached = {"data": True, "report.html": True, "metrics": False, "plots": False}
    for name, stage in stages.items():
        for out in stage.outs:
            folder = Path(out.def_path).parts[0]
            assert out.use_cache == cached[folder]
            assert (folder == "metrics") == bool(out.metric), name
            assert (folder == "plots") == bool(out.plot), name


def test_the_recovery_knows_the_stages_and_what_they_write(stages: dict[str, Any]) -> None:
    pipeline = Pipeline()
    assert not any(map(pipeline.is_gone, stages))
    written = {Path(out.def_path) for stage in stages.values() for out in stage.outs if shown(out)}
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert pipeline.left_behind() == []
    parameters = deepcopy(PARAMETERS)
    remove_task(parameters, "moons")
    Path("params.yaml").write_text(json.dumps(parameters))
    left = Pipeline()
    assert {name for name in stages if left.is_gone(name)} == addressed(GENERATE, "moons")
    moons = {path for path in written if "moons" in (path.stem, path.parent.name)}
    assert set(left.left_behind()) == moons
    Path("params.yaml").write_text(json.dumps(PARAMETERS))


@pytest.mark.parametrize("module", sorted(set(MODULES) - TORCH))
def test_torch_stays_on_its_side(module: str) -> None:
    for path in closure([Path("stages", f"{module}.py")], processes=False):
        outside = {name.partition(".")[0] for name in imports(path).found}
        assert "torch" not in outside, f"stages.{module} imports torch in {path}"


# The stages that run again when a parameter changes, those that depend on them included. Some
# apply only to the task whose training is checked. The list of code and the report, which reads all
# parameters, always run; what depends on the list runs where the list changes.
ALWAYS = {"code", "report"}
OF_CHECKED_TASK = ["check_training", "draw_checks"]
TRAINING = ["train_numpy", "train_torch", "evaluate", "draw"]
SWEEP = ["sweep", "draw_sweep"]
TRAINED = [*TRAINING, *SWEEP, *OF_CHECKED_TASK]
MODEL = [*TRAINED, "check_model"]
SPLIT = ["split", *MODEL]
GENERATE = ["generate", *SPLIT]
RUN_AGAIN = {
    "tasks.<task>.data": GENERATE,
    "tasks.<task>.split": SPLIT,
    "tasks.<task>.model.source": MODEL,
    "tasks.<task>.model.options": MODEL,
    "tasks.<task>.model.loss": GENERATE,
    "tasks.<task>.model.dtype": MODEL,
    "tasks.<task>.training.epochs": [*TRAINING, *SWEEP],
    "tasks.<task>.training.batch_size": [*TRAINING, *SWEEP],
    "tasks.<task>.training.seed": TRAINED,
    "tasks.<task>.training.snapshots": TRAINING,
    "tasks.<task>.optimizer": TRAINING,
    "tasks.<task>.optimizers.<selected>": TRAINING,
    "tasks.<task>.optimizers.<other>": [],
    "device": ["train_torch", "evaluate", "draw"],
    "sweeps.<task>": SWEEP,
    "learning_rates": SWEEP,
    "checks.gradients": ["check_gradients", *(f"check_model@{t}" for t in PARAMETERS["tasks"])],
    "checks.training": OF_CHECKED_TASK,
    "checks.optimizers": ["check_optimizers", "draw_checks"],
}
CHECKED_TASK = PARAMETERS["checks"]["training"]["task"]


def leaves(value: object, *keys: str) -> Iterator[tuple[str, ...]]:
    """The keys to every value in nested dictionaries; what a sweep trains is one value for DVC."""
    is_swept = keys[:1] == ("sweeps",) and keys[-1] == "optimizers"
    if isinstance(value, dict) and value and not is_swept:
        for key in value:
            yield from leaves(value[key], *keys, key)
    else:
        yield keys


def general(keys: tuple[str, ...]) -> str:
    """The key of a parameter, with a place-holder for the names of the task and the optimizer."""
    match keys:
        case ("tasks", task, "optimizers", optimizer, *rest):
            selected = optimizer == PARAMETERS["tasks"][task]["optimizer"]
            which = "<selected>" if selected else "<other>"
            return ".".join(["tasks", "<task>", "optimizers", which, *rest])
        case ("tasks" | "sweeps" as section, _, *rest):
            return ".".join([section, "<task>", *rest])
    return ".".join(keys)


def another(keys: tuple[str, ...], value: object) -> object:
    """Another value for a parameter. DVC compares values and does not ask what they mean."""
    task = PARAMETERS["tasks"].get(keys[1], {}) if len(keys) > 1 else {}
    match keys[2:], value:
        case (("data", "source"), _):
            return next(str(path) for path in sources() if str(path) != value)
        case (("task",), _):
            return next(name for name in PARAMETERS["tasks"] if name != value)
        case (("optimizer",), _):
            return next(name for name in task["optimizers"] if name != value)
        case (_, bool()):
            return not value
        case (_, int() | float()):
            return value + 1
        case (_, str()):
            return f"another {value}"
        case (_, list()):
            return [*value, 1]
        case (_, dict()):
            return {"key": 1}
    raise TypeError(f"{'.'.join(keys)} is {value!r}")


def sources() -> list[Path]:
    modules = sorted((ROOT / "stages/samples").glob("*.py"))
    return [path.relative_to(ROOT) for path in modules if "def generate(" in path.read_text()]


def addressed(stages: list[str], task: str) -> set[str]:
    """The stages of a task as DVC addresses them, and the checks that use the task."""
    of_tasks = {f"{stage}@{task}" for stage in stages if stage not in OF_CHECKED_TASK}
    return of_tasks | (set(OF_CHECKED_TASK) & set(stages) if task == CHECKED_TASK else set())


def test_the_report_runs_after_every_stage_that_writes_what_it_shows(repo: Repo) -> None:
    found = {stage.addressing for stage in repo.index.stages for out in stage.outs if shown(out)}
    report = next(stage for stage in repo.index.stages if stage.addressing == "report")
    before = {stage.addressing for stage in repo.index.graph.successors(report)}
    assert before == found | {"code"}


def shown(out: Any) -> bool:
    return Path(out.def_path).parts[0] in ("metrics", "plots")


def recorded(repo: Repo, parameters: dict[str, Any]) -> dict[str, Any]:
    """What dvc.lock would hold for each stage: its command, its files and its parameters."""
    Path(repo.root_dir, "params.yaml").write_text(json.dumps(parameters))  # JSON is YAML, too
    repo._reset()
    code = dict(code_of_stages(yaml.safe_load(Path("dvc.yaml").read_bytes()), parameters))
    return {
        stage.addressing: (
            stage.cmd,
            [output.def_path for output in stage.outs],
            [dependency.def_path for dependency in stage.deps],
            parameters if stage.addressing in ALWAYS else None,  # the file is among their deps
            {
                key: value_of(parameters, key)
                for dependency in stage.params
                for key in dependency.params
            },
            code.get(stage.addressing.replace("@", "/")),
        )
        for stage in repo.index.stages
    }


def value_of(parameters: dict[str, Any], key: str) -> Any:
    return reduce(lambda section, name: section[name], key.split("."), parameters)


def run_again(repo: Repo, records: dict[str, Any], parameters: dict[str, Any]) -> set[str]:
    """The stages whose entry in dvc.lock would differ from `records`, and all after them.

    What comes after the lists of code runs where its own list differs.
    """
    new = recorded(repo, parameters)
    changed = {
        stage
        for stage in repo.index.graph
        if new[stage.addressing] != records.get(stage.addressing)
        if stage.addressing != "code"
    }
    after = set().union(*(ancestors(repo.index.graph, stage) for stage in changed))
    return {"code", *(stage.addressing for stage in changed | after)}


def change(parameters: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Puts another value at `keys`."""
    section = value_of(parameters, ".".join(keys[:-1])) if keys[1:] else parameters
    section[keys[-1]] = another(keys, section[keys[-1]])


@pytest.mark.parametrize("keys", list(leaves(PARAMETERS)), ids=".".join)
def test_a_parameter_runs_again_what_depends_on_it(
    repo: Repo, records: dict[str, Any], keys: tuple[str, ...]
) -> None:
    key = general(keys)
    rules = [rule for rule in RUN_AGAIN if f"{key}.".startswith(f"{rule}.")]
    assert len(rules) == 1, f"{'.'.join(keys)} has to match one line of RUN_AGAIN, not {rules}"
    stages = RUN_AGAIN[rules[0]]
    if keys[0] == "checks":
        expected = set(stages)
    else:
        tasks = [keys[1]] if keys[0] in ("tasks", "sweeps") else PARAMETERS["tasks"]
        expected = set().union(*(addressed(stages, task) for task in tasks))
    parameters = deepcopy(PARAMETERS)
    change(parameters, keys)
    assert run_again(repo, records, parameters) == expected | ALWAYS


@pytest.mark.parametrize("swept", [False, True])
def test_a_new_task_runs_its_own_stages(repo: Repo, records: dict[str, Any], swept: bool) -> None:
    parameters = deepcopy(PARAMETERS)
    parameters["tasks"]["new"] = PARAMETERS["tasks"]["moons"]
    if swept:
        parameters["sweeps"]["new"] = {}
    stages = GENERATE if swept else [stage for stage in GENERATE if stage not in SWEEP]
    assert run_again(repo, records, parameters) == addressed(stages, "new") | ALWAYS


def test_dvc_itself_runs_the_same_again(
    repo: Repo, records: dict[str, Any], tmp_path: Path
) -> None:
    """To DVC all stages have run: their outputs exist, though empty but for the lists of code."""
    keys = ["tasks.moons.data.source", "tasks.regression.optimizer", "checks.training.task"]
    edited = deepcopy(PARAMETERS)
    for key in keys:
        change(edited, tuple(key.split(".")))
    expected = [(each, run_again(repo, records, each)) for each in (PARAMETERS, edited)]
    copy_repository(tmp_path)
    with chdir(tmp_path), Repo() as committed:
        Path("params.yaml").write_text(json.dumps(PARAMETERS))
        run(tmp_path, "python", "-m", "stages.code")
        for output in committed.index.outs:
            Path(output.fs_path).parent.mkdir(parents=True, exist_ok=True)
            if not Path(output.fs_path).is_dir():
                Path(output.fs_path).touch()
        committed.commit(force=True)
        for parameters, names in expected:
            Path("params.yaml").write_text(json.dumps(parameters))
            run(tmp_path, "dvc", "repro", "code")
            committed._reset()
            # The results of each stage that runs count as changed.
            stages = committed.reproduce(dry=True, force_downstream=True)
            assert {stage.addressing for stage in stages} == names - {"code"}
