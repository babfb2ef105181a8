"""The sweep section of a task: its points, and one line for each mistake."""

from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from stages.task.grammar import KINDS, Sweep, Swept, completed, with_parts
from stages.task.hyperparameters import TRAINS_NETWORKS, Adam
from stages.task.optimizers import Own
from stages.task.section import describe

NAMES = "sgd, adam, adamw, adamax, nadam, radam, adagrad, adadelta, rmsprop, rprop, asgd"


def read(optimizers: str) -> dict[str, Swept]:
    """The sweep of each optimizer in this YAML."""
    content = {"seeds": 2, "repeated": 1, "optimizers": yaml.safe_load(optimizers)}
    return Sweep.model_validate(content).swept


def points(optimizers: str, seed: int = 0) -> dict[str, list[Any]]:
    """The points of the only optimizer in this YAML."""
    (swept,) = read(optimizers).values()
    return {
        axis: values.tolist() for axis, values in swept.points(np.random.default_rng(seed)).items()
    }


def test_every_optimizer_that_works_element_by_element_can_be_swept() -> None:
    assert list(KINDS) == NAMES.split(", ")
    assert {kind for kind in TRAINS_NETWORKS if kind.scope == "element"} == set(KINDS.values())
    assert all(len(points(f"{name}: {{lr: [0.1, 1]}}")["lr"]) == 2 for name in KINDS)


def test_grids() -> None:
    assert points("sgd: {lr: 1}") == {"lr": [1.0]}
    assert points("sgd: {lr: ['1e-3', 1]}") == {"lr": [0.001, 1.0]}
    assert points("sgd: {lr: {linear: [1, 2], points: 3}}") == {"lr": [1, 1.5, 2]}
    log = points("sgd: {lr: {log: [0.001, 1], points: 4}}")["lr"]
    assert log == pytest.approx([0.001, 0.01, 0.1, 1], rel=1e-14)
    assert (log[0], log[-1]) == (0.001, 1)


def test_a_grid_has_all_combinations_the_last_fastest() -> None:
    found = points("sgd: {momentum: [0.5, 0.9], lr: [1, 2, 3], nesterov: [true, false]}")
    assert list(found) == ["momentum", "lr", "nesterov"]
    assert list(zip(*found.values(), strict=True)) == [
        (momentum, lr, nesterov)
        for momentum in (0.5, 0.9)
        for lr in (1, 2, 3)
        for nesterov in (True, False)
    ]


def test_parts_of_a_pair() -> None:
    text = "adam: {lr: 0.1, betas: [[0.5, 0.9], {linear: [0.99, 0.999], points: 2}]}"
    assert points(text) == {
        "lr": [0.1] * 4,
        "betas[0]": [0.5, 0.5, 0.9, 0.9],
        "betas[1]": [0.99, 0.999] * 2,
    }
    point = {"lr": 0.1, "betas[0]": 0.5, "betas[1]": 0.99}
    assert with_parts({"eps": 1}, point) == {"eps": 1, "lr": 0.1, "betas": (0.5, 0.99)}
    assert Adam.model_validate(with_parts({}, point)) == Adam(lr=0.1, betas=(0.5, 0.99))


DRAWN = """adam:
  draws: 1000
  lr: {loguniform: [0.001, 10]}
  betas: [{uniform: [0.5, 0.9]}, 0.99]
  eps: {choice: [1e-8, 1e-4]}
  amsgrad: [true, false]"""


def test_draws() -> None:
    found = points(DRAWN)
    assert list(found) == ["lr", "betas[0]", "betas[1]", "eps", "amsgrad"]
    assert {len(values) for values in found.values()} == {1000}
    lr, beta = np.array(found["lr"]), np.array(found["betas[0]"])
    assert 0.001 <= lr.min() < 0.0015
    assert 6 < lr.max() <= 10
    assert np.mean(lr < 0.1) == pytest.approx(0.5, abs=0.05)  # half of the decades
    assert 0.5 <= beta.min() < 0.51
    assert 0.89 < beta.max() <= 0.9
    assert beta.mean() == pytest.approx(0.7, abs=0.02)
    assert set(found["betas[1]"]) == {0.99}
    assert set(found["eps"]) == {1e-8, 1e-4}
    assert set(found["amsgrad"]) == {True, False}
    assert len(set(zip(found["eps"], found["amsgrad"], strict=True))) == 4  # independently
    assert abs(np.corrcoef(np.log(lr), beta)[0, 1]) < 0.1


def test_the_seed_decides_what_is_drawn() -> None:
    assert points(DRAWN, 1) == points(DRAWN, 1)
    assert points(DRAWN, 1) != points(DRAWN, 2)


def test_an_optimizer_of_ones_own() -> None:
    text = (
        "lion: {class: stages.own.lion.Lion, lr: [0.1, 1], betas: [[0.9, 0.99]], kind: [a, null]}"
    )
    swept = read(text)["lion"]
    assert swept.kind is Own
    assert swept.fixed == {"class": "stages.own.lion.Lion"}
    assert points(text) == {
        "lr": [0.1, 0.1, 1, 1],
        "betas": [(0.9, 0.99)] * 4,
        "kind": ["a", None] * 2,
    }


EXPECTED = (
    "must be a number, a list, {linear: [from, to], points: n} or log, or, with draws, "
    "{uniform: [from, to]}, loguniform or choice; got "
)
REFUSALS = {
    # which optimizers
    "{}": ": must be a section with a key for each optimizer, got {}",
    "[sgd]": ": must be a section with a key for each optimizer, got ['sgd']",
    "sdg: {lr: 1}": f".sdg: unknown optimizer (did you mean sgd?); valid optimizers are {NAMES}; "
    "one of your own needs a class",
    "lbfgs: {lr: 1}": f".lbfgs: unknown optimizer; valid optimizers are {NAMES}; "
    "one of your own needs a class",
    "5: {lr: 1}": f".5: unknown optimizer; valid optimizers are {NAMES}; "
    "one of your own needs a class",
    "lion: {class: lion, lr: 1}": ".lion.class: must be a class after its module, such as "
    "stages.own.lion.Lion; got 'lion'",
    "sgd: 0.1": ".sgd: must be a section with hyperparameters, got 0.1",
    "sgd:": ".sgd: must be a section with hyperparameters, got nothing",
    "sgd: {}": ".sgd: must be a section with hyperparameters, got {}",
    "sgd: {draws: 3}": ".sgd: must be a section with hyperparameters, got {'draws': 3}",
    "sgd: {momentun: 1}": ".sgd.momentun: unknown key (did you mean momentum?); "
    "valid keys are lr, momentum, dampening, weight_decay, nesterov, maximize",
    "sgd: {5: 1}": ".sgd.5: unknown key; "
    "valid keys are lr, momentum, dampening, weight_decay, nesterov, maximize",
    # values
    "sgd: {lr: -1}": ".sgd.lr: must be greater than 0, got -1",
    "sgd: {lr: [0.1, -2, 0.2, -1, 3]}": ".sgd.lr: must be greater than 0, got -2",
    "sgd: {lr: []}": ".sgd.lr: must have at least one value, got []",
    "sgd: {lr: [0.1, fast, 0.2]}": ".sgd.lr: must be a number, got 'fast'",
    "sgd: {lr: [0.1, true, 0.2]}": ".sgd.lr: must be a number, got true",
    "sgd: {lr: [0.1, .nan]}": ".sgd.lr: must be a finite number, got nan",
    "sgd: {lr: null}": ".sgd.lr: must be a number, got nothing",
    "sgd: {lr: [[0.1, 0.2]]}": ".sgd.lr: must be a number, got (0.1, 0.2)",
    "sgd: {lr: 1, maximize: [true, 1]}": ".sgd.maximize: must be true or false, got 1",
    # grids
    "sgd: {lr: {}}": f".sgd.lr: {EXPECTED}{{}}",
    "sgd: {lr: {log: [1, 2]}}": f".sgd.lr: {EXPECTED}{{'log': [1, 2]}}",
    "sgd: {lr: {lin: [1, 2]}}": f".sgd.lr: {EXPECTED}{{'lin': [1, 2]}}",
    "sgd: {lr: {log: [1, 2], point: 3}}": f".sgd.lr: {EXPECTED}{{'log': [1, 2], 'point': 3}}",
    "sgd: {lr: {log: [1, 2], points: 1}}": ".sgd.lr: points must be a whole number of at least 2, "
    "got 1",
    "sgd: {lr: {log: [1, 2], points: 2.5}}": ".sgd.lr: points must be a whole number of at least "
    "2, got 2.5",
    "sgd: {lr: {log: [0, 2], points: 3}}": ".sgd.lr: log must be from a number greater than 0, "
    "got 0",
    "sgd: {lr: {log: [2, 1], points: 3}}": ".sgd.lr: log must be two numbers, from and to; "
    "got [2, 1]",
    "sgd: {lr: {linear: [1, .inf], points: 3}}": ".sgd.lr: linear must be two numbers, from and "
    "to; got [1, inf]",
    "sgd: {lr: {linear: 1, points: 3}}": ".sgd.lr: linear must be two numbers, from and to; got 1",
    "sgd: {lr: {linear: [-1, 1], points: 3}}": ".sgd.lr: must be greater than 0, got -1",
    "adam: {lr: 1, eps: {uniform: [0, 1]}}": ".adam.eps: needs draws, the number of points; "
    "got {'uniform': [0, 1]}",
    "sgd: {lr: {log: [1, 2], points: 1000000000000}}": ".sgd.lr: points must be at most 100000000, "
    "got 1000000000000",
    f"sgd: {{lr: [0.1, 1{'0' * 400}]}}": ".sgd.lr: must be at most 1.79769e+308, got "
    f"1{'0' * 56}...",
    # 2 seeds
    "sgd: {lr: {log: [1, 2], points: 10000}, momentum: {linear: [0, 1], points: 5001}}": ".sgd: "
    "must be at most 100000000 trainings, got 100020000",
    "adam: {draws: 50000001, lr: 1}": ".adam: must be at most 100000000 trainings, got 100000002",
    # draws
    "adam: {draws: 1e12, lr: 1}": ".adam.draws: must be at most 100000000, got 1000000000000",
    "adam: {draws: 0, lr: 1}": ".adam.draws: must be a whole number of at least 1, got 0",
    "adam: {draws: true, lr: 1}": ".adam.draws: must be a whole number of at least 1, got true",
    "adam: {draws: null, lr: 1}": ".adam.draws: must be a whole number of at least 1, got nothing",
    "adam: {draws: 2, lr: {log: [1, 2], points: 2}}": ".adam.lr: is a grid, and with draws it must "
    "be drawn; got {'log': [1, 2], 'points': 2}",
    "adam: {draws: 2, lr: {uniform: [2, 2]}}": ".adam.lr: uniform must be two numbers, from and "
    "to; got [2, 2]",
    "adam: {draws: 2, lr: {loguniform: [-1, 2]}}": ".adam.lr: loguniform must be from a number "
    "greater than 0, got -1",
    "adam: {draws: 2, lr: {choice: 3}}": ".adam.lr: choice must be a list of values, got 3",
    "adam: {draws: 2, lr: {choice: []}}": ".adam.lr: choice must be a list of values, got []",
    # pairs
    "adam: {betas: 0.9}": ".adam.betas: must be a list, got 0.9",
    "adam: {betas: [0.9]}": ".adam.betas[1]: is missing; expected 2 numbers",
    "adam: {betas: [{linear: [0.5, 1.5], points: 3}, 0.9]}": ".adam.betas[0]: must be less than 1, "
    "got 1.5",
    "rprop: {etas: [[0.5, 2], 1.2]}": ".rprop.etas[0]: must be less than 1, got 2",
    # one depends on another
    "sgd: {nesterov: [false, true], momentum: [0.9, 0, 0.5]}": ".sgd: nesterov needs "
    "momentum greater than 0 and dampening 0, got momentum 0.0 and dampening 0.0",
}


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(text)
    place = "params.yaml: tasks.moons.sweep."
    assert describe(caught.value, place) == f"{place}optimizers{REFUSALS[text]}"


def test_every_mistake_is_a_line() -> None:
    with pytest.raises(ValidationError) as caught:
        read("{sgd: {lr: [], momentum: {log: 3}}, adam: {lr: -1, eps: -2}, adm: {lr: 1}}")
    lines = describe(caught.value, "").splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "optimizers.sgd.lr",
        "optimizers.sgd.momentum",
        "optimizers.adam.lr",
        "optimizers.adam.eps",
        "optimizers.adm",
    ]


def test_a_grid_is_not_made_before_it_is_used() -> None:
    (swept,) = read("sgd: {lr: {log: [0.1, 1], points: 50000000}, momentum: [0.9]}").values()
    assert swept.size == 50_000_000
    assert next(iter(swept.axes.values())).points == 50_000_000
    assert read(DRAWN)["adam"].size == 1000


def test_the_other_keys() -> None:
    with pytest.raises(ValidationError) as caught:
        Sweep.model_validate({"seeds": 0, "optimizers": {"sgd": {"lr": 1}}, "draws": 3})
    assert describe(caught.value, "").splitlines() == [
        "seeds: must be at least 1, got 0",
        "draws: unknown key; valid keys are seeds, repeated, optimizers",
    ]


RATES = {"sgd": {"log": [0.01, 1], "points": 3}, "adam": [0.1, 1]}


@pytest.mark.parametrize(
    ("sweep", "optimizers"),
    [
        ({}, {"sgd": {"lr": RATES["sgd"]}, "adam": {"lr": RATES["adam"]}}),
        ({"optimizers": {"adam": {}}}, {"adam": {"lr": RATES["adam"]}}),
        ({"optimizers": {"adam": {"eps": 1}}}, {"adam": {"eps": 1}}),
        ({"optimizers": {"rprop": {}}}, {"rprop": {}}),
    ],
)
def test_learning_rates_that_a_sweep_leaves_open(sweep: Any, optimizers: Any) -> None:
    assert completed(sweep | {"seeds": 2}, RATES) == {"seeds": 2, "optimizers": optimizers}


@pytest.mark.parametrize("sweep", [None, 3, {"optimizers": [1]}])
def test_what_is_no_sweep_stays_as_it_is(sweep: Any) -> None:
    assert completed(sweep, RATES) is sweep
