"""A section of params.yaml: a pydantic model whose mistakes are reported in words."""

import sys
from types import NoneType
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from stages.task.errors import named, shown, unknown


class Section(BaseModel):
    """A part of params.yaml whose mistakes are reported in words."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def explain(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Puts pydantic's errors into words here, where the section they belong to is known."""
        try:
            return handler(value)
        except ValidationError as failure:
            errors = failure.errors(include_url=False)
            raise ValidationError.from_exception_data(
                cls.__name__, [_explained(cls, error) for error in errors]
            ) from None

    @classmethod
    def unknown_key(cls, key: object) -> str:
        """What is wrong with a key that the section does not have."""
        return unknown("key", key, _keys(cls))


def describe(failure: ValidationError, place: str) -> str:
    """The mistakes in a `Section`, one line each.

    place: what stands before a key, "params.yaml: " or "params.yaml: tasks.moons.data.options."
    """
    lines = []
    for error in failure.errors(include_url=False):
        keys = [f"[{key}]" if isinstance(key, int) else f".{named(key)}" for key in error["loc"]]
        name = "".join(keys).removeprefix(".")
        lines.append(f"{place}{name}: {error['msg']}" if name else f"{place}{error['msg']}")
    return "\n".join(lines)


Mistake = tuple[tuple[Any, ...], str]  # the keys to it, and what is wrong


def wrong(*mistakes: Mistake) -> ValidationError:
    """The error of a section whose mistakes are in words already."""
    details = [_detail(words, place, None) for place, words in mistakes]
    return ValidationError.from_exception_data("section", details)


def _detail(words: str, place: tuple[Any, ...], given: object) -> InitErrorDetails:
    error = PydanticCustomError("in_words", "{words}", {"words": words})
    return InitErrorDetails(type=error, loc=place, input=given)


def _explained(section: type[Section], error: ErrorDetails) -> InitErrorDetails:
    # An error of a section within this one is in words already.
    words = error["msg"] if error["type"] == "in_words" else _words(section, error)
    place = error["loc"]
    marked = place[-1:] == ("[key]",)  # by pydantic, where the mistake is in a key
    if marked or error["type"] == "invalid_key":
        # As a text, a key that is a number does not look like the index of a list.
        *outer, key = place[:-1] if marked else place
        place = (*outer, str(key))
    return _detail(words, place, error["input"])


def _words(section: type[Section], error: ErrorDetails) -> str:
    context, got = error.get("ctx", {}), shown(error["input"])
    fields = _keys(section)
    match error["type"]:
        case "extra_forbidden" | "invalid_key":
            return section.unknown_key(error["loc"][-1])
        case "missing":
            field = fields[str(error["loc"][0])]
            return f"is missing; expected {field.description or _expected(field.annotation)}"
        case "model_type":
            return f"must be {_expected(section)}, got {got}"
        case "value_error":
            return str(context["error"])
        case "literal_error":
            field = fields[str(error["loc"][0])]
            return f"must be {_expected(field.annotation)}; got {got}"
        case "greater_than":
            return f"must be greater than {context['gt']:.15g}, got {got}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:.15g}, got {got}"
        case "less_than":
            return f"must be less than {context['lt']:.15g}, got {got}"
        case "less_than_equal":
            return f"must be at most {context['le']:.15g}, got {got}"
        case "float_type" if type(error["input"]) is int:
            return f"must be at most {sys.float_info.max:g}, got {got}"
        case "too_short":
            least, length = context["min_length"], context["actual_length"]
            return f"must have {least} or more entries, got {length}"
        case "too_long":
            most, length = context["max_length"], context["actual_length"]
            return f"must have {most} or fewer entries, got {length}"
        case "string_type" if isinstance(error["input"], bool | int | float):
            return f"must be text, got {got}; in quotes it would be text: '{got}'"
        case "string_too_short":
            return "must not be empty"
    wanted = _TYPES.get(error["type"])
    return f"must be {wanted}, got {got}" if wanted else f"{error['msg']}, got {got}"


def _keys(section: type[Section]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


_TYPES = {
    "finite_number": "a finite number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}


def _expected(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return f"a section with the keys {', '.join(_keys(annotation))}"
    choices = [one for one in (annotation, *get_args(annotation)) if get_origin(one) is Literal]
    if choices:
        names = [str(name) for name in get_args(choices[0])]
        names += ["null"] if NoneType in get_args(annotation) else []
        return f"one of {', '.join(names)}"
    return "a value"
