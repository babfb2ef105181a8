"""See stages/graph/operations/embedding.py."""

from collections.abc import Callable
from typing import Any

from torch.nn import functional

EMBEDDING: dict[str, Callable[..., Any]] = {
    "embedding": lambda tokens, weight: functional.embedding(tokens.round().long(), weight),
}
