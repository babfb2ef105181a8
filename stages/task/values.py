"""The kinds of values in params.yaml, and what of them is valid."""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BeforeValidator, Field, Strict

from stages.task.errors import shown


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


def count_or_fraction(value: object) -> object:
    """A whole number of at least 0, or a fraction between 0 and 1; raises ValueError."""
    value = parsed(value)
    if _is_count(value, 0) or (isinstance(value, float) and 0 < value < 1):
        return value
    raise ValueError(
        f"must be a whole number of at least 0, or a fraction between 0 and 1; got {shown(value)}"
    )


def count_or_full(value: object) -> object:
    """A whole number of at least 1, or "full"; raises ValueError."""
    value = parsed(value)
    if _is_count(value, 1) or value == "full":
        return value
    raise ValueError(f"must be a whole number of at least 1, or full; got {shown(value)}")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


Numeric = BeforeValidator(parsed)
Flag = Annotated[bool, Strict(), Field(description="true or false")]
Text = Annotated[str, MinLen(1), Field(description="a text")]
Count = Annotated[int, Strict(), Ge(1), Numeric, Field(description="a whole number of at least 1")]
Moments = Annotated[
    int, Strict(), Ge(2), Numeric, Field(description="a whole number of at least 2")
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
