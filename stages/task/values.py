"""The kinds of values in params.yaml, and what of them is valid."""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BeforeValidator, Field, Strict

from stages.task.errors import shown

# Bounds beyond which no machine would get to the end. What a stage cannot hold below them, it says
# with the size of the array (see stages/task/command.py).
MOST = 10**9  # of anything: as numbers they take 8 GB, as the shortest of steps hours
MOST_FRAMES = 10**5  # of the animation, which take 0.8 MB each: 80 GB
MOST_STEPS = 10**7  # whose parameters are all kept: 0.6 kB a step and training, 6 GB


def parsed(value: object) -> object:
    """A number for a text that is one, an integer for a whole number, anything else as it is.

    `dvc exp run -S lr=1e-5` writes `1e-05`, which YAML 1.1 reads as a text, and `-S epochs=1e2`
    writes `100.0`.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    # Below 2**53 every whole float is exactly one integer.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def whole(value: object) -> object:
    """As `parsed`, but an integer for every whole number, so that 1e30 is one that is too large."""
    value = parsed(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def count_or_fraction(value: object) -> object:
    """A whole number of at least 0, or a fraction between 0 and 1; raises ValueError."""
    value = whole(value)
    if _is_count(value, 0) or (isinstance(value, float) and 0 < value < 1):
        return value
    raise ValueError(
        f"must be a whole number of at least 0, or a fraction between 0 and 1; got {shown(value)}"
    )


def count_or_full(value: object) -> object:
    """A whole number of at least 1, or "full"; raises ValueError."""
    value = whole(value)
    if _is_count(value, 1) or value == "full":
        return value
    raise ValueError(f"must be a whole number of at least 1, or full; got {shown(value)}")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


Numeric = BeforeValidator(parsed)
Whole = BeforeValidator(whole)
Flag = Annotated[bool, Strict(), Field(description="true or false")]
Text = Annotated[str, MinLen(1), Field(description="a text")]
Count = Annotated[
    int, Strict(), Ge(1), Le(MOST), Whole, Field(description="a whole number of at least 1")
]
Steps = Annotated[
    int, Strict(), Ge(1), Le(MOST_STEPS), Whole, Field(description="a whole number of at least 1")
]
Moments = Annotated[
    int, Strict(), Ge(2), Le(MOST_FRAMES), Whole, Field(description="a whole number of at least 2")
]
Step = Annotated[
    float,
    Strict(),
    Gt(0),
    Le(0.1),
    Numeric,
    Field(description="a number greater than 0 and at most 0.1"),
]
Seed = Annotated[int, Strict(), Ge(0), Numeric, Field(description="a whole number of at least 0")]
Number = Annotated[float, Strict(), Numeric, Field(description="a number")]
Positive = Annotated[float, Strict(), Gt(0), Numeric, Field(description="a number greater than 0")]
NotNegative = Annotated[
    float, Strict(), Ge(0), Numeric, Field(description="a number of at least 0")
]
DecayRate = Annotated[float, Strict(), Ge(0), Lt(1), Numeric]
