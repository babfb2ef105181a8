"""Arrays by name, as safetensors: models, snapshots, paths."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_tensors(path: Path, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes arrays by name as safetensors: a model in torch's state-dict names and shapes."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    # safetensors writes an array's memory as it lies and takes no notice of strides.
    save_file({name: np.asarray(array, order="C") for name, array in tensors.items()}, path)


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Reads the arrays of a safetensors file by name, in the order of the names."""
    from safetensors.numpy import load_file

    return dict(sorted(load_file(path).items()))
