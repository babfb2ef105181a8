"""What the numbers in metrics/ have to be, and whether they are."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Metrics = Mapping[str, Any]

# How far the twins of a task may be apart, in radii of the cloud that rounding makes of a training.
CLOUD = 10.0

# How far apart gradients may be that differ by rounding alone, relative to their size.
BOUND = {"float64": 1e-12, "float32": 5e-4}


@dataclass(frozen=True)
class Claim:
    """That a number in a file of metrics is at most a bound, or exactly that one.

    file, key: where it is, metrics/<file>.json and its dotted key there
    value: the number, None where there is none
    step: the first at which something differs, where that is known
    """

    file: str
    key: str
    value: float | None
    bound: float = 0
    exactly: bool = True
    step: int | None = None

    @property
    def holds(self) -> bool:
        if self.value is None:
            return False
        return self.value == self.bound if self.exactly else self.value <= self.bound

    def __str__(self) -> str:
        """The claim in a line.

        >>> str(Claim("training", "SGD.ulp_ieee", 3, step=7))
        'metrics/training.json: SGD.ulp_ieee: must be 0, got 3; first at step 7'
        """
        rule = f"must be {'' if self.exactly else 'at most '}{self.bound}"
        got = "null" if self.value is None else self.value
        first = f"; first at step {self.step}" if self.step else ""
        return f"metrics/{self.file}.json: {self.key}: {rule}, got {got}{first}"


def claims_of_optimizers(metrics: Mapping[str, Metrics]) -> Iterator[Claim]:
    """That each is equal to its reference bit for bit.

    One of the user's own is also equal to itself, and every variant of it descends.
    """
    for name, found in metrics.items():
        own = is_own(found)
        for measure in ("ulp_ieee", "ulp_repeated", "ulp_runs"):
            if measure in found or (measure == "ulp_ieee" and not own):
                step = found.get("first_difference") if measure == "ulp_ieee" else None
                yield Claim("optimizers", f"{name}.{measure}", found.get(measure), step=step)
        if own:
            descending, variants = found.get("descending"), found["variants"]
            yield Claim("optimizers", f"{name}.descending", descending, bound=variants)


def is_own(found: Metrics) -> bool:
    """Whether the metrics are those of an optimizer of the user's own."""
    return "ulp_repeated" in found


def claims_of_training(metrics: Mapping[str, Metrics]) -> Iterator[Claim]:
    """That whole trainings are equal bit for bit."""
    for name, found in metrics.items():
        step = found.get("first_difference")
        yield Claim("training", f"{name}.ulp_ieee", found.get("ulp_ieee"), step=step)


def claims_of_gradients(metrics: Mapping[str, Mapping[str, Metrics]]) -> Iterator[Claim]:
    """That each gradient is that of torch.autograd, but for rounding."""
    for kind, every in metrics.items():
        for name, found in every.items():
            yield from _of_gradient("gradients", f"{kind}.{name}.", found)


def claims_of_model(task: str, metrics: Metrics) -> Iterator[Claim]:
    """That the gradient of a task's model is that of torch.autograd, but for rounding."""
    yield from _of_gradient(f"{task}/gradients", "", metrics)


def _of_gradient(file: str, place: str, found: Metrics) -> Iterator[Claim]:
    for measure, dtype in (("relative_error", "float64"), ("relative_error_float32", "float32")):
        yield Claim(file, place + measure, found.get(measure), BOUND[dtype], exactly=False)


def claim_of_task(task: str, metrics: Metrics) -> Claim:
    """That the twins of a task are as equal as rounding allows, or diverge at the same step."""
    numpy, torch = (metrics.get(twin, {}).get("diverged_step") for twin in ("numpy", "torch"))
    if numpy or torch:
        return Claim(task, "torch.diverged_step", torch, bound=numpy or 0)
    apart = metrics["drift"].get("cloud")
    return Claim(task, "drift.cloud", apart, CLOUD, exactly=False)


def say_what_fails(claims: Iterable[Claim]) -> None:
    """Prints a line for each claim that does not hold, to stderr."""
    for claim in claims:
        if not claim.holds:
            print(claim, file=sys.stderr)
