"""gates.yaml: what it says, its mistakes, and that it holds every metric that there is."""

import doctest
import json
from pathlib import Path

import pytest
from repository import ROOT

from stages.review import gates as module
from stages.review.gates import Gate, gate_of, read_gates
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
        ("a: 1", "a: must be a section with the keys better, absolute, relative, gate, got 1"),
        ("- a", "must be a mapping from patterns to gates, got ['a']"),
        ("a: {}\na: {}", 'found duplicate key "a"'),
        ("a: [", "while parsing a flow node"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as failure:
        read_gates(path)
    assert str(failure.value).count("\n") == 0
    assert str(failure.value).startswith(f"{path}: ")
    assert message in str(failure.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gates.yaml: not found; .*$"):
        read_gates(tmp_path / "gates.yaml")


def test_numbers_are_numbers_in_either_notation(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("a: {absolute: 1e-6, relative: 1.0e-6}")
    gate = read_gates(tmp_path / "gates.yaml")["a"]
    assert (gate.absolute, gate.relative) == (1e-6, 1e-6)


def test_every_metric_here_has_a_gate_and_every_gate_a_metric() -> None:
    gates = read_gates(ROOT / "gates.yaml")
    matched = set()
    for path in ROOT.glob("metrics/**/*.json"):
        for key, _ in leaves(json.loads(path.read_text())):
            gate = gate_of(f"{path.relative_to(ROOT).as_posix()}:{key}", gates)
            matched |= {pattern for pattern in gates if gates[pattern] is gate}
    assert matched == set(gates)


def test_its_examples() -> None:
    assert doctest.testmod(module).failed == 0
