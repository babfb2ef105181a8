"""Mends what DVC cannot go on with: `make repro` runs `python -m stages.recovery` first.

DVC writes dvc.lock and .dvc/tmp/rwlock in place. Killed at that moment it leaves a part of a file,
or nothing, and then refuses to run at all. It also takes a process for its own that has ended, if
its parent has not noticed yet or another has its number by now. It refuses a dvc.lock with a
conflict, too. And it never forgets a stage that is gone, though the report depends on all files in
metrics/ and plots/.
"""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import psutil
import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from stages.recovery.gone import Pipeline
from stages.recovery.lock import merged, read_entries, written
from stages.task.command import plain_errors
from stages.task.errors import InputError
from stages.task.files import write_file

LOCK, RUNNING, IN_USE = Path("dvc.lock"), Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock")
BASE, OURS, THEIRS = "1", "2", "3"  # as git counts the versions of a file with a conflict


def main() -> None:
    """Does what can be done without running a stage, and says so.

    Removes an rwlock that nobody holds; merges a dvc.lock with a conflict and restores an
    unreadable one from git; drops what stages that are gone left in dvc.lock, metrics/ and plots/.

    Does nothing while a DVC process runs here: the files may be half written because it writes
    them. Raises InputError if git has no dvc.lock to restore.
    """
    with _no_other_dvc() as alone:
        if not alone:
            return
        if IN_USE.exists() and _is_left_behind(IN_USE.read_bytes()):
            IN_USE.unlink()
            print(f"{IN_USE}: was left by a DVC that was killed: removed")
        if LOCK.exists() and not _is_lock(LOCK.read_bytes()) and not _merge():
            _restore()
        _drop_what_is_gone()


def _merge() -> bool:
    """Merges dvc.lock entry by entry if it has a conflict; whether it had one."""
    listed = _git("ls-files", "--unmerged", "--", str(LOCK))
    versions = {
        stage: _git("cat-file", "blob", blob)
        for _, blob, stage, _ in map(str.split, listed.splitlines())
    }
    if not {OURS, THEIRS} <= versions.keys():
        return False
    try:
        sides = [read_entries(versions.get(stage, written({}))) for stage in (BASE, OURS, THEIRS)]
    except ValueError:
        return False
    write_file(LOCK, written(merged(*sides)).encode())
    print(f"{LOCK}: had a conflict: each stage is as the side has it that changed it")
    return True


def _restore() -> None:
    """Takes dvc.lock from the last commit. Raises InputError if it is not there, or as bad."""
    committed = _git("show", f"HEAD:./{LOCK}")
    if not _is_lock(committed):
        raise InputError(
            f"{LOCK}: was left unreadable by a DVC that was killed, and git has no other: delete "
            "it; what ran before is still in DVC's cache"
        )
    write_file(LOCK, committed.encode())
    print(f"{LOCK}: was left unreadable by a DVC that was killed: restored from git")


def _drop_what_is_gone() -> None:
    """Drops entries in dvc.lock, and metrics and plots, of stages that there no longer are."""
    try:
        pipeline = Pipeline()
    except (LookupError, TypeError, AttributeError, OSError, yaml.YAMLError):
        return  # what is wrong with params.yaml the stages say, and with dvc.yaml DVC
    _drop_entries(pipeline)
    for path in pipeline.left_behind():
        path.unlink()
        with suppress(OSError):  # others are in it
            path.parent.rmdir()
        print(f"{path}: no stage writes it any more: removed")


def _drop_entries(pipeline: Pipeline) -> None:
    try:
        entries = read_entries(LOCK.read_text())
    except (FileNotFoundError, ValueError):
        return
    kept = {name: entry for name, entry in entries.items() if not pipeline.is_gone(name)}
    if len(kept) < len(entries):
        write_file(LOCK, written(kept).encode())
        gone = ", ".join(name for name in entries if name not in kept)
        print(f"{LOCK}: stages that are gone are dropped: {gone}")


def _git(*command: str) -> str:
    """What git prints, nothing where it fails."""
    return subprocess.run(["git", *command], capture_output=True, text=True).stdout


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


def _is_left_behind(rwlock: bytes) -> bool:
    """Whether it is unreadable, or names processes none of which still runs."""
    try:
        content = json.loads(rwlock)
        writers, readers = (content.get(mode, {}).values() for mode in ("write", "read"))
        holders = [(int(each["pid"]), str(each["cmd"])) for each in (*writers, *chain(*readers))]
    except (ValueError, TypeError, AttributeError, KeyError):
        return True
    return bool(holders) and not any(_runs(*holder) for holder in holders)


def _runs(pid: int, command: str) -> bool:
    """Whether the process still is the one with that command: DVC writes its sys.argv."""
    try:
        process = psutil.Process(pid)
        arguments = " ".join(command.split()[1:])
        return process.status() != psutil.STATUS_ZOMBIE and " ".join(process.cmdline()).endswith(
            arguments
        )
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _is_lock(content: bytes | str) -> bool:
    """Whether DVC accepts it; a part of a dvc.lock often still is YAML."""
    try:
        parsed = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        COMPILED_LOCKFILE_SCHEMA(parsed)
    except (yaml.YAMLError, UnicodeDecodeError, Invalid):
        return False
    return bool(parsed)


if __name__ == "__main__":
    with plain_errors():
        main()
