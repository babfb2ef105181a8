"""Mends what a killed DVC left: `make repro` runs `python -m stages.recovery` first.

DVC writes dvc.lock and .dvc/tmp/rwlock in place. Killed at that moment it leaves an empty file, and
then refuses to run at all.
"""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from stages.task.command import plain_errors
from stages.task.errors import InputError

LOCK, RUNNING, IN_USE = Path("dvc.lock"), Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock")


def main() -> None:
    """Restores an unreadable dvc.lock from git and removes an unreadable rwlock, and says so.

    Does nothing while a DVC process runs here: the files may be half written because it writes
    them. Raises InputError if git has no dvc.lock to restore.
    """
    with _no_other_dvc() as alone:
        if alone and IN_USE.exists() and not _is_json(IN_USE):
            IN_USE.unlink()
            print(f"{IN_USE}: was left unreadable by a DVC that was killed: removed")
        if alone and LOCK.exists() and not _is_lock(LOCK):
            command = ["git", "checkout", "HEAD", "--", str(LOCK)]
            if subprocess.run(command, capture_output=True).returncode:
                raise InputError(
                    f"{LOCK}: was left unreadable by a DVC that was killed, and git has no "
                    "other: delete it, and every stage runs again"
                )
            print(f"{LOCK}: was left unreadable by a DVC that was killed: restored from git")


@contextmanager
def _no_other_dvc() -> Iterator[bool]:
    """Whether no DVC process holds its lock on this repository; until the end, none can."""
    if not RUNNING.parent.is_dir():
        yield True
        return
    with RUNNING.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except OSError:
            alone = False
        yield alone


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False


def _is_lock(path: Path) -> bool:
    try:
        content = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    return isinstance(content, dict) and bool(content.get("schema"))


if __name__ == "__main__":
    with plain_errors():
        main()
