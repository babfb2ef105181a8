"""See stages/graph/operations/modes.py."""

from collections.abc import Callable
from typing import Any

MODES: dict[str, Callable[..., Any]] = {
    "choose": lambda training, evaluation, updates: evaluation,  # gradients are those of .eval()
}
