"""dvc.lock is read and merged by entries, and keeps the lines in which DVC wrote it."""

import pytest
import yaml
from repository import ROOT

from stages.recovery.lock import merged, read_entries, written

TEXT = (ROOT / "dvc.lock").read_text()


def test_a_lock_is_written_as_it_was_read() -> None:
    entries = read_entries(TEXT)
    assert list(entries) == list(yaml.safe_load(TEXT)["stages"])
    assert written(entries) == TEXT
    for name, entry in entries.items():
        assert yaml.safe_load(entry) == {name: yaml.safe_load(TEXT)["stages"][name]}


def test_a_lock_without_entries() -> None:
    assert read_entries(written({})) == {}


@pytest.mark.parametrize("text", ["", "{}", "stages: {}\n", TEXT + "<<<<<<< HEAD\n", "[1"])
def test_what_is_not_a_lock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no YAML|not what DVC writes"):
        read_entries(text)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("1", "1", "1", "1"),
        ("1", "2", "1", "2"),
        ("1", "1", "2", "2"),
        ("1", "2", "3", "2"),
        ("1", None, "1", None),
        ("1", "1", None, None),
        ("1", None, "2", None),
        ("1", "2", None, "2"),
        (None, "2", None, "2"),
        (None, None, "2", "2"),
        (None, "2", "3", "2"),
    ],
)
def test_an_entry_is_as_the_side_has_it_that_changed_it(
    base: str | None, ours: str | None, theirs: str | None, expected: str | None
) -> None:
    sides = [{"stage": entry} if entry else {} for entry in (base, ours, theirs)]
    assert merged(*sides) == ({"stage": expected} if expected else {})
