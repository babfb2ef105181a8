"""The arrays that an optimizer is given, and the refusal of those that it cannot work with."""

from typing import Any

import numpy as np

from stages.optim.arithmetic import Array


def require_arrays(parameters: Array, gradients: Array, before: Array | None = None) -> None:
    """Raises ValueError unless an optimizer can take a step with the arrays.

    Both must be float64 or float32 and of one shape. before: the parameters of an earlier step,
    None if this is the first
    """
    if not isinstance(parameters, np.ndarray) or parameters.dtype.char not in "df":
        raise ValueError(f"parameters must be a float64 or float32 array, got {kind(parameters)}")
    if not _alike(parameters, gradients):
        raise ValueError(
            f"gradients must be {kind(parameters)} like the parameters, got {kind(gradients)}"
        )
    if before is not None and not _alike(before, parameters):
        raise ValueError(
            f"parameters must be {kind(before)} as in the first step, got {kind(parameters)}"
        )


def require_elements(parameters: Array) -> None:
    """Raises ValueError for an array without elements."""
    if parameters.size == 0:
        raise ValueError(f"parameters must have elements, got {kind(parameters)}")


def _alike(one: Array, other: Array) -> bool:
    return isinstance(other, np.ndarray) and one.shape == other.shape and one.dtype == other.dtype


def kind(value: Any) -> str:
    """The dtype and shape of an array in words, or the type of anything else."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__
