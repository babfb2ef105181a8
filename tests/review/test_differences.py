"""What differs between two mappings."""

import doctest

from stages.review import differences as module
from stages.review.differences import MISSING, differences, sections


def test_differences() -> None:
    old = {"same": 1, "changed": 1, "gone": None, "null": None}
    new = {"new": None, "null": 0, "same": 1, "changed": 2}
    assert differences(old, new) == [
        ("new", MISSING, None),
        ("null", None, 0),
        ("changed", 1, 2),
        ("gone", None, MISSING),
    ]


def test_a_section_of_one_side_is_one_difference() -> None:
    old = {"tasks.a.lr": 1, "tasks.a.sizes": 2, "tasks.gone.lr": 3, "tasks.gone.x.y": 4, "top": 5}
    new = {"tasks.a.lr": 1, "tasks.a.momentum": 6, "tasks.ab.lr": 7, "own.x": 8, "own.y": 9}
    assert sections(old, new) == [
        ("tasks.a.momentum", MISSING, 6),
        ("tasks.ab", MISSING, {"lr": 7}),
        ("own", MISSING, {"x": 8, "y": 9}),
        ("tasks.a.sizes", 2, MISSING),
        ("tasks.gone", {"lr": 3, "x.y": 4}, MISSING),
        ("top", 5, MISSING),
    ]


def test_a_large_section_is_one_for_each_section_in_it() -> None:
    task = {"a.data.source": "x", "a.data.seed": 1, "a.model.y.z": 2, "a.optimizer": "sgd"}
    rows = [
        ("a.data", {"source": "x", "seed": 1}),
        ("a.model", {"y.z": 2}),
        ("a.optimizer", "sgd"),
    ]
    assert sections({}, task, most=3) == [(key, MISSING, values) for key, values in rows]
    assert sections(task, {}, most=3) == [(key, values, MISSING) for key, values in rows]
    (whole,) = sections({}, task, most=4)
    assert whole.key == "a"


def test_a_value_that_became_a_section() -> None:
    assert sections({"lr": 1}, {"lr.log": 2, "lr.points": 3}) == [
        ("lr.log", MISSING, 2),
        ("lr.points", MISSING, 3),
        ("lr", 1, MISSING),
    ]


def test_its_examples() -> None:
    assert doctest.testmod(module).failed == 0
