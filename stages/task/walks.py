"""rosenbrock.safetensors: the way of each optimizer over Rosenbrock's function, by both twins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from stages.task.files import TWINS, damaged, read_tensors, write_tensors

Walks = Mapping[str, Mapping[str, NDArray[Any]]]  # by optimizer and twin, (steps + 1, 2) each


def write_walks(path: Path, walks: Walks) -> None:
    """Writes the walks of the optimizers; that of a twin may be missing."""
    write_tensors(
        path,
        {f"{name}/{twin}": walk for name, twins in walks.items() for twin, walk in twins.items()},
    )


def read_walks(path: Path) -> Walks:
    """Reads the walks of the optimizers, in alphabetical order. Raises as `read_tensors` does."""
    tensors = read_tensors(path)
    names = sorted({key.partition("/")[0] for key in tensors}, key=str.casefold)
    if not names or not all(f"{name}/numpy" in tensors for name in names):
        raise damaged(path, "it has no walks")
    return {
        name: {twin: tensors[key] for twin in TWINS if (key := f"{name}/{twin}") in tensors}
        for name in names
    }
