"""What happens to files when the disk fails: nothing is lost, and everything is one line."""

import errno
import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from stages.figures.style import save
from stages.figures.tasks.animation import write_gif
from stages.pages.images import animation, image
from stages.sweeps.results import Runs, write_runs
from stages.task.curves import read_curves, write_curves
from stages.task.errors import InputError
from stages.task.files import (
    read_history,
    read_metrics,
    read_tensors,
    write_file,
    write_history,
    write_metrics,
    write_tensors,
)
from stages.task.table import Table, read_table, write_table
from stages.task.variants import Variant, read_variants, write_variants

NUMBERS = np.arange(200.0)
TABLE = Table(NUMBERS[:, None], NUMBERS, ["x"], "y")
RESULTS = {"train_loss": np.ones((1, 2)), "diverged": np.zeros((1, 2), np.int64)}
FRAMES = [np.full((40, 40, 4), value, np.uint8) for value in (0, 255)]
POINTS = [["sgd", 0.1, 1.0, 1.0, 1.0, 0.0]] * 20

WRITERS: dict[str, Callable[[Path], Any]] = {
    "html": lambda path: write_file(path, b"x" * 500),
    "safetensors": lambda path: write_tensors(path, {"a": NUMBERS}),
    "parquet": lambda path: write_table(path, TABLE),
    "runs": lambda path: write_runs(path, [Runs("sgd", {"lr": np.ones(1)}, RESULTS)], [1, 2]),
    "history": lambda path: write_history(path, {"step": NUMBERS.tolist()}),
    "curves": lambda path: write_curves(path, ["lr"], POINTS),
    "variants": lambda path: write_variants(path, [Variant("SGD", "lr", 0, 0, 0)] * 30),
    "json": lambda path: write_metrics(path, {str(n): n for n in range(50)}),
    "png": lambda path: save(Figure(figsize=(2, 2)), path),
    "gif": lambda path: write_gif(path, FRAMES, 10, 10),
}
READERS: dict[str, Callable[[Path], Any]] = {
    "safetensors": read_tensors,
    "parquet": read_table,
    "history": read_history,
    "curves": read_curves,
    "variants": read_variants,
    "json": read_metrics,
    "png": lambda path: image(path, "a picture"),
    "gif": lambda path: animation(path, "an animation"),
}


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can become larger than `size` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"as before")
    with full_disk(50), pytest.raises(OSError, match="File too large") as caught:
        WRITERS[kind](path)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"as before"
    WRITERS[kind](path)
    assert list(tmp_path.iterdir()) == [path]
    assert len(path.read_bytes()) > 50


@pytest.mark.parametrize("kind", WRITERS)
def test_where_nothing_can_be_written_the_error_names_the_file(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, _: bytes) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "write_bytes", read_only)
    path = tmp_path / "new" / "file"
    with pytest.raises(OSError, match="Read-only file system") as caught:
        WRITERS[kind](path)
    assert caught.value.filename == str(path)


def test_what_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def stopped(path: Path, content: bytes) -> int:
        write(path, content[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no such format", b"[]"])
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_file_is_one_line_that_says_how_to_mend_it(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        READERS[kind](path)
    pattern = re.escape(str(path)) + r": is damaged \(.+\); delete it, and dvc repro makes it anew"
    assert re.fullmatch(pattern, str(caught.value))


@pytest.mark.parametrize("kind", ["safetensors", "parquet", "gif"])
def test_half_a_file_is_damaged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    WRITERS[kind](path)
    READERS[kind](path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: is damaged"):
        READERS[kind](path)


@pytest.mark.parametrize("kind", READERS)
def test_a_folder_or_nothing_in_place_of_a_file_is_an_error_with_its_path(
    tmp_path: Path, kind: str
) -> None:
    for path, error in ((tmp_path, IsADirectoryError), (tmp_path / "none", FileNotFoundError)):
        with pytest.raises(error) as caught:
            READERS[kind](path)
        assert caught.value.filename == str(path)
