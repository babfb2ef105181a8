"""The command line of a stage: `python -m stages.<name> <task>`."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from stages.params.errors import InputError, unknown
from stages.schema.parameters import Task, read_parameters


@contextmanager
def plain_errors() -> Iterator[None]:
    """The work of a stage: an error that the user can mend is its message and exit code 1."""
    if not gc.isenabled():  # by stages/__init__.py, while the stage was imported
        gc.freeze()
        gc.enable()
    try:
        yield
    except InputError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell reports for a command that Ctrl-C ended


def run(stage: Callable[[str, Task], None], arguments: Sequence[str] | None = None) -> None:
    """Calls `stage` with the name and the parameters of the task that the command line names."""
    with plain_errors():
        names = sys.argv[1:] if arguments is None else arguments
        tasks = read_parameters().tasks
        if len(names) != 1:
            raise InputError(
                f"one task is expected, got {len(names)}; tasks are {', '.join(tasks)}"
            )
        if names[0] not in tasks:
            raise InputError(f"{names[0]}: {unknown('task', names[0], tasks)}")
        stage(names[0], tasks[names[0]])
