"""What the report says of a task in words."""

from collections.abc import Mapping

from stages.figures.numbers import written
from stages.pages.verdict import count, in_digits
from stages.proofs.claims import Metrics


def repeated(metrics: Mapping[str, Metrics]) -> str:
    """What metrics/<task>/sweep.json says of the runs that torch repeated, empty if it did none."""
    found = metrics.get("drift", {})
    if not found.get("runs"):
        return ""
    runs = count(found["runs"], "run")
    test = f" and test losses {in_digits(found['test_loss'])}" if "test_loss" in found else ""
    return (
        f"Repeated in PyTorch: {runs} of these, with train losses at most "
        f"{in_digits(found.get('train_loss'))} (relative) apart{test}."
    )


def above_optimum(metrics: Metrics) -> str:
    """How close a linear model came to its optimum, empty where there is none to compare with."""
    optimum = metrics.get("least_squares", {})
    excess, loss = optimum.get("excess_loss"), optimum.get("test_loss")
    if excess is None:
        return ""
    tested = f", whose test loss is {written(loss, 3)}" if loss is not None else ""
    return (
        f"The train loss is {written(100 * excess)} % above that of the least-squares optimum"
        f"{tested}."
    )
