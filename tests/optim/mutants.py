"""Mistakes in stages/optim, made one by one: is each of them found?

    PYTHONPATH=. python tests/optim/mutants.py [file...]

A mutant is one of the files with one change. Most are made here: an operator, a number, a function
or a condition is another one, two arguments change places, a statement is gone. Those of
mistakes.py misread a formula. A mutant is found if its classes leave torch's path in the replay
(replay.py), raise, or do not come to an end. Of those that are left `EXPLAINED` says why some
compute the same as the original; the others must fail the tests of their file. What does not is
printed, and counts as an error. test_mutants.py has the mistakes and a sample of the others.

Refusals with rules of their own are left out: the tests of each file have them.
"""

import ast
import multiprocessing
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent, indent
from typing import Any

from tests.optim.mistakes import MISTAKES
from tests.optim.replay import ROOT, SOURCES, Replay

# Each of these becomes each of the others in its line.
OPERATORS: list[tuple[type, ...]] = [
    *[(ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.Mod, ast.FloorDiv), (ast.Pow, ast.Mult)],
    *[(ast.BitAnd, ast.BitOr), (ast.RShift, ast.LShift), (ast.And, ast.Or), (ast.Eq, ast.NotEq)],
    *[(ast.Lt, ast.LtE, ast.GtE), (ast.Gt, ast.GtE, ast.LtE), (ast.Is, ast.IsNot)],
    *[(ast.In, ast.NotIn)],
]
NAMES = [
    *[("add", "subtract"), ("multiply", "divide"), ("maximum", "minimum"), ("max", "min")],
    *[("less", "less_equal", "greater"), ("greater", "greater_equal"), ("equal", "not_equal")],
    *[("any", "all"), ("sqrt", "square"), ("zeros", "ones"), ("zeros_like", "ones_like")],
    *[("beta1", "beta2"), ("_rest1", "_rest2"), ("_shrink", "_grow"), ("_smallest", "_largest")],
    *[("low", "high"), ("left", "right"), ("rows", "columns"), ("mu", "mu_next"), ("s", "y")],
    *[("step", "loss", "slope"), ("whole", "pairs"), ("eps1", "eps2"), ("m", "v"), ("_m", "_v")],
    *[("smallest", "largest"), ("d1", "d2"), ("before", "new")],
]
COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "equal", "not_equal", "max", "min", "dot"}
ROUNDING = {"rounded", "single", "to_bfloat16", "abs", "float"}  # their first argument will do


def others(one: Any, table: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [other for group in table if one in group for other in group if other != one]


@dataclass(frozen=True)
class Mutant:
    """A file with one change: the number of its line, the line before and after, all the text."""

    module: str
    number: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"stages/optim/{self.module}.py:{self.number}: {self.before} -> {self.after}"


def mutants(module: str) -> list[Mutant]:
    """All mutants of a file."""
    lines = SOURCES[module].encode().splitlines(keepends=True)  # as ast counts
    found = {}
    for part, text in changes(ast.parse(SOURCES[module])):
        first, last = part.lineno - 1, part.end_lineno - 1
        begin, end = lines[first][: part.col_offset], lines[last][part.end_col_offset :]
        changed = begin + text.encode() + end
        before, after = (
            " ".join(each.decode().split()) for each in (b"".join(lines[first : last + 1]), changed)
        )
        whole = b"".join([*lines[:first], changed, *lines[last + 1 :]]).decode()
        found[whole] = Mutant(module, part.lineno, before, after, whole)
    return list(found.values())


def mistakes(module: str) -> Iterator[Mutant]:
    """Those of mistakes.py in a file.

    The lines must be there exactly once, but for the indentation of all of them.
    """
    lines = SOURCES[module].splitlines()
    entries = MISTAKES[module].strip().split("\n\n") if module in MISTAKES else []
    for entry in entries:
        words, *marked = entry.split("\n")
        old = [line[2:] for line in marked if line.startswith("- ")]
        new = [line[2:] for line in marked if line.startswith("+ ")]
        assert len(marked) == len(old) + len(new), words
        places = [
            start
            for start in range(len(lines))
            if dedent("\n".join(lines[start : start + len(old)])) == "\n".join(old)
        ]
        assert len(places) == 1, f"{module}: {words}: {len(places)} places"
        (at,) = places
        inserted = indent("\n".join(new), lines[at][: -len(old[0])]).splitlines()
        whole = "\n".join([*lines[:at], *inserted, *lines[at + len(old) :], ""])
        yield Mutant(module, at + 1, words, "; ".join(new), whole)


def changes(tree: ast.AST) -> Iterator[tuple[Any, str]]:
    """The parts of a program that may change, and what each becomes.

    Not its documentation, types and refusals.
    """
    for part in ast.iter_child_nodes(tree):
        if is_left_out(part, tree):
            continue
        for changed in changed_parts(part):
            text = ast.unparse(changed)
            if text != ast.unparse(part):
                is_composed = isinstance(changed, ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp)
                yield part, f"({text})" if is_composed else text
        if isinstance(part, ast.If):
            yield from ((part.test, "True"), (part.test, "False"))
        yield from changes(part)


def is_left_out(part: ast.AST, parent: ast.AST) -> bool:
    match part:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.arg() | ast.JoinedStr():
            return True
        case ast.If(body=[*_, ast.Raise()]) | ast.Expr(value=ast.Constant()):
            return True
        case ast.FunctionDef(name=name) | ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            if "require" in name:
                return True
    match parent:
        case ast.FunctionDef(returns=returns, decorator_list=decorators):
            return part is returns or part in decorators
        case ast.AnnAssign(annotation=annotation):
            return part is annotation
        case ast.ClassDef(bases=bases, decorator_list=decorators):
            return part in [*bases, *decorators]
        case ast.Module():  # the names of types
            return isinstance(part, ast.Assign) and isinstance(part.value, ast.Subscript)
    return False


def changed_parts(part: ast.AST) -> Iterator[ast.AST]:
    match part:
        case ast.BinOp(left, op, right):
            for other in others(type(op), OPERATORS):
                yield ast.BinOp(left, other(), right)
            if not isinstance(op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
                yield ast.BinOp(right, op, left)
            match left, op:
                case ast.BinOp(a, ast.Mult(), b), ast.Mult() | ast.Div():
                    yield ast.BinOp(a, ast.Mult(), ast.BinOp(b, op, right))
                case ast.BinOp(a, ast.Add(), b), ast.Add():
                    yield ast.BinOp(a, op, ast.BinOp(b, op, right))
        case ast.AugAssign(target, op, value):
            for other in others(type(op), OPERATORS):
                yield ast.AugAssign(target, other(), value)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.Compare(left, [op], [right]):
            for other in others(type(op), OPERATORS):
                yield ast.Compare(left, [other()], [right])
        case ast.BoolOp(op, values):
            for other in others(type(op), OPERATORS):
                yield ast.BoolOp(other(), values)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(int(not value))
        case ast.Name(name, ast.Load()):
            for other in others(name, NAMES):
                yield ast.Name(other)
        case ast.Attribute(value, name, ast.Load()):
            for other in others(name, NAMES):
                yield ast.Attribute(value, other)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Call(function, arguments, keywords):
            name = ast.unparse(function).rpartition(".")[2]
            for at in range(1 if name in COMMUTATIVE else 0, len(arguments) - 1):
                swapped = [*arguments[:at], arguments[at + 1], arguments[at], *arguments[at + 2 :]]
                yield ast.Call(function, swapped, keywords)
            for keyword in keywords:
                yield ast.Call(function, arguments, [k for k in keywords if k is not keyword])
            if name in ROUNDING:
                yield arguments[0]
    if isinstance(part, ast.Expr | ast.Assign | ast.AugAssign | ast.Return | ast.Break):
        yield ast.Pass()


# ---------------------------------------------------------------------------------------- the run

STEPS = 60  # of each variant: the last mutant to be found is found at step 53
SECONDS = 8  # of its own; what takes longer does not come to an end

# What is found in the line of a mutant that computes the same as the original, and why it does, or
# where only it does not.
EXPLAINED = {
    r"(adafactor|muon|sparse_adam)\.py.*rounded\(": "NumPy rounds a number of Python's by itself",
    r"np\.ones_like\(param": "the first step overwrites it, with a weight of 1",
    r"strict=": "both are equally long",
    r"reshape\(.*-2": "any negative number stands for what is left over",
    # adafactor
    r"np\.finfo": "eps is a power of 2 in either dtype",
    r"abs\(values\.item": "item() is one of Python's floats",
    r"REGISTER = 33": "only the whole quotient counts",
    r"swapaxes": "the same two axes, or two of length 1",
    r"_ in range\(4\):": "a difference from a million rows on",
    r"if in_blocks == 0: -> |adafactor\.py:\d+: break": "without blocks all is added now or later",
    # arithmetic
    r"isinstance\(base": "`each` computes the same of a single number",
    r"if self\._some_near_end: -> if True": "nothing is copied where none is near its end",
    # elementwise
    r"CHUNK|if count|ndim else [02],|shape\[-0\]|return \[\.\.\.\] -> pass": (
        "chunks change no number, only the time"
    ),
    r"if self\.maximize or .*if True": "the direction is then the gradient",
    r"if index is not \.\.\.: -> if True": "an array at the index ... is that array",
    r"if self\.changed: -> if True": "what is prepared again is what it was",
    # asgd
    r"np\.min\(self\.t0\)\) (\+ 0|- 1)|t < self\._last_copy": "a mean with weight 1 is a copy, too",
    r"\(lr \* t\)": "η loses the last place of double precision",
    r"asgd\.py.*if True": "what is computed in vain is not used, and what is no copy not copied",
    # bfloat16
    r"left\[:, :pairs\], right\[:whole\]": "the rows of the right one say how far",
    r"len\(sums\) > 9": "their number is a power of 2",
    r"(pairs|whole) == 0: -> if (False|\w+ == 1)|\(left, right\) -> pass": (
        "the long way gives the same"
    ),
    r"bitwise_and\((LAST|KEPT), sums": "and is the same either way",
    # lbfgs
    r"-> (first_loss = )?loss = closure": "a closure returns one of Python's floats",
    r"range\(4\)\)$": "one more array than is needed",
    r">= 1e-10": "a curvature of exactly 1e-10",
    r"np\.empty_like\([sy]\)": "all have the same shape",
    r"SUFFICIENT_DECREASE \* \(": "in the last place of a bound",
    r"new\.slope > 0": "a slope of 0 is flat, and has been taken",
    r"cubic_minimum\((new, before|bracket\[1\], )": "it sorts its points",
    r"abs\(\((right|left|ends\[0\]|previous_loss) - |< \(?step - left": "the same size",
    r"<= SMALLEST_CHANGE|<= margin|abs\(step - right\) <=|a\.step >= b\.step": (
        "two results of several roundings are hardly ever equal"
    ),
    r"bracket\[low\]\.step\) > 0|new\.slope / ": "the same sign; a slope of 0 has been taken",
    # the others
    r"radam\.py.*if True": "where nothing is rectified nothing is written",
    r"radam\.py.*2 \* \(": "a product with 2 is exact",
    r"rmsprop\.py.*if True": "what is computed in vain is not used",
    r"rprop\.py.*np\.logical_not\(mask": "both arguments are the same array",
    r"sparse_adam\.py.*(size == 0|len\(rows\)|: return)": "where all differs nothing is added",
}


def explanation(mutant: Mutant) -> str | None:
    return next((each for each in EXPLAINED if re.search(each, str(mutant))), None)


def leaves_path(replay: Replay, mutant: Mutant) -> bool:
    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return replay.difference(mutant.module, mutant.text) is not None
    except Exception:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def fails_tests(mutant: Mutant) -> bool:
    """Whether the tests of the file fail in a copy of the project with the mutant."""
    with TemporaryDirectory() as folder:
        for part in ("stages", "tests"):
            shutil.copytree(ROOT / part, Path(folder, part))
        for part in ("pyproject.toml", "params.yaml"):
            shutil.copy(ROOT / part, folder)
        Path(folder, "stages", "optim", f"{mutant.module}.py").write_text(mutant.text)
        names = dict.fromkeys((mutant.module, "state", "bounds", "elementwise", "changes"))
        tests = [
            test for name in names if (ROOT / (test := f"tests/optim/test_{name}.py")).exists()
        ]
        command = [sys.executable, "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider"]
        return subprocess.run([*command, *tests], cwd=folder, capture_output=True).returncode != 0


def leaves_path_of_fork(mutant: Mutant) -> bool:
    return leaves_path(REPLAY, mutant)


def main(modules: list[str]) -> int:
    """Prints the mutants that survive; returns 1 if there are any, or what explains none."""
    global REPLAY
    REPLAY = Replay(STEPS)
    for module in modules:
        assert REPLAY.difference(module, SOURCES[module]) is None, module
    made = [mutant for m in modules for mutant in (*mutants(m), *mistakes(m))]
    with multiprocessing.get_context("fork").Pool(2) as pool:  # which hands REPLAY on
        found = pool.map(leaves_path_of_fork, made, chunksize=8)
        left = [mutant for mutant, is_found in zip(made, found, strict=True) if not is_found]
        unexplained = [mutant for mutant in left if explanation(mutant) is None]
        failed = pool.map(fails_tests, unexplained, chunksize=1)
    surviving = [mutant for mutant, fails in zip(unexplained, failed, strict=True) if not fails]
    used = {explanation(mutant) for mutant in left}
    unused = [each for each in EXPLAINED if each not in used and modules == MODULES]
    for line in [*surviving, *(f"explains no mutant: {each}" for each in unused)]:
        print(line)
    print(f"{'':12} {'mutants':>10} {'replay':>10} {'explained':>10} {'tests':>10} {'survive':>10}")
    for module in [*modules, "all"]:
        all_, left_, unexplained_, surviving_ = (
            sum(module in (mutant.module, "all") for mutant in group)
            for group in (made, left, unexplained, surviving)
        )
        counts = all_, all_ - left_, left_ - unexplained_, unexplained_ - surviving_, surviving_
        print(f"{module:12}", *(f"{count:10}" for count in counts))
    return bool(surviving or unused)


REPLAY: Replay  # of the process and those that it forks
MODULES = sorted(set(SOURCES) - {"__init__"})

if __name__ == "__main__":
    sys.exit(main([Path(name).stem for name in sys.argv[1:]] or MODULES))
