"""The schedules beside torch.optim.lr_scheduler, to the last bit."""

import doctest
import json
import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from repository import ROOT
from torch.optim import lr_scheduler, swa_utils

from stages import optim
from stages.optim import schedules
from stages.optim.schedules import EachRun

MODULES = sorted(path.stem for path in (ROOT / "stages/optim/schedules").glob("*.py"))
STEPS = 1000


def wave(t: int) -> float:
    return 1.1 + math.sin(t)


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("LambdaLR", {"lr_lambda": wave}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.95}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: wave(t) / wave(t - 1)}),
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 1, "gamma": 0.999}),
    ("StepLR", {"step_size": 7, "gamma": 1.01}),
    ("MultiStepLR", {"milestones": [30, 80]}),
    ("MultiStepLR", {"milestones": [80, 1, 500, 80, 500, 500], "gamma": 0.3}),
    ("MultiStepLR", {"milestones": []}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.3, "total_iters": 700}),
    ("ConstantLR", {"factor": 0.7, "total_iters": 0}),
    ("ConstantLR", {"factor": 0.0, "total_iters": 2000}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 333}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 100}),
    ("LinearLR", {"start_factor": 0.5, "total_iters": 1}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("ExponentialLR", {"gamma": 1.003}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 800, "power": 0.9}),
    ("PolynomialLR", {"total_iters": 77, "power": 3.0}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 333, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 2000, "eta_min": 0.7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 1e-3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 20}),
    (
        "CyclicLR",
        {"base_lr": 0.0, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 11, "gamma": 0.9},
    ),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 33, "mode": "triangular2"}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 9, "mode": "exp_range", "gamma": 0.99},
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.3,
            "step_size_up": 9,
            "step_size_down": 1,
            "scale_fn": lambda x: 1 / (5 + x),
            "scale_mode": "iterations",
            "base_momentum": 0.1,
            "max_momentum": 0.97,
        },
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.3, "scale_fn": wave, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 1000}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 1001, "anneal_strategy": "linear"}),
    (
        "OneCycleLR",
        {"max_lr": 0.3, "epochs": 10, "steps_per_epoch": 150, "three_phase": True},
    ),
    (
        "OneCycleLR",
        {
            "max_lr": 2.0,
            "total_steps": 1002,
            "pct_start": 0.71,
            "div_factor": 3.0,
            "final_div_factor": 7.0,
            "base_momentum": 0.3,
            "max_momentum": 0.5,
        },
    ),
    (
        "OneCycleLR",
        {
            "max_lr": 2.0,
            "total_steps": 1003,
            "three_phase": True,
            "pct_start": 0.4,
            "anneal_strategy": "linear",
            "cycle_momentum": False,
        },
    ),
    ("ReduceLROnPlateau", {}),
    ("ReduceLROnPlateau", {"factor": 0.7, "patience": 2, "cooldown": 5, "min_lr": 1e-3}),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 0, "threshold": 0.3, "eps": 1e-3}),
    ("ReduceLROnPlateau", {"threshold_mode": "abs", "threshold": 0.2, "patience": 4}),
    ("ReduceLROnPlateau", {"mode": "max", "threshold_mode": "abs", "factor": 0.9, "patience": 1}),
    ("SWALR", {"swa_lr": 0.05}),
    ("SWALR", {"swa_lr": 0.9, "anneal_epochs": 333, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 0}),
    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 700}),
]
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.37, "momentum": 0.9},
    "Adam": {"lr": 0.11},
}

Pair = tuple[Any, Any]


def pair_of_optimizers(name: str = "SGD") -> Pair:
    hyperparameters = OPTIMIZERS[name]
    theirs = getattr(torch.optim, name)([torch.zeros(1)], **hyperparameters)
    theirs.step()  # without gradients; torch warns of a schedule that goes first
    return getattr(optim, name)(**hyperparameters), theirs


def torch_class(name: str) -> Any:
    return getattr(swa_utils if name == "SWALR" else lr_scheduler, name)


def made(pair: Pair, name: str, arguments: dict[str, Any]) -> Pair:
    ours, theirs = pair
    both = getattr(schedules, name)(ours, **arguments), torch_class(name)(theirs, **arguments)
    theirs.step()
    return both


def measure(step: int) -> float:
    return math.exp(-step / 100) + 0.3 * math.sin(step * step)


def step(pair: Pair, number: int) -> None:
    for each in pair:
        if "Plateau" in type(each).__name__:
            each.step(measure(number))
        else:
            each.step()


def values(pair: Pair) -> tuple[list[Any], list[Any]]:
    """What a schedule may set, of both optimizers."""
    ours, theirs = pair
    (group,) = theirs.param_groups
    names = [name for name in ("lr", "momentum", "betas") if name in group]
    return [getattr(ours, name) for name in names], [group[name] for name in names]


def follow(optimizers: Pair, pairs: Pair, steps: int, first: int = 0) -> None:
    for number in range(first, first + steps):
        left, right = values(optimizers)
        assert left == right, number
        step(pairs, number)
    left, right = values(optimizers)
    assert left == right


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_every_variant_is_torchs_to_the_last_bit(
    name: str, arguments: dict[str, Any], optimizer: str
) -> None:
    optimizers = pair_of_optimizers(optimizer)
    follow(optimizers, made(optimizers, name, arguments), STEPS)


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_a_learning_rate_that_someone_else_changes(name: str, arguments: dict[str, Any]) -> None:
    """A recursion goes on from it."""
    optimizers = pair_of_optimizers()
    pair = made(optimizers, name, arguments)
    follow(optimizers, pair, 40)
    optimizers[0].lr = optimizers[1].param_groups[0]["lr"] = 0.789
    follow(optimizers, pair, 60, first=40)


CLOSED = [v for v in VARIANTS if hasattr(torch_class(v[0]), "_get_closed_form_lr")]


@pytest.mark.parametrize(("name", "arguments"), CLOSED)
def test_the_closed_form_is_torchs(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = made(pair_of_optimizers(), name, arguments)
    for t in range(STEPS):
        ours.last_epoch = theirs.last_epoch = t
        assert [ours.closed_form_lr()] == theirs._get_closed_form_lr()


def test_the_closed_forms_are_those_that_torch_has() -> None:
    for name in dict(VARIANTS):
        closed = hasattr(torch_class(name), "_get_closed_form_lr")
        assert hasattr(getattr(schedules, name), "closed_form_lr") == closed, name


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("t_mult", [1, 2, 3])
def test_warm_restarts_at_any_epoch(t_mult: int, fraction: float) -> None:
    optimizers = pair_of_optimizers()
    ours, theirs = made(optimizers, "CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": t_mult})
    for epoch in (*range(50), 3, 17, 200):
        for each in (ours, theirs):
            each.step(epoch + fraction)
        assert values(optimizers)[0] == values(optimizers)[1], epoch
        assert (ours.last_epoch, ours.T_cur, ours.T_i) == (
            theirs.last_epoch,
            theirs.T_cur,
            theirs.T_i,
        )
    with pytest.raises(ValueError, match=r"^epoch must be at least 0, got -1$"):
        ours.step(-1)


# ------------------------------------------------------------------------------------ several ones

Make = Callable[[Any, Any], Any]  # of the module and the optimizer


def chain(*parts: Make) -> Make:
    return lambda module, optimizer: module.ChainedScheduler([p(module, optimizer) for p in parts])


def sequence(milestones: list[int], *parts: Make) -> Make:
    return lambda module, optimizer: module.SequentialLR(
        optimizer, [p(module, optimizer) for p in parts], milestones
    )


def one(name: str, **arguments: Any) -> Make:
    return lambda module, optimizer: getattr(module, name)(optimizer, **arguments)


WARM_UP = one("LinearLR", start_factor=0.1, total_iters=20)
EXPONENTIAL, STAIRS = one("ExponentialLR", gamma=0.97), one("StepLR", step_size=30, gamma=0.5)
COSINE = one("CosineAnnealingLR", T_max=100, eta_min=1e-3)
RESTARTS = one("CosineAnnealingWarmRestarts", T_0=7, T_mult=2)
CYCLES = one("CyclicLR", base_lr=0.01, max_lr=0.4, step_size_up=13)
ONE_CYCLE = one("OneCycleLR", max_lr=0.5, total_steps=2000)
COMPOSED = {
    "warm-up and decay": chain(WARM_UP, EXPONENTIAL),
    "warm-up and stairs": chain(STAIRS, WARM_UP, COSINE),
    "closed forms and recursions": chain(RESTARTS, EXPONENTIAL),
    "one": chain(COSINE),
    "warm-up, then cosine": sequence([20], WARM_UP, COSINE),
    "three": sequence([20, 200], WARM_UP, EXPONENTIAL, STAIRS),
    "restarts later": sequence([20], WARM_UP, RESTARTS),
    "milestone 0": sequence([0], WARM_UP, COSINE),
    "milestones at once": sequence([5, 5], WARM_UP, EXPONENTIAL, STAIRS),
    "cycles, then decay": sequence([50], CYCLES, EXPONENTIAL),
    "decay, then one cycle": sequence([50], EXPONENTIAL, ONE_CYCLE),
    "a chain, then a decay": sequence([30], chain(WARM_UP, EXPONENTIAL), COSINE),
    "a sequence in a chain": chain(sequence([20], WARM_UP, COSINE), EXPONENTIAL),
    "a sequence of a sequence": sequence([60], sequence([20], WARM_UP, COSINE), EXPONENTIAL),
    "polynomial": sequence(
        [10, 300], one("ConstantLR", factor=0.3), one("PolynomialLR", total_iters=99), RESTARTS
    ),
}


# A sequence makes its first part step once more where that is several itself.
MORE_STEPS = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


@MORE_STEPS
@pytest.mark.parametrize("name", COMPOSED)
def test_several_are_torchs_to_the_last_bit(name: str) -> None:
    ours, theirs = pair_of_optimizers()
    pair = COMPOSED[name](schedules, ours), COMPOSED[name](lr_scheduler, theirs)
    theirs.step()
    follow((ours, theirs), pair, STEPS)


def test_two_that_step_by_themselves() -> None:
    optimizers = pair_of_optimizers()
    first = made(optimizers, "CosineAnnealingLR", {"T_max": 77})
    second = made(optimizers, "ReduceLROnPlateau", {"patience": 3, "factor": 0.8})
    for number in range(300):
        step(first, number)
        step(second, number)
        assert values(optimizers)[0] == values(optimizers)[1]


# ------------------------------------------------------------------------------------------ resume


def with_values(optimizer: Any, given: list[Any]) -> None:
    """A torch optimizer with the values, which torch keeps in the optimizer's own state."""
    (group,) = optimizer.param_groups
    group.update(zip([n for n in ("lr", "momentum", "betas") if n in group], given, strict=True))


def makers() -> dict[str, Make]:
    single = {
        f"{name} {number}": one(name, **arguments)
        for number, (name, arguments) in enumerate(VARIANTS)
        if name != "SWALR"
    }
    return single | COMPOSED


@MORE_STEPS
@pytest.mark.parametrize("steps", [0, 1, 25, 300])
@pytest.mark.parametrize("name", makers())
def test_a_state_goes_on_in_ours_and_in_torchs_and_torchs_in_ours(name: str, steps: int) -> None:
    make = makers()[name]
    optimizers = pair_of_optimizers()
    pair = make(schedules, optimizers[0]), make(lr_scheduler, optimizers[1])
    optimizers[1].step()
    follow(optimizers, pair, steps)
    state = json.loads(json.dumps(pair[0].state_dict()))

    new, new_torch = pair_of_optimizers()
    resumed, resumed_torch = make(schedules, new), make(lr_scheduler, new_torch)
    resumed.load_state_dict(state)
    resumed_torch.load_state_dict(state)
    with_values(new_torch, values(optimizers)[0])
    of_torch, _ = pair_of_optimizers()
    from_torch = make(schedules, of_torch)
    from_torch.load_state_dict(pair[1].state_dict())

    new_torch.step()
    for number in range(steps, steps + 100):
        expected = values(optimizers)[1]
        assert values((new, new_torch)) == (expected, expected)
        assert values((of_torch, new_torch))[0] == expected
        step(pair, number)
        step((resumed, resumed_torch), number)
        step((from_torch, from_torch)[:1], number)


def test_swa_goes_on_from_its_state() -> None:
    optimizers = pair_of_optimizers()
    pair = made(optimizers, "SWALR", {"swa_lr": 0.01, "anneal_epochs": 30})
    follow(optimizers, pair, 11)
    new = pair_of_optimizers()
    resumed = made(new, "SWALR", {"swa_lr": 0.01, "anneal_epochs": 30})
    state = json.loads(json.dumps(pair[0].state_dict()))
    for each in resumed:
        each.load_state_dict(state)
    with_values(new[1], values(optimizers)[0])
    follow(new, resumed, 50)


@pytest.mark.parametrize(
    ("name", "arguments"), [v for v in VARIANTS if v[0] != "ReduceLROnPlateau"]
)
@pytest.mark.parametrize("last_epoch", [0, 13, 600])
def test_a_schedule_may_begin_later(name: str, arguments: dict[str, Any], last_epoch: int) -> None:
    optimizers = pair_of_optimizers()
    ours, theirs = optimizers
    (group,) = theirs.param_groups
    ours.initial_lr = group["initial_lr"] = 0.37
    ours.lr = group["lr"] = 0.2
    if name == "OneCycleLR":  # which torch reads from the group
        group["max_lr"] = arguments["max_lr"]
        ours.initial_lr = group["initial_lr"] = group["max_lr"] / arguments.get("div_factor", 25.0)
        group["min_lr"] = group["initial_lr"] / arguments.get("final_div_factor", 1e4)
        group["base_momentum"] = arguments.get("base_momentum", 0.85)
        group["max_momentum"] = arguments.get("max_momentum", 0.95)
    pair = made(optimizers, name, arguments | {"last_epoch": last_epoch})
    follow(optimizers, pair, 300)


# -------------------------------------------------------------------------------------------- runs


def test_each_run_has_what_it_has_alone() -> None:
    lrs, gammas, periods = [0.1, 0.2, 0.3], [0.9, 0.8, 0.99], [7, 20, 33]

    def make(optimizer: Any, run: int) -> Any:
        warm_up = schedules.LinearLR(optimizer, 0.1, total_iters=periods[run])
        parts = [warm_up, schedules.ExponentialLR(optimizer, gammas[run])]
        return schedules.SequentialLR(optimizer, parts, [periods[run]])

    def cycle(optimizer: Any, run: int) -> Any:
        return schedules.OneCycleLR(optimizer, lrs[run], total_steps=50 + periods[run])

    for kind, which in (("SGD", make), ("SGD", cycle), ("Adam", cycle)):
        together = getattr(optim, kind)(lr=np.array(lrs))
        alone = [getattr(optim, kind)(lr=lr) for lr in lrs]
        of_all = EachRun(together, 3, which)
        of_one = [which(optimizer, run) for run, optimizer in enumerate(alone)]
        random, p = np.random.default_rng(1), np.ones((3, 5))
        rows = [row[None].copy() for row in p]
        for number in range(50):
            gradients = random.normal(size=p.shape)
            together(p, gradients)
            for run, optimizer in enumerate(alone):
                optimizer(rows[run], gradients[run : run + 1])
                assert np.broadcast_to(together.lr, 3)[run] == optimizer.lr
                assert p[run].tobytes() == rows[run].tobytes()
            if number == 20:
                state = json.loads(json.dumps(of_all.state_dict()))
                of_all = EachRun(together, 3, which)
                of_all.load_state_dict(state)
            of_all.step()
            for each in of_one:
                each.step()


def test_each_run_has_a_plateau_of_its_own() -> None:
    together, alone = optim.SGD(lr=0.1), [optim.SGD(lr=0.1) for _ in range(4)]

    def make(optimizer: Any, run: int) -> Any:
        return schedules.ReduceLROnPlateau(optimizer, patience=run)

    of_all = EachRun(together, 4, make)
    of_one = [make(optimizer, run) for run, optimizer in enumerate(alone)]
    for number in range(100):
        losses = [measure(number + 7 * run) for run in range(4)]
        of_all.step(np.array(losses))
        for each, loss in zip(of_one, losses, strict=True):
            each.step(loss)
        assert np.broadcast_to(together.lr, 4).tolist() == [each.lr for each in alone]


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (one("ConstantLR", factor=1.5), "factor must be at most 1, got 1.5"),
        (one("ConstantLR", factor=-0.5), "factor must be at least 0, got -0.5"),
        (one("LinearLR", start_factor=0.0), "start_factor must be greater than 0, got 0.0"),
        (one("LinearLR", end_factor=1.5), "end_factor must be at most 1, got 1.5"),
        (one("CosineAnnealingWarmRestarts", T_0=0), "T_0 must be at least 1, got 0"),
        (one("CosineAnnealingWarmRestarts", T_0=1.5), "T_0 must be a whole number; got 1.5"),
        (one("CosineAnnealingWarmRestarts", T_0=1, T_mult=0), "T_mult must be at least 1, got 0"),
        (one("OneCycleLR", max_lr=1.0), "total_steps is missing; or give epochs and steps_per_"),
        (one("OneCycleLR", max_lr=1.0, total_steps=0), "total_steps must be at least 1, got 0"),
        (
            one("OneCycleLR", max_lr=1.0, total_steps=9, pct_start=1.5),
            "pct_start must be at most 1, got 1.5",
        ),
        (
            one("OneCycleLR", max_lr=1.0, total_steps=9, anneal_strategy="log"),
            "anneal_strategy must be one of cos, linear; got 'log'",
        ),
        (
            one("CyclicLR", base_lr=0.1, max_lr=1.0, mode="square"),
            "mode must be one of triangular, triangular2, exp_range; got 'square'",
        ),
        (one("ReduceLROnPlateau", factor=1.0), "factor must be less than 1, got 1.0"),
        (one("ReduceLROnPlateau", mode="up"), "mode must be one of min, max; got 'up'"),
        (
            one("StepLR", step_size=3, last_epoch=5),
            "last_epoch must be -1 for an optimizer without initial_lr, got 5",
        ),
        (sequence([3], WARM_UP), "milestones must be 0, one less than there are schedulers, got 1"),
        (
            sequence([3], WARM_UP, one("ReduceLROnPlateau")),
            "schedulers cannot be ReduceLROnPlateau, which asks for a measure",
        ),
        (chain(), "schedulers must be at least one schedule, got none"),
        (chain(one("ReduceLROnPlateau")), "schedulers cannot be ReduceLROnPlateau, which asks"),
    ],
)
def test_what_torch_refuses_is_refused(make: Make, message: str) -> None:
    ours, theirs = pair_of_optimizers()
    with pytest.raises((ValueError, KeyError)):
        make(lr_scheduler, theirs)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make(schedules, ours)


def test_cycled_momentum_needs_an_optimizer_with_momentum() -> None:
    theirs = torch.optim.Adagrad([torch.zeros(1)])
    for name, arguments in (
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2}),
        ("OneCycleLR", {"max_lr": 0.2, "total_steps": 9}),
    ):
        with pytest.raises(ValueError, match="optimizer must support momentum"):
            torch_class(name)(theirs, **arguments)
        message = r"^cycle_momentum must be False for an optimizer without momentum and betas, got"
        with pytest.raises(ValueError, match=message):
            getattr(schedules, name)(optim.Adagrad(), **arguments)
        getattr(schedules, name)(optim.Adagrad(), cycle_momentum=False, **arguments)


def test_one_cycle_ends() -> None:
    ours, theirs = made(pair_of_optimizers(), "OneCycleLR", {"max_lr": 1.0, "total_steps": 9})
    for _ in range(9):
        ours.step()
        theirs.step()
    with pytest.raises(ValueError, match="Tried to step 10 times"):
        theirs.step()
    with pytest.raises(ValueError, match=r"^OneCycleLR has 9 steps, and this would be step 10$"):
        ours.step()


def test_schedules_of_several_optimizers_are_refused() -> None:
    parts = [schedules.StepLR(optim.SGD(), 3), schedules.StepLR(optim.SGD(), 3)]
    for make in (
        lambda: schedules.ChainedScheduler(parts),
        lambda: schedules.SequentialLR(parts[0].optimizer, parts, [3]),
    ):
        with pytest.raises(ValueError, match=r"^schedulers must be of one optimizer, got several$"):
            make()


def test_a_sequence_that_would_begin_a_sequence_later_is_refused() -> None:
    optimizer = optim.SGD()
    make = sequence([3], WARM_UP, chain(WARM_UP))
    with pytest.raises(ValueError, match=r"^only the first of the schedulers may be several"):
        make(schedules, optimizer)


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str) -> None:
    found = import_module(f"stages.optim.schedules.{module}")
    result = doctest.testmod(found)
    classes = [
        name
        for name in schedules.__all__
        if getattr(schedules, name).__module__ == found.__name__ and module != "__init__"
    ]
    assert result.failed == 0
    assert all(">>>" in getattr(schedules, name).__doc__ for name in classes)
