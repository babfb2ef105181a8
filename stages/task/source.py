"""The section `data` of a task: where its samples come from, and how a table is to be read."""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from stages.task.errors import shown
from stages.task.section import Section, wrong
from stages.task.values import Flag, Seed, Text

TABLES = (".csv", ".tsv", ".txt", ".data", ".parquet")
KINDS = "must be a module (.py) or a table (.csv, .tsv, .txt, .data, each also .gz, or .parquet)"
MISSING_VALUES = ("na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>")


class Generator(Section):
    """Data that the function `generate` of a module makes."""

    source: Text
    options: dict[str, Any] = Field(default_factory=dict)
    seed: Seed


def _character(value: str) -> str:
    if len(value) != 1 or value in "\r\n":
        raise ValueError(f"must be one character, got {shown(value)}")
    return value


def _separator(value: str) -> str:
    if value in ("tab", "spaces"):
        return value
    try:
        return _character(value)
    except ValueError:
        raise ValueError(f"must be one character, tab or spaces; got {shown(value)}") from None


def _quote(value: str) -> str:
    try:
        return value if value == "none" else _character(value)
    except ValueError:
        raise ValueError(f"must be one character or none, got {shown(value)}") from None


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except (LookupError, ValueError):
        raise ValueError(
            f"must be an encoding that Python knows, such as utf-8, latin-1 or utf-16; "
            f"got {shown(value)}"
        ) from None
    return value


def _text(value: object) -> object:
    """The text of a number: a value that marks what is missing may be -999."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Names = Annotated[tuple[Text, ...], Field(description="a list of columns")]


class Notation(Section):
    """How the cells of a table are written, and which of its columns are no plain numbers.

    decimal, thousands: the signs in a number; thousands None for none
    units: what may stand before or after a number
    missing: what becomes of a sample that lacks a value
    missing_values: the texts in a cell that stand for no value, besides an empty one
    categories: the features that are one of several texts or numbers
    dates: the features that are dates, and the format of each, as for strptime; or iso
    """

    decimal: Literal[".", ","] = "."
    thousands: Annotated[Text, AfterValidator(_character)] | None = None
    units: tuple[Text, ...] = ()
    missing: Literal["refuse", "drop", "mean", "median"] = "refuse"
    missing_values: tuple[Annotated[Text, BeforeValidator(_text)], ...] = MISSING_VALUES
    categories: Names = ()
    dates: dict[Text, Text] = Field(default_factory=dict)

    @field_validator("thousands")
    @classmethod
    def _signs_differ(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands == info.data.get("decimal"):
            raise ValueError(f"must not be the decimal sign, got {shown(thousands)}")
        return thousands


class OwnTable(Notation):
    """Data that is in a table of the user's own.

    features: None for all columns but the target and those to ignore
    separator, header, comment, encoding, quote: of a table that is text
    """

    source: Text
    features: Names | None = None
    target: Text
    ignore: tuple[str, ...] = ()
    separator: Annotated[Text, AfterValidator(_separator)] | None = None
    header: Flag = True
    comment: Text | None = None
    encoding: Annotated[Text, AfterValidator(_encoding)] = "utf-8"
    quote: Annotated[Text, AfterValidator(_quote)] = '"'

    @property
    def suffix(self) -> str:
        """The kind of table: .parquet, or one that is text."""
        return _suffix(self.source)

    @field_validator("features")
    @classmethod
    def _features_differ(cls, features: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if features is None:
            return None
        if not features:
            raise ValueError("must name at least one column, got []")
        seen, repeated = set[str](), set[str]()
        for name in features:
            (repeated if name in seen else seen).add(name)
        if repeated:
            raise ValueError(f"must name each column once, got {', '.join(sorted(repeated))} again")
        return features

    @field_validator("target")
    @classmethod
    def _target_is_no_feature(cls, target: str, info: ValidationInfo) -> str:
        if target in (info.data.get("features") or ()):
            raise ValueError(f"must not be one of the features, got {shown(target)}")
        return target

    @field_validator("ignore")
    @classmethod
    def _only_what_could_be_a_feature(
        cls, ignore: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        if ignore and info.data.get("features"):
            raise ValueError("has no effect beside features, which names those to take")
        if (target := info.data.get("target")) in ignore:
            raise ValueError(f"must not have the target, got {shown(target)}")
        return ignore

    @field_validator("separator", "header", "comment", "encoding", "quote")
    @classmethod
    def _only_of_a_text(cls, value: object, info: ValidationInfo) -> object:
        if _suffix(info.data.get("source", "")) == ".parquet":
            raise ValueError(f"has no effect on parquet, got {shown(value)}")
        return value


def _suffix(source: str) -> str:
    """Which kind of file a source is; that of a text is the same if it is compressed."""
    suffixes = PurePath(source.lower()).suffixes[-2:]
    if suffixes[-1:] == [".gz"] and suffixes != [".parquet", ".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _source(value: object) -> Generator | OwnTable:
    if not isinstance(value, dict) or not isinstance(source := value.get("source", ""), str):
        return Generator.model_validate(value)
    if _suffix(source) in TABLES:
        return OwnTable.model_validate(value)
    if source and not source.endswith(".py"):
        # Of what kind the other keys should be is not known.
        raise wrong((("source",), f"{KINDS}, got {shown(source)}"))
    section = OwnTable if not source and "target" in value else Generator
    return section.model_validate(value)


Source = Annotated[
    Generator | OwnTable,
    BeforeValidator(_source),
    Field(description="a section with the keys source, options, seed or source, features, target"),
]
