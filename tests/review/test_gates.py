"""gates.yaml: what it says, its mistakes, and that it holds every metric that there is."""

import doctest
import json

import pytest
from repository import ROOT

from stages.review import gates as module
from stages.review.gates import Gate, gate_of, patterns_of, read_gates
from stages.review.revision import leaves
from stages.task.errors import InputError


def test_the_first_pattern_that_matches_is_the_gate() -> None:
    gates = {
        "a.json:x.loss": Gate(better="lower"),
        "*.json:*.loss": Gate(better="higher"),
        "*": Gate(),
    }
    assert gate_of("a.json:x.loss", gates).better == "lower"
    assert gate_of("b/c.json:y.z.loss", gates).better == "higher"
    assert gate_of("b/c.json:loss.y", gates).better is None
    assert gate_of("a.json:x.loss", dict(reversed(gates.items()))).better is None


def test_a_metric_without_a_gate_is_refused() -> None:
    with pytest.raises(InputError, match=r"^gates.yaml: no pattern matches a.json:x; add one$"):
        gate_of("a.json:x", {"a.json:y": Gate()})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {better: lower, absolut: 1}", "a.absolut: unknown key (did you mean absolute?)"),
        ("a: {better: less}", "a.better: must be one of lower, higher, same, null; got 'less'"),
        ("a: {}\nb: {relative: -1}", "b.relative: must be at least 0, got -1"),
        ("a: {absolute: much}", "a.absolute: must be a number, got 'much'"),
        ("a: {gate: stop}", "a.gate: must be one of fail, warn, none; got 'stop'"),
        (
            "a: 1",
            "a: must be a section with the keys better, absolute, relative, gate, removed, got 1",
        ),
        (
            "a: {removed: true, better: lower, gate: none}",
            "a.removed: must be the only key where it is true, got better, gate, too",
        ),
        ("- a", "must be a mapping from patterns to gates, got ['a']"),
        ("a: {}\na: {}", 'found duplicate key "a"'),
        ("a: [", "while parsing a flow node"),
    ],
)
def test_a_mistake_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as failure:
        read_gates(text, "branch: gates.yaml")
    assert str(failure.value).count("\n") == 0
    assert str(failure.value).startswith("branch: gates.yaml: ")
    assert message in str(failure.value)


def test_numbers_are_numbers_in_either_notation() -> None:
    gate = read_gates("a: {absolute: 1e-6, relative: 1.0e-6}")["a"]
    assert (gate.absolute, gate.relative) == (1e-6, 1e-6)


def test_every_metric_here_has_a_gate_and_every_gate_a_metric() -> None:
    gates = read_gates((ROOT / "gates.yaml").read_text())
    matched = set()
    for path in ROOT.glob("metrics/**/*.json"):
        for key, _ in leaves(json.loads(path.read_text())):
            gate = gate_of(f"{path.relative_to(ROOT).as_posix()}:{key}", gates)
            matched |= {pattern for pattern in gates if gates[pattern] is gate}
    assert matched == {pattern for pattern in gates if not gates[pattern].removed}


GONE = {"*.json:*": Gate(better="lower"), "moons.json:*": Gate(removed=True)}


def test_that_metrics_are_gone_can_be_meant_anywhere_in_the_file() -> None:
    assert gate_of("moons.json:loss", GONE, is_gone=True).removed
    assert gate_of("moons.json:loss", GONE).better == "lower"
    assert gate_of("blobs.json:loss", GONE, is_gone=True).better == "lower"


def test_a_gate_of_what_is_gone_is_none_of_what_is_there() -> None:
    with pytest.raises(InputError, match=r"no pattern matches moons.json:loss"):
        gate_of("moons.json:loss", {"moons.json:*": Gate(removed=True)})


@pytest.mark.parametrize(
    ("gone", "there", "patterns"),
    [
        ([], ["a.json:x"], []),
        (["a.json:x", "a.json:y.z", "a/b.json:x"], ["b.json:x"], ["a.json:*", "a/b.json:*"]),
        (["o.json:Lion.a", "o.json:Lion.b"], ["o.json:SGD.a"], ["o.json:Lion.*"]),
        (["o.json:Lion.a", "o.json:x"], ["o.json:Lion.b"], ["o.json:Lion.a", "o.json:x"]),
        (["o.json:[x]*.a"], ["o.json:x.a"], ["o.json:[[]x][*].*"]),
    ],
)
def test_the_patterns_of_what_is_gone(
    gone: list[str], there: list[str], patterns: list[str]
) -> None:
    assert patterns_of(gone, there) == patterns
    gates = {pattern: Gate(removed=True) for pattern in patterns} | {"*": Gate()}
    assert all(gate_of(metric, gates, is_gone=True).removed for metric in gone)


def test_its_examples() -> None:
    assert doctest.testmod(module).failed == 0
