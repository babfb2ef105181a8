"""What a stage is called with: its command line, and the sections of params.yaml that it asks for.

A stage reads only the sections that it uses, so that a change of any other runs nothing again.
"""

import gc
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from pydantic import TypeAdapter

from stages.task.errors import InputError, unknown
from stages.task.files import PARAMETERS, read_content

Kind = TypeVar("Kind")


def refuse_mistakes(content: Any) -> None:
    """Raises InputError with a line for each mistake anywhere in the file.

    The schema of the whole file is imported by its name: no stage depends on it, since all that it
    can do to a stage is to refuse the file.
    """
    import_module("stages.task.parameters").validated(content, PARAMETERS)


def read_section(kind: type[Kind], *keys: str) -> Kind:
    """The section at the keys as a `kind`, of a file in which there are no mistakes."""
    content = read_content()
    for key in keys:
        content = content[key]
    return TypeAdapter(kind).validate_python(content)


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
    except MemoryError as error:
        sys.exit(f"{str(error) or 'out of memory'}: smaller sizes in {PARAMETERS} need less")
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell reports for a command that Ctrl-C ended


def run(main: Callable[..., None], arguments: Sequence[str] | None = None) -> None:
    """Calls the function of a stage with the sections of params.yaml that it asks for.

    A parameter `task` is the name on the command line. Each of the others is a section, which its
    annotation validates: that of its name in the task, or in `checks` for a stage without a task,
    or else of the whole file.
    """
    with plain_errors():
        names = sys.argv[1:] if arguments is None else arguments
        content = read_content()
        refuse_mistakes(content)
        parameters = dict(inspect.signature(main, eval_str=True).parameters)
        given: dict[str, Any] = {}
        scope = content["checks"]
        if parameters.pop("task", None):
            given["task"] = _task(names, content["tasks"])
            scope = content["tasks"][given["task"]]
        for name, parameter in parameters.items():
            section = scope[name] if name in scope else content[name]
            given[name] = TypeAdapter(parameter.annotation).validate_python(section)
        main(**given)


def _task(names: Sequence[str], tasks: Mapping[str, object]) -> str:
    if len(names) != 1:
        raise InputError(f"one task is expected, got {len(names)}; tasks are {', '.join(tasks)}")
    if names[0] not in tasks:
        raise InputError(f"{names[0]}: {unknown('task', names[0], tasks)}")
    return names[0]
