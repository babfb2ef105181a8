import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import loads_yaml
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT

from stages.task.errors import InputError
from stages.task.files import read_content
from stages.task.hyperparameters import (
    BUILT_IN,
    LBFGS,
    SGD,
    Adafactor,
    Adam,
    Hyperparameters,
    Own,
)
from stages.task.parameters import Task, read_parameters
from stages.task.source import Generator, OwnTable
from stages.task.values import parsed


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that changes keys of this project's params.yaml and returns what is reported."""
    monkeypatch.chdir(tmp_path)

    def report(changes: dict[str, Any], text: str = "") -> list[str]:
        write(changes)
        if text:
            Path("params.yaml").write_text(text)
        with pytest.raises(InputError) as caught:
            read_parameters()
        return str(caught.value).splitlines()

    return report


MISSING = object()


def write(changes: dict[str, Any]) -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, value in changes.items():
        *path, last = name.split("/")
        section = content
        for key in path:
            section = section[int(key) if isinstance(section, list) else key]
        last = int(last) if isinstance(section, list) else last
        if value is MISSING:
            del section[last]
        else:
            section[last] = value
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    if not Path("stages").exists():  # with the models that the file names
        Path("stages").symlink_to(ROOT / "stages")


def read(tmp_path: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(changes)
    return read_parameters()


def selected(task: Task) -> Hyperparameters:
    return getattr(task.optimizers, task.optimizer)


def test_the_defaults_are_those_of_the_three_scripts():
    parameters = read_parameters(ROOT / "params.yaml")
    regression, classification = parameters.tasks["regression"], parameters.tasks["classification"]
    assert isinstance(regression.data, Generator)
    assert regression.data.options["samples"] == 1100
    assert regression.split.test == 100
    assert regression.model.options["hidden"] == []
    assert (regression.training.epochs, regression.training.batch_size) == (10, 100)
    assert selected(regression) == SGD(lr=0.03, momentum=0.6)
    assert regression.optimizers.adam == Adam(lr=10)
    assert classification.model.options["hidden"] == [10]
    assert classification.training.batch_size == "full"
    assert selected(classification) == SGD(lr=0.02)
    assert selected(parameters.tasks["moons"]) == Adam(lr=0.01)


# Each of these is one change to params.yaml, and the whole of what the user reads.
OPTIMIZERS = (
    "sgd, adam, adamw, adamax, nadam, radam, adagrad, adadelta, rmsprop, rprop, asgd, "
    "adafactor, lbfgs"
)
OWN = "; an optimizer of your own needs the key class"
HUGE = f"1{'0' * 56}..."
REFUSALS = [
    (
        "tasks/regression/optimizers/sgd/lr",
        -1,
        "tasks.regression.optimizers.sgd.lr: must be greater than 0, got -1",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        0,
        "tasks.regression.optimizers.sgd.lr: must be greater than 0, got 0",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        math.inf,
        "tasks.regression.optimizers.sgd.lr: must be a finite number, got inf",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        "nan",
        "tasks.regression.optimizers.sgd.lr: must be a finite number, got nan",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        "fast",
        "tasks.regression.optimizers.sgd.lr: must be a number, got 'fast'",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        True,
        "tasks.regression.optimizers.sgd.lr: must be a number, got true",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        None,
        "tasks.regression.optimizers.sgd.lr: must be a number, got nothing",
    ),
    (
        "tasks/regression/optimizers/sgd/lr",
        "1e-400000",
        "tasks.regression.optimizers.sgd.lr: must be greater than 0, got 0",
    ),
    (
        "tasks/regression/optimizers/sgd/momentum",
        -0.5,
        "tasks.regression.optimizers.sgd.momentum: must be at least 0, got -0.5",
    ),
    (
        "tasks/regression/optimizers/sgd/momentun",
        0.5,
        "tasks.regression.optimizers.sgd.momentun: unknown key (did you mean momentum?); "
        "valid keys are lr, momentum, dampening, weight_decay, nesterov, maximize",
    ),
    (
        "tasks/classification/optimizers/sgd/nesterov",
        True,
        "tasks.classification.optimizers.sgd: nesterov needs momentum greater than 0 and "
        "dampening 0, got momentum 0.0 and dampening 0.0",
    ),
    (
        "tasks/regression/optimizers/sgd",
        {"momentum": 0.5, "dampening": 0.1, "nesterov": True},
        "tasks.regression.optimizers.sgd: nesterov needs momentum greater than 0 and "
        "dampening 0, got momentum 0.5 and dampening 0.1",
    ),
    (
        "tasks/regression/optimizers/sgd/maximize",
        1,
        "tasks.regression.optimizers.sgd.maximize: must be true or false, got 1",
    ),
    (
        "tasks/regression/optimizers/adam/betas",
        [0.9, 1],
        "tasks.regression.optimizers.adam.betas[1]: must be less than 1, got 1",
    ),
    (
        "tasks/regression/optimizers/adam/betas",
        [0.9],
        "tasks.regression.optimizers.adam.betas[1]: is missing; expected 2 numbers",
    ),
    (
        "tasks/regression/optimizers/adam/betas",
        [0.9, 0.9, 0.9],
        "tasks.regression.optimizers.adam.betas: must have 2 or fewer entries, got 3",
    ),
    (
        "tasks/regression/optimizers/adam/betas",
        0.9,
        "tasks.regression.optimizers.adam.betas: must be a list, got 0.9",
    ),
    (
        "tasks/regression/optimizers/adam/eps",
        -1e-9,
        "tasks.regression.optimizers.adam.eps: must be at least 0, got -1e-09",
    ),
    (
        "tasks/regression/optimizers/adm",
        {"lr": 1},
        "tasks.regression.optimizers.adm: unknown key (did you mean adam?); "
        f"valid keys are {OPTIMIZERS}{OWN}",
    ),
    (
        "tasks/regression/optimizer",
        "rmsdrop",
        "tasks.regression.optimizer: must be a key of optimizers (sgd, adam); got 'rmsdrop'",
    ),
    (
        "tasks/regression/optimizers/muon",
        {"lr": 1},
        "tasks.regression.optimizers.muon: cannot train a network, since biases are "
        "not matrices; see checks.optimizers",
    ),
    (
        "tasks/regression/optimizers/sparseadam",
        {"lr": 1},
        "tasks.regression.optimizers.sparseadam: cannot train a network, since its gradients are "
        "dense; adam can",
    ),
    (
        "tasks/regression/optimizers/lbfgs",
        {"line_search_fn": "wolfe"},
        "tasks.regression.optimizers.lbfgs.line_search_fn: must be one of strong_wolfe, null; "
        "got 'wolfe'",
    ),
    (
        "tasks/regression/optimizers/lion",
        {"class": "lion.py", "lr": math.inf},
        "tasks.regression.optimizers.lion.lr: must be a finite number, true, false, a text, null "
        "or a list; got inf",
    ),
    (
        "tasks/regression/optimizers/lion",
        {"class": "Lion"},
        "tasks.regression.optimizers.lion.class: must be a class after its module, such as "
        "stages.own.lion.Lion; got 'Lion'",
    ),
    (
        "tasks/regression/optimizers/lion",
        {"class": "stages.own.lion.Lion", "reference": 3},
        "tasks.regression.optimizers.lion.reference: must be a class after its module, such as "
        "stages.own.lion.Lion; got 3",
    ),
    (
        "tasks/regression/optimizers/sgd",
        MISSING,
        "tasks.regression.optimizer: must be a key of optimizers (adam); got 'sgd'",
    ),
    (
        "tasks/regression/optimizers",
        {},
        "tasks.regression.optimizer: must be a key of optimizers, which has none; got 'sgd'",
    ),
    (
        "tasks/regression/optimizers",
        [1],
        f"tasks.regression.optimizers: must be a section with the keys {OPTIMIZERS}, got [1]",
    ),
    (
        "tasks/moons/model/options/activation",
        "rleu",
        "tasks.moons.model.options.activation: must be one of relu, tanh, sigmoid; got 'rleu'",
    ),
    (
        "tasks/moons/model/loss",
        "mse",
        "tasks.moons.model.loss: must be one of half_mse, mse_loss, l1_loss, huber_loss, "
        "smooth_l1_loss, cross_entropy, nll_loss, binary_cross_entropy_with_logits, kl_div, "
        "or one of your own "
        "such as stages.own.focal.focal; got 'mse'",
    ),
    (
        "tasks/moons/model/options/initialization",
        "xavier",
        "tasks.moons.model.options.initialization: must be one of uniform01, torch_linear; "
        "got 'xavier'",
    ),
    (
        "tasks/moons/model/dtype",
        "float16",
        "tasks.moons.model.dtype: must be one of float64, float32; got 'float16'",
    ),
    ("device", "gpu", "device: must be one of cpu, cuda; got 'gpu'"),
    (
        "checks/training/task",
        "clasification",
        "checks.training.task: unknown task (did you mean classification?); "
        "valid tasks are regression, classification, moons, digits, sequence",
    ),
    (
        "sweeps/moonz",
        {},
        "sweeps.moonz: unknown task (did you mean moons?); "
        "valid tasks are regression, classification, moons, digits, sequence",
    ),
    ("learning_rates/adam", [0], "learning_rates.adam: must be greater than 0, got 0"),
    (
        "tasks/moons/model/options/hidden",
        16,
        "tasks.moons.model.options.hidden: must be a list, got 16",
    ),
    (
        "tasks/moons/model/options/hidden",
        [16, 0],
        "tasks.moons.model.options.hidden[1]: must be at least 1, got 0",
    ),
    (
        "tasks/moons/model/options/hidden",
        MISSING,
        "tasks.moons.model.options.hidden: is missing; "
        "expected a list of layer widths, [] for a linear model",
    ),
    (
        "tasks/moons/training/epochs",
        2.5,
        "tasks.moons.training.epochs: must be a whole number, got 2.5",
    ),
    (
        "tasks/moons/training/epochs",
        MISSING,
        "tasks.moons.training.epochs: is missing; expected a whole number of at least 1",
    ),
    (
        "tasks/moons/training/batch_size",
        0,
        "tasks.moons.training.batch_size: must be a whole number of at least 1, or full; got 0",
    ),
    (
        "tasks/moons/training/batch_size",
        "half",
        "tasks.moons.training.batch_size: must be a whole number of at least 1, or full; "
        "got 'half'",
    ),
    (
        "tasks/moons/training/batch_size",
        True,
        "tasks.moons.training.batch_size: must be a whole number of at least 1, or full; got true",
    ),
    (
        "tasks/moons/training/snapshots",
        1,
        "tasks.moons.training.snapshots: must be at least 2, got 1",
    ),
    ("tasks/moons/training/seed", -1, "tasks.moons.training.seed: must be at least 0, got -1"),
    (
        "tasks/moons/split/test",
        1.5,
        "tasks.moons.split.test: must be a whole number of at least 0, or a fraction between "
        "0 and 1; got 1.5",
    ),
    (
        "tasks/moons/split/test",
        -1,
        "tasks.moons.split.test: must be a whole number of at least 0, or a fraction between "
        "0 and 1; got -1",
    ),
    (
        "tasks/moons/split/test",
        math.nan,
        "tasks.moons.split.test: must be a whole number of at least 0, or a fraction between "
        "0 and 1; got nan",
    ),
    (
        "tasks/moons/split/standardize",
        "no",
        "tasks.moons.split.standardize: must be true or false, got 'no'",
    ),
    (
        "tasks/moons/split",
        MISSING,
        "tasks.moons.split: is missing; expected a section with the keys test, seed, standardize, "
        "strata, standardize_target",
    ),
    (
        "tasks/moons/data",
        MISSING,
        "tasks.moons.data: is missing; expected a section with the keys source, options, seed "
        "or source, features, target",
    ),
    (
        "tasks/moons/data/source",
        "moons.xlsx",
        "tasks.moons.data.source: must be a module (.py) or a table (.csv, .tsv, .txt, .data, "
        "each also .gz, or .parquet), got 'moons.xlsx'",
    ),
    (
        "tasks/moons/data/source",
        MISSING,
        "tasks.moons.data.source: is missing; expected a text",
    ),
    (
        "tasks/moons/data/features",
        ["x1"],
        "tasks.moons.data.features: unknown key; valid keys are source, options, seed",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": ["a"], "target": "b", "seed": 1},
        "tasks.moons.data.seed: unknown key; valid keys are decimal, thousands, units, missing, "
        "missing_values, categories, dates, source, features, target, group, ignore, separator, "
        "header, comment, encoding, quote",
    ),
    (
        "tasks/moons/data",
        {"source": "my.xlsx", "features": ["a"], "target": "b"},
        "tasks.moons.data.source: must be a module (.py) or a table (.csv, .tsv, .txt, .data, "
        "each also .gz, or .parquet), got 'my.xlsx'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.parquet", "target": "b", "header": False},
        "tasks.moons.data.header: has no effect on parquet, got false",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "separator": ", "},
        "tasks.moons.data.separator: must be one character, tab or spaces; got ', '",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "quote": "''"},
        "tasks.moons.data.quote: must be one character or none, got \"''\"",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "encoding": "latin-99"},
        "tasks.moons.data.encoding: must be an encoding that Python knows, such as utf-8, latin-1 "
        "or utf-16; got 'latin-99'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "decimal": ",", "thousands": ","},
        "tasks.moons.data.thousands: must not be the decimal sign, got ','",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "categories": ["a"], "dates": {"a": "iso"}},
        "tasks.moons.data.dates: must not have one of the categories, got 'a'",
    ),
    (
        "tasks/moons/data",
        {"target": "b"},
        "tasks.moons.data.source: is missing; expected a text",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": ["a"], "target": "b", "group": "a"},
        "tasks.moons.data.group: must not be one of the features, got 'a'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "group": "b"},
        "tasks.moons.data.group: must not be the target, got 'b'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "missing": "mode"},
        "tasks.moons.data.missing: must be one of refuse, drop, mean, median; got 'mode'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": ["a"], "target": "b", "ignore": ["c"]},
        "tasks.moons.data.ignore: has no effect beside features, which names those to take",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "target": "b", "ignore": ["b"]},
        "tasks.moons.data.ignore: must not have the target, got 'b'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": [], "target": "b"},
        "tasks.moons.data.features: must name at least one column, got []",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": ["a", "a"], "target": "b"},
        "tasks.moons.data.features: must name each column once, got a again",
    ),
    (
        "tasks/moons/data",
        {"source": "my.parquet", "features": ["a", "b"], "target": "b"},
        "tasks.moons.data.target: must not be one of the features, got 'b'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": [2019], "target": "b"},
        "tasks.moons.data.features[0]: must be text, got 2019; in quotes it would be text: '2019'",
    ),
    (
        "tasks/moons/data",
        {"source": "my.csv", "features": ["a"], "target": ""},
        "tasks.moons.data.target: must not be empty",
    ),
    ("tasks", {}, "tasks: must have 1 or more entries, got 0"),
    ("tasks", [1], "tasks: must be a mapping, got [1]"),
    (
        "task",
        {},
        "task: unknown key (did you mean tasks?); "
        "valid keys are tasks, device, learning_rates, sweeps, checks",
    ),
    (
        "checks",
        MISSING,
        "checks: is missing; expected a section with the keys gradients, training, optimizers",
    ),
    (
        "checks/optimizers/variants/SGD/1/lr",
        -3,
        "checks.optimizers.variants.SGD[1].lr: must be greater than 0, got -3",
    ),
    (
        "checks/optimizers/variants/Adan",
        [],
        "checks.optimizers.variants.Adan: unknown key (did you mean Adam?); "
        "valid keys are SGD, Adam, AdamW, Adamax, NAdam, RAdam, Adagrad, Adadelta, RMSprop, Rprop, "
        f"ASGD, Adafactor, SparseAdam, Muon, LBFGS{OWN}",
    ),
    (
        "checks/optimizers/variants/Lion",
        {"class": "stages.own.lion.Lion"},
        "checks.optimizers.variants.Lion.variants: is missing; expected a list of hyperparameters",
    ),
    (
        "checks/optimizers/variants/Lion",
        {"class": "stages.own.lion.Lion", "variants": [{"lr": {"a": 1}}]},
        "checks.optimizers.variants.Lion.variants[0].lr: must be a finite number, true, false, a "
        "text, null or a list; got {'a': 1}",
    ),
    (
        "checks/optimizers/variants",
        {},
        "checks.optimizers.variants: must have a key for at least one optimizer, got {}",
    ),
    (
        "checks/optimizers/variants/SGD",
        [],
        "checks.optimizers.variants.SGD: must have at least one variant, got none",
    ),
    (
        "checks/optimizers/variants/Lion",
        {"class": "stages.own.lion.Lion", "variants": []},
        "checks.optimizers.variants.Lion: must have at least one variant, got none",
    ),
    # sizes that no machine holds, and numbers that no float is
    (
        "tasks/moons/optimizers/sgd/lr",
        10**400,
        f"tasks.moons.optimizers.sgd.lr: must be at most 1.79769e+308, got {HUGE}",
    ),
    (
        "tasks/moons/training/epochs",
        10**400,
        f"tasks.moons.training.epochs: must be at most 1000000000, got {HUGE}",
    ),
    (
        "tasks/moons/training/epochs",
        "1e400",
        "tasks.moons.training.epochs: must be a whole number, got inf",
    ),
    (
        "tasks/moons/training/snapshots",
        1e9,
        "tasks.moons.training.snapshots: must be at most 100000, got 1000000000",
    ),
    (
        "tasks/moons/model/options/hidden",
        [10**9],
        "tasks.moons.model.options.hidden: must have at most 1000000000 weights between its "
        "layers, got 2000000000",
    ),
    (
        "tasks/moons/model/options/hidden",
        [100_000, 100_000],
        "tasks.moons.model.options.hidden: must have at most 1000000000 weights between its "
        "layers, got 10000200000",
    ),
    (
        "tasks/moons/optimizers/lbfgs",
        {"max_iter": "1e30"},
        f"tasks.moons.optimizers.lbfgs.max_iter: must be at most 1000000000, got {int(1e30)}",
    ),
    (
        "checks/optimizers/steps",
        1e30,
        f"checks.optimizers.steps: must be at most 10000000, got {int(1e30)}",
    ),
    (
        "checks/training/drift_steps",
        1e30,
        f"checks.training.drift_steps: must be at most 10000000, got {int(1e30)}",
    ),
    (
        "sweeps/moons/seeds",
        1e30,
        f"sweeps.moons.seeds: must be at most 1000000000, got {int(1e30)}",
    ),
    (
        "tasks/moons/training/seed",
        2**63 - 1,
        "sweeps.moons.seeds: must be below 2**63, counted from training.seed; that is "
        "9223372036854775807",
    ),
    (
        "sweeps/moons/repeated",
        1e30,
        f"sweeps.moons.repeated: must be at most 1000000000, got {int(1e30)}",
    ),
    (
        "learning_rates/adam/points",
        10**400,
        f"learning_rates.adam: points must be at most 100000000, got {HUGE}",
    ),
    (
        "learning_rates/adam/log",
        [1, 10**400],
        f"learning_rates.adam: log must be two numbers, from and to; got [1, {HUGE[:-7]}...",
    ),
    (
        "checks/gradients/step",
        0.5,
        "checks.gradients.step: must be at most 0.1, got 0.5",
    ),
]


@pytest.mark.parametrize(("key", "value", "message"), REFUSALS)
def test_a_mistake_is_one_line(problems, key, value, message):
    assert problems({key: value}) == [f"params.yaml: {message}"]


@pytest.mark.parametrize(
    "name", ["9moons", "mo ons", "../moons", "gradients", "optimizers", "", "a.b"]
)
def test_a_task_has_a_name_for_files_of_its_own(problems, name):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert problems({"tasks": {name: content["tasks"]["moons"]}}) == [
        f"params.yaml: tasks.{name}: cannot be the name of a task: it must be letters, digits, _ "
        "and -, begin with a letter, and not be one of gradients, training, optimizers, code"
    ]


def test_a_name_with_a_line_break_is_shown_in_one_line(problems):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    (line,) = problems({"tasks": {"mo\nons": content["tasks"]["moons"]}})
    assert line.startswith("params.yaml: tasks.'mo\\nons': cannot be the name of a task: ")


def test_every_mistake_is_reported_at_once(problems):
    assert problems(
        {
            "tasks/regression/optimizers/sgd/lr": -1,
            "tasks/regression/optimizers/adam/lr": "x",
            "tasks/regression/training/epochs": 0,
            "tasks/classification/model/options/activation": "rleu",
            "tasks/moons/colour": "red",
            "checks/optimizers/steps": 0,
        }
    ) == [
        "params.yaml: tasks.regression.training.epochs: must be at least 1, got 0",
        "params.yaml: tasks.regression.optimizers.sgd.lr: must be greater than 0, got -1",
        "params.yaml: tasks.regression.optimizers.adam.lr: must be a number, got 'x'",
        "params.yaml: tasks.classification.model.options.activation: "
        "must be one of relu, tanh, sigmoid; got 'rleu'",
        "params.yaml: tasks.moons.colour: unknown key; valid keys are "
        "data, split, model, training, optimizers, optimizer",
        "params.yaml: checks.optimizers.steps: must be at least 1, got 0",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            "params.yaml: must be a section with the keys tasks, device, learning_rates, sweeps, "
            "checks, got nothing",
        ),
        (
            "- 1",
            "params.yaml: must be a section with the keys tasks, device, learning_rates, sweeps, "
            "checks, got [1]",
        ),
        ("tasks: {}\ntasks: {}", "params.yaml:2: the key tasks is given twice"),
        ("tasks:\n  a: 1\n  'a': 2", "params.yaml:3: the key a is given twice"),
        ("a: 1\nb: ]\nc: 2", "params.yaml:2: did not find expected node content"),
        ("? [a]\n: 1", "params.yaml:1: found unhashable key"),
        (
            "a:\n  epochs: 0144",
            "params.yaml:2: 0144 is 100 in YAML 1.1, but 144 to DVC: write one of these",
        ),
        (
            "tasks:\n  yes: 1",
            "params.yaml:2: yes is true in YAML 1.1, but 'yes' to DVC: write one of these",
        ),
        ("a: 1:30", "params.yaml:1: 1:30 is 90 in YAML 1.1, but '1:30' to DVC: write one of these"),
        ('"a\\nb": 1\n"a\\nb": 2', "params.yaml:2: the key 'a\\nb' is given twice"),
        (
            "a: 2026-02-30",
            "params.yaml:1: 2026-02-30 is no timestamp: day is out of range for month",
        ),
        ("a: !!bool maybe", "params.yaml:1: maybe is no bool: 'maybe'"),
        ("\n" + "[" * 5000, "params.yaml:2: is nested more than 100 deep"),
        ("{a: " * 100_000, "params.yaml:1: is nested more than 100 deep"),
        ("- " * 100_000, "params.yaml:1: is nested more than 100 deep"),
        (
            "a: !!python/object/apply:os.system [exit]",
            "params.yaml:1: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
    ],
)
def test_a_file_that_is_no_such_yaml_is_one_line(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(content)
    with pytest.raises(InputError) as caught:
        read_parameters()
    assert str(caught.value) == message


@pytest.mark.parametrize("digits", [f"1{'0' * 5000}", f"0x{'f' * 5000}"])
def test_a_number_of_too_many_digits_is_one_line(problems, digits):
    (line,) = problems({}, f"a: {digits}")
    assert re.fullmatch(r"params\.yaml:1: '.{56}\.\.\. is no int: Exceeds the limit .*", line)


@given(
    st.from_regex(r"[-+]?[0-9_:.xob]+(e[-+]?[0-9]+)?|yes|No|ON|off|True|\.inf|~", fullmatch=True)
)
def test_what_is_read_as_a_number_or_a_flag_is_the_same_to_dvc(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "scalar.yaml"
    path.write_text(text)
    try:
        ours = read_content(path)
    except InputError:
        return
    # A text that is a number is read as one where a number is expected.
    if not isinstance(ours, str):
        assert repr(ours) == repr(loads_yaml(text))


@pytest.mark.parametrize("content", [b"\xff\xfe\xfa", b"a: \x01", b"a: \xff"])
def test_a_file_that_is_no_text_is_one_line(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"^params\.yaml: un.*$") as caught:
        read_parameters()
    assert "\n" not in str(caught.value)


def test_no_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_parameters()
    assert str(caught.value) == "params.yaml: not found; run this in the root of the project"


def test_what_dvc_exp_run_writes_are_numbers(tmp_path, monkeypatch):
    assert yaml.safe_load("1e-05") == "1e-05"
    changes = {
        "tasks/regression/optimizers/sgd/lr": "1e-05",
        "tasks/regression/optimizers/adam/betas": ["5e-1", "0.25"],
        "tasks/regression/training/epochs": 100.0,
        "tasks/regression/training/batch_size": "1e1",
        "tasks/regression/split/test": "5e-2",
        "tasks/moons/split/test": 10.0,
    }
    parameters = read(tmp_path, changes, monkeypatch)
    regression = parameters.tasks["regression"]
    assert selected(regression).lr == 1e-5
    assert regression.optimizers.adam == Adam(lr=10, betas=(0.5, 0.25))
    assert (regression.training.epochs, regression.training.batch_size) == (100, 10)
    assert isinstance(regression.training.epochs, int)
    assert regression.split.test == 0.05
    assert isinstance(parameters.tasks["moons"].split.test, int)


@given(st.floats(allow_nan=False) | st.integers(-(2**53), 2**53))
def test_the_text_of_a_number_is_that_number(value):
    assert parsed(repr(value)) == parsed(value) == value


@given(st.text())
def test_a_text_that_is_no_number_stays_a_text(text):
    try:
        float(text)
    except ValueError:
        assert parsed(text) is text


def test_a_table_of_ones_own_needs_no_options_and_no_seed(tmp_path, monkeypatch):
    data = {"source": "my.csv", "features": ["a", "b"], "target": "c"}
    task = read(tmp_path, {"tasks/moons/data": data}, monkeypatch).tasks["moons"]
    assert task.data == OwnTable(source="my.csv", features=("a", "b"), target="c")


@pytest.mark.parametrize("kind", BUILT_IN)
def test_names_and_defaults_of_hyperparameters_are_those_of_torch(kind):
    import torch

    parameter = torch.zeros(1, 1, requires_grad=True)
    reference = getattr(torch.optim, kind.__name__)([parameter])
    defaults = {name: reference.defaults[name] for name in kind.model_fields}
    if kind is LBFGS:
        assert defaults["max_eval"] == kind().max_iter * 5 // 4
        defaults["max_eval"] = None
    assert defaults == kind().model_dump()
    getattr(torch.optim, kind.__name__)([parameter], **kind().model_dump())


@given(
    kind=st.sampled_from(BUILT_IN),
    values=st.fixed_dictionaries(
        {},
        optional={
            "lr": st.floats(-1, 1),
            "momentum": st.sampled_from([-0.5, 0.0, 0.5, 1.5]),
            "dampening": st.sampled_from([0.0, 0.5]),
            "weight_decay": st.floats(-1, 1),
            "nesterov": st.booleans(),
            "eps": st.floats(-1, 1),
            "betas": st.tuples(st.floats(-1, 2), st.floats(-1, 2)),
            "momentum_decay": st.floats(-1, 1),
            "lr_decay": st.floats(-1, 1),
            "initial_accumulator_value": st.floats(-1, 1),
            "rho": st.floats(-0.5, 1.5),
            "alpha": st.floats(-1, 1),
            "beta2_decay": st.floats(-1, 0.5),
            "d": st.floats(0.5, 1.5),
            "etas": st.tuples(st.floats(-0.5, 1.5), st.floats(0.5, 2)),
        },
    ),
)
def test_hyperparameters_are_refused_where_torch_refuses_them(kind, values):
    import torch

    values = {name: value for name, value in values.items() if name in kind.model_fields}
    if kind is Adafactor and "eps" in values:
        values["eps"] = (values["eps"], abs(values["eps"]))

    def accepts(make) -> bool:
        try:
            make()
        except ValueError:
            return False
        return True

    parameter = torch.zeros(1, 1, requires_grad=True)
    theirs = accepts(lambda: getattr(torch.optim, kind.__name__)([parameter], **values))
    assert accepts(lambda: kind(**values)) == (theirs and values.get("lr") != 0)


def test_parameters_cannot_be_changed_by_a_stage():
    parameters = read_parameters(ROOT / "params.yaml")
    with pytest.raises(ValueError, match="frozen"):
        parameters.device = "cuda"


def test_an_optimizer_of_ones_own_has_a_class_and_any_hyperparameters(tmp_path, monkeypatch):
    lion = {"class": "stages.own.lion.Lion", "lr": "1e-05", "betas": [0.9, 0.99], "sign": True}
    variants = {"class": "stages.own.lion.Lion", "reference": "lion.Lion", "variants": [{"lr": 1}]}
    changes = {
        "tasks/moons/optimizers/lion": lion,
        "tasks/moons/optimizer": "lion",
        "checks/optimizers/variants": {"SGD": [{"lr": 0.1}], "Lion": variants},
    }
    parameters = read(tmp_path, changes, monkeypatch)
    optimizer = selected(parameters.tasks["moons"])
    assert isinstance(optimizer, Own)
    assert optimizer.values() == {"lr": 1e-5, "betas": (0.9, 0.99), "sign": True}
    assert (optimizer.by_hand, optimizer.by_torch) == ("stages.own.lion.Lion", None)
    sgd, own = parameters.checks.optimizers.cases()
    assert (sgd.name, sgd.variant, sgd.has_reference) == ("SGD", "lr=0.1", True)
    assert (own.name, own.variant, own.has_reference) == ("Lion", "lr=1", True)
    assert own.hyperparameters.by_torch == "lion.Lion"
