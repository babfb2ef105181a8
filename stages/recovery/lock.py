"""dvc.lock, an entry for each stage, read, merged and written in the lines that DVC wrote."""

import re
from collections.abc import Mapping

import yaml

Entries = Mapping[str, str]  # the lines of each entry, by the name of its stage

BEGINNING = "schema: '2.0'\nstages:"


def read_entries(text: str) -> dict[str, str]:
    """The entries of a dvc.lock. Raises ValueError if that is not what the text is."""
    try:
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        raise ValueError("no YAML") from None
    beginning, *entries = re.split(r"^(?=  \S)", text, flags=re.MULTILINE)
    names = list(content.get("stages") or ()) if isinstance(content, dict) else []
    if not beginning.startswith(BEGINNING) or len(names) != len(entries):
        raise ValueError("not what DVC writes")
    return dict(zip(names, entries, strict=True))


def written(entries: Entries) -> str:
    """The dvc.lock that has the entries."""
    return BEGINNING + ("\n" + "".join(entries.values()) if entries else " {}\n")


def merged(base: Entries, ours: Entries, theirs: Entries) -> dict[str, str]:
    """The entries with the changes of both sides; ours where both changed the same one.

    An entry is only a record: DVC compares it with the files and runs again what does not agree.
    """
    chosen = {
        name: (theirs if ours.get(name) == base.get(name) else ours).get(name)
        for name in {**ours, **theirs}
    }
    return {name: entry for name, entry in chosen.items() if entry is not None}
