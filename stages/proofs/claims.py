"""What is claimed to be equal, and whether it is."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.figures.numbers import number

Metrics = Mapping[str, Any]

# How far apart results may be that differ by rounding alone, relative to their size.
BOUND = {"float64": 1e-12, "float32": 5e-4}


@dataclass(frozen=True)
class Claim:
    """Something that should hold, and whether it does; section: the id of where to see it."""

    text: str
    holds: bool
    section: str


def claims_of_optimizers(metrics: Mapping[str, Metrics]) -> Iterator[Claim]:
    """Those of metrics/optimizers.json: one of all that hold, and one for each that does not."""
    own = [name for name, found in metrics.items() if "ulp_repeated" in found]
    torch = [name for name in metrics if name not in own]
    equal = [name for name in torch if _is_zero(metrics[name], "ulp_ieee")]
    if equal:
        variants = sum(metrics[name]["variants"] for name in equal)
        steps = _steps(metrics[name]["steps"] for name in equal)
        who = f"{count(variants, 'variant')} of {count(len(equal), 'optimizer')}"
        yield Claim(f"Bit for bit as torch.optim: {who}, {steps}", True, "optimizers")
    for name in torch:
        if name not in equal:
            yield Claim(_different(name, metrics[name]), False, "optimizers")
    for name in own:
        yield from _claims_of_own(name, metrics[name])


def _claims_of_own(name: str, found: Metrics) -> Iterator[Claim]:
    measures = ("ulp_repeated", "ulp_runs", "ulp_ieee")
    differing = [measure for measure in measures if found.get(measure)]
    if "ulp_ieee" in differing:
        yield Claim(_different(name, found), False, "optimizers")
    if "ulp_repeated" in differing:
        yield Claim(f"{name} does not repeat itself", False, "optimizers")
    if "ulp_runs" in differing:
        yield Claim(f"{name} is not the same among many runs as alone", False, "optimizers")
    if not differing:
        reference = "its reference" if "ulp_ieee" in found else "itself, run again"
        yield Claim(f"Bit for bit as {reference}: {name}", True, "optimizers")


def _different(name: str, found: Metrics) -> str:
    apart, first = found.get("ulp_ieee"), found.get("first_difference")
    if apart is None:
        return f"{name} has not been compared"
    units = f"{number(apart) if apart >= 1e5 else apart} units in the last place"
    return f"{name} differs from its reference by up to {units}, first at step {first}"


def claims_of_training(metrics: Mapping[str, Metrics]) -> Iterator[Claim]:
    """Those of metrics/training.json."""
    equal = [name for name, found in metrics.items() if _is_zero(found, "ulp_ieee")]
    if equal:
        steps = _steps(metrics[name]["steps"] for name in equal)
        who = f"trainings with {' and '.join(equal)}"
        yield Claim(f"Bit for bit as torch, given the same kernels: {who}, {steps}", True, "proofs")
    for name in metrics:
        if name not in equal:
            yield Claim(f"Training: {_different(name, metrics[name])}", False, "proofs")


def claims_of_gradients(metrics: Mapping[str, Mapping[str, Metrics]]) -> Iterator[Claim]:
    """Those of metrics/gradients.json, whose relative errors are not above the bound."""
    found = {name: errors for kind in metrics.values() for name, errors in kind.items()}
    names = {"relative_error": "float64", "relative_error_float32": "float32"}
    wrong = {
        name: f"{measure} {shown(errors.get(measure))}"
        for name, errors in found.items()
        for measure, dtype in names.items()
        if not _is_within(errors.get(measure), dtype)
    }
    if len(wrong) < len(found):
        right = {kind: sum(name not in wrong for name in metrics[kind]) for kind in metrics}
        who = " and ".join(count(number, kind[:-1]) for kind, number in right.items())
        largest = max(
            errors["relative_error"] for name, errors in found.items() if name not in wrong
        )
        text = f"Gradients at most {shown(largest)} (relative) from torch.autograd's: {who}"
        yield Claim(text, True, "proofs")
    for name, error in wrong.items():
        yield Claim(f"The gradient of {name} is wrong: {error}", False, "proofs")


def claims_of_tasks(tasks: Mapping[str, tuple[Metrics, str]]) -> Iterator[Claim]:
    """Those of metrics/<task>.json: what each holds, and the dtype of the task.

    Twins that diverge at the same step are equal in that.
    """
    close: dict[str, float] = {}
    for name, (metrics, dtype) in tasks.items():
        apart = metrics["drift"].get("parameters")
        steps = [metrics.get(twin, {}).get("diverged_step") for twin in ("numpy", "torch")]
        if any(steps):
            numpy, torch = (f"diverged at step {step}" if step else "did not" for step in steps)
            same = steps[0] == steps[1]
            who = f"both twins {numpy}" if same else f"NumPy {numpy}, PyTorch {torch}"
            yield Claim(f"{name}: {who}", same, f"task-{name}")
        elif _is_within(apart, dtype):
            close[name] = apart
        else:
            text = f"{name}: the twins are {shown(apart)} apart, more than rounding explains"
            yield Claim(text, False, f"task-{name}")
    if close:
        who = f"{count(len(close), 'task')} trained by both ({', '.join(close)})"
        largest = shown(max(close.values()))
        text = f"Parameters at most {largest} (relative) from PyTorch's: {who}"
        yield Claim(text, True, f"task-{next(iter(close))}")


def headline(claims: Sequence[Claim]) -> str:
    """All claims in a sentence."""
    failing = sum(not claim.holds for claim in claims)
    if not claims:
        return "Nothing has been proven."
    if failing:
        does = "does" if failing == 1 else "do"
        return f"{failing} of {count(len(claims), 'proof')} {does} not hold."
    return "Everything that should be equal is equal."


def say_what_fails(claims: Iterable[Claim]) -> None:
    """Prints a line for each claim that does not hold, to stderr."""
    for claim in claims:
        if not claim.holds:
            print(claim.text, file=sys.stderr)


def count(times: int, what: str) -> str:
    """A number of things: 1 task, 2 tasks."""
    return f"{times} {what}" if times == 1 else f"{times} {what}s"


def shown(value: float | None) -> str:
    """A number with two digits, or that there is none."""
    return "not a number" if value is None else number(value)


def _steps(found: Iterator[int]) -> str:
    steps = sorted(set(found))
    return f"{' or '.join(map(str, steps))} steps"


def _is_zero(found: Metrics, measure: str) -> bool:
    return found.get(measure) == 0


def _is_within(value: float | None, dtype: str) -> bool:
    return value is not None and value <= BOUND[dtype]
