"""What a user did wrong, in words."""

from collections.abc import Iterable


class InputError(Exception):
    """Bad input.

    Its text is what the user reads: for each problem one line that says where it is, what is there,
    and what would be right.
    """


def unknown(kind: str, name: object, valid: Iterable[str]) -> str:
    """Says that `name` is not one of the `valid` names, and which of them may have been meant."""
    valid = list(valid)
    names = ", ".join(valid) or "none"
    return f"unknown {kind}{did_you_mean(name, valid)}; valid {kind}s are {names}"


def did_you_mean(name: object, valid: Iterable[str], most: int = 1) -> str:
    """The question whether one of the `most` similar `valid` names was meant, if one is similar."""
    from difflib import get_close_matches

    close = get_close_matches(str(name), valid, n=most)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def named(key: object) -> str:
    """A key as a message shows it: as it is, but within one line."""
    text = str(key)
    return text if text.isprintable() and len(text) <= 60 else shown(text)


def shown(value: object) -> str:
    """A value as a message shows it: short, and text in quotes."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
