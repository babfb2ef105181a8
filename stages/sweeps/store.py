"""Finished blocks on disk, so that a sweep that was killed continues where it was."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from stages.sweeps.blocks import Block
from stages.task.files import write_file
from stages.task.model import Model
from stages.task.training import Training

Values = NDArray[Any]

# The code that decides what becomes of a run.
PACKAGES = ("graph", "models", "optim", "own", "sweeps", "task", "training")
STAGES = Path(__file__).parents[1]


class Store:
    """A folder with a file for each finished block.

    The name of a file is a hash of everything its content depends on: the block, the model and its
    training, the samples, the code, NumPy's version and its kernels. So no result is mistaken for
    another. The content begins with its own hash, by which a damaged file is recognized.

    samples: the files with the train and the test table
    """

    def __init__(
        self, folder: Path, model: Model, training: Training, samples: Sequence[Path]
    ) -> None:
        code = sorted(path for name in PACKAGES for path in (STAGES / name).rglob("*.py"))
        # A block has a seed of its own, and keeps no snapshots.
        trained = training.model_dump(exclude={"seed", "snapshots"})
        self._folder = folder
        numpy = [np.__version__, os.environ.get("KERNELS")]
        self._shared = hashlib.sha256(json.dumps([model.model_dump(), trained, numpy]).encode())
        for path in [*code, Path(model.source), *samples]:
            self._shared.update(hashlib.sha256(path.read_bytes()).digest())

    def path(self, block: Block) -> Path:
        """The path of the block's file."""
        digest = self._shared.copy()
        described = [block.kind.__name__, dict(block.fixed), block.seed]
        points = {name: values.tolist() for name, values in block.points.items()}
        digest.update(json.dumps([described, points], sort_keys=True).encode())
        return self._folder / digest.hexdigest()

    def read(self, block: Block) -> Mapping[str, Values] | None:
        """The results of the block, None if it is not finished or its file is damaged."""
        try:
            content = self.path(block).read_bytes()
        except FileNotFoundError:
            return None
        digest, results = content[:32], content[32:]
        return load(results) if hashlib.sha256(results).digest() == digest else None

    def write(self, block: Block, results: Mapping[str, Values]) -> None:
        """Keeps the results of a block: all of them, or, if that fails or is stopped, nothing.

        Raises OSError with the name of the file.
        """
        content = save(dict(results))
        write_file(self.path(block), hashlib.sha256(content).digest() + content)

    def keep_only(self, blocks: Sequence[Block]) -> None:
        """Deletes all files that belong to none of the blocks; folders stay."""
        kept = {self.path(block) for block in blocks}
        for path in self._folder.iterdir():
            if path not in kept and not path.is_dir():
                path.unlink()
