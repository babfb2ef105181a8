"""params.yaml: its content, and single sections of it.

A stage reads only the sections that it uses, so that a change of any other runs nothing again.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter

from stages.task.errors import InputError

Kind = TypeVar("Kind")

FILE = "params.yaml"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice, where YAML's own would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is given twice", problem_mark=key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_content(path: str | Path = FILE) -> Any:
    """The content of the file, not validated yet. Raises InputError where it is no YAML."""
    try:
        return yaml.load(Path(path).read_bytes(), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this in the root of the project") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None


def refuse_mistakes(content: Any) -> None:
    """Raises InputError with a line for each mistake anywhere in the file.

    The schema of the whole file is imported by its name: no stage depends on it, since all that it
    can do to a stage is to refuse the file.
    """
    import_module("stages.task.parameters").validated(content, FILE)


def read_section(kind: type[Kind], *keys: str) -> Kind:
    """The section at the keys as a `kind`, of a file in which there are no mistakes."""
    content = read_content()
    for key in keys:
        content = content[key]
    return TypeAdapter(kind).validate_python(content)
