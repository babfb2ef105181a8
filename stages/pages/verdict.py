"""What is claimed to be equal, and whether it is, in sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from stages.figures.numbers import written
from stages.proofs.claims import (
    Claim,
    Metrics,
    claim_of_task,
    claims_of_gradients,
    claims_of_optimizers,
    claims_of_training,
    is_own,
)


@dataclass(frozen=True)
class Sentence:
    """Something that should hold, and whether it does; section: the id of where to see it."""

    text: str
    holds: bool
    section: str


def sentences(metrics: Mapping[str, Metrics], tasks: Iterable[str]) -> list[Sentence]:
    """One for all claims of a kind that hold, and one for each that does not.

    metrics: the content of each file by its name, without the suffix; a missing one of the checks
        claims nothing
    tasks: those whose metrics are there
    """
    return [
        *_of_optimizers(metrics.get("optimizers", {})),
        *_of_training(metrics.get("training", {})),
        *_of_gradients(metrics.get("gradients", {})),
        *_of_tasks({task: metrics[task] for task in tasks}),
    ]


def _of_optimizers(metrics: Mapping[str, Metrics]) -> Iterator[Sentence]:
    every = groupby(claims_of_optimizers(metrics), lambda claim: claim.key.rpartition(".")[0])
    failing = {name: [claim for claim in claims if not claim.holds] for name, claims in every}
    equal = [name for name in metrics if not is_own(metrics[name]) and not failing[name]]
    if equal:
        variants = sum(metrics[name]["variants"] for name in equal)
        steps = _steps(metrics[name]["steps"] for name in equal)
        who = f"{count(variants, 'variant')} of {count(len(equal), 'optimizer')}"
        yield Sentence(f"Bit for bit as torch.optim: {who}, {steps}", True, "optimizers")
    for name, claims in failing.items():
        for claim in claims:
            yield Sentence(_different(name, claim), False, "optimizers")
    for name, found in metrics.items():
        if is_own(found) and not failing[name]:
            reference = "its reference" if "ulp_ieee" in found else "itself, run again"
            yield Sentence(f"Bit for bit as {reference}: {name}", True, "optimizers")


def _different(name: str, claim: Claim) -> str:
    measure = claim.key.rpartition(".")[2]
    if measure == "ulp_repeated":
        return f"{name} does not repeat itself"
    if measure == "ulp_runs":
        return f"{name} is not the same among many runs as alone"
    if claim.value is None:
        return f"{name} has not been compared"
    if measure == "descending":
        climbing = int(claim.bound - claim.value)
        return f"{name} does not descend in {climbing} of {count(int(claim.bound), 'variant')}"
    units = f"{written(claim.value) if claim.value >= 1e5 else claim.value} units in the last place"
    return f"{name} differs from its reference by up to {units}, first at step {claim.step}"


def _of_training(metrics: Mapping[str, Metrics]) -> Iterator[Sentence]:
    claims = dict(zip(metrics, claims_of_training(metrics), strict=True))
    equal = [name for name, claim in claims.items() if claim.holds]
    if equal:
        steps = _steps(metrics[name]["steps"] for name in equal)
        who = f"trainings with {' and '.join(equal)}"
        text = f"Bit for bit as torch, given the same kernels: {who}, {steps}"
        yield Sentence(text, True, "proofs")
    for name, claim in claims.items():
        if not claim.holds:
            yield Sentence(f"Training: {_different(name, claim)}", False, "proofs")


def _of_gradients(metrics: Mapping[str, Mapping[str, Metrics]]) -> Iterator[Sentence]:
    failing = {}
    for claim in claims_of_gradients(metrics):
        if not claim.holds:
            kind, name, measure = claim.key.split(".")
            failing[kind, name] = f"{measure} {in_digits(claim.value)}"
    found = {(kind, name): each for kind, every in metrics.items() for name, each in every.items()}
    right = {key: each["relative_error"] for key, each in found.items() if key not in failing}
    if right:
        kinds = {kind: sum(key[0] == kind for key in right) for kind in metrics}
        who = " and ".join(count(times, kind[:-1]) for kind, times in kinds.items())
        largest = in_digits(max(right.values()))
        text = f"Gradients at most {largest} (relative) from torch.autograd's: {who}"
        yield Sentence(text, True, "proofs")
    for (_, name), error in failing.items():
        yield Sentence(f"The gradient of {name} is wrong: {error}", False, "proofs")


def _of_tasks(metrics: Mapping[str, Metrics]) -> Iterator[Sentence]:
    close: dict[str, float] = {}
    for name, found in metrics.items():
        claim, section = claim_of_task(name, found), f"task-{name}"
        if claim.exactly:
            steps = int(claim.bound), int(claim.value or 0)
            numpy, torch = (f"diverged at step {step}" if step else "did not" for step in steps)
            who = f"both twins {numpy}" if claim.holds else f"NumPy {numpy}, PyTorch {torch}"
            yield Sentence(f"{name}: {who}", claim.holds, section)
        elif claim.value is None:
            yield Sentence(f"{name}: the twins are no finite distance apart", False, section)
        elif claim.holds:
            close[name] = claim.value
        else:
            text = f"{name}: the twins are {_times(claim.value)}, more than rounding explains"
            yield Sentence(text, False, section)
    if close:
        who = f"{count(len(close), 'task')} trained by both ({', '.join(close)})"
        text = f"No further apart than rounding explains: {who}, at most "
        text += _times(max(close.values()))
        yield Sentence(text, True, f"task-{next(iter(close))}")


def _times(radii: float) -> str:
    return f"{written(radii)} times as far apart as trainings that round otherwise"


def headline(claimed: Sequence[Sentence]) -> str:
    """All sentences in one."""
    failing = sum(not sentence.holds for sentence in claimed)
    if not claimed:
        return "Nothing has been proven."
    if failing:
        does = "does" if failing == 1 else "do"
        return f"{failing} of {count(len(claimed), 'proof')} {does} not hold."
    return "Everything that should be equal is equal."


def count(times: int, what: str) -> str:
    """A number of things: 1 task, 2 tasks."""
    return f"{times} {what}" if times == 1 else f"{times} {what}s"


def in_digits(value: float | None) -> str:
    """A number with two digits, or that there is none."""
    return "not a number" if value is None else written(value)


def _steps(found: Iterator[int]) -> str:
    steps = sorted(set(found))
    return f"{' or '.join(map(str, steps))} steps"
