"""Changed copies of stages.optim, and whether they leave torch's path: what other tests ask.

As a program, in a process of its own since torch chooses its kernels once, this file follows
torch's optimizers where the variants of params.yaml do not lead: arrays of other shapes, rows that
are named twice, averages.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from itertools import count
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import yaml

from stages.proofs.by_itself import paths_at_once
from stages.proofs.difference import ulp_differences
from stages.proofs.objective import columns_of, groups, objective
from stages.proofs.paths import train
from stages.reference.process import answer, start
from stages.task.checks import Case
from stages.task.hyperparameters import BUILT_IN
from stages.task.parameters import read_parameters

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {path.stem: path.read_text() for path in sorted((ROOT / "stages/optim").glob("*.py"))}
DTYPES = ("float64", "float32")

# --------------------------------------------------------------------- a changed copy of a package

PACKAGE = "changed_optim"


class _Changed(InspectLoader, MetaPathFinder):
    """Finds the modules of stages.optim under the name of another package, some with other text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = SOURCES | dict(texts)

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        return spec_from_loader(fullname, self, is_package=fullname == PACKAGE)

    def is_package(self, fullname: str) -> bool:
        return fullname == PACKAGE

    def get_source(self, fullname: str) -> str:
        return self._texts[fullname.partition(".")[2] or "__init__"]

    def get_code(self, fullname: str) -> CodeType:
        return _compiled(self.get_source(fullname))


@cache
def _compiled(text: str) -> CodeType:
    return compile(text.replace("stages.optim", PACKAGE), f"<{PACKAGE}>", "exec")


def load(texts: Mapping[str, str]) -> ModuleType:
    """A copy of the package stages.optim with these texts of modules, in place of the last copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    finder = _Changed(texts)
    sys.meta_path.insert(0, finder)
    try:
        return import_module(PACKAGE)
    finally:
        sys.meta_path.remove(finder)


@cache
def classes_with(module: str) -> tuple[str, ...]:
    """The names of the optimizers that a module has a part in, directly or not."""
    known = {kind.__name__ for kind in BUILT_IN}
    nodes = ast.parse(SOURCES[module]).body
    found = {node.name for node in nodes if isinstance(node, ast.ClassDef)} & known
    for user, text in SOURCES.items():
        if user != "__init__" and f"from stages.optim.{module} import" in text:
            found.update(classes_with(user))
    return tuple(kind.__name__ for kind in BUILT_IN if kind.__name__ in found)


# ------------------------------------------------------------------------- where no variant leads


@dataclass(frozen=True)
class Alone:
    """An optimizer of one array, and a few steps along random gradients.

    A hyperparameter that is a tuple is one for each row.
    """

    name: str
    hyperparameters: Mapping[str, Any]
    shape: tuple[int, ...]
    dtype: str

    def start(self) -> np.ndarray:
        return np.asarray(np.random.default_rng(0).normal(size=self.shape), self.dtype)

    def gradient(self, call: int) -> np.ndarray:
        random = np.random.default_rng(call)
        gradient = random.normal(size=self.shape) * random.integers(0, 4, self.shape)
        return np.asarray(gradient * (1, 10, 1e3, 1e-25)[call % 4], self.dtype)

    def rows(self, call: int) -> tuple[np.ndarray, np.ndarray]:
        """The indices of some rows, perhaps twice, and a gradient of each; none at every third."""
        random = np.random.default_rng(call)
        indices = random.integers(0, self.shape[0], 5 * (call % 3))
        values = random.normal(size=(len(indices), *self.shape[1:]))
        return indices, values.astype(self.dtype)

    def noise(self, call: int) -> tuple[float, np.ndarray]:
        """A loss and a gradient that no function has.

        They lead a line search into all of its branches, and are small whole numbers, so that much
        is equal that is compared.
        """
        random = np.random.default_rng(call)
        return float(random.integers(9)), random.integers(-2, 3, self.shape).astype(self.dtype)

    def path(self, package: ModuleType) -> Iterator[np.ndarray]:
        """By hand: the parameters after each step, and their average if there is one."""
        given = self.hyperparameters.items()
        arrays = {key: np.array(value) if type(value) is tuple else value for key, value in given}
        optimizer, parameters = getattr(package, self.name)(**arrays), self.start()
        gradients, calls = np.empty_like(parameters), count()

        def closure() -> float:
            loss, gradients[:] = self.noise(next(calls))
            return loss

        for step in range(STEPS_ALONE):
            if self.name == "LBFGS":
                optimizer(parameters, gradients, closure)
            elif self.name == "SparseAdam":
                optimizer(parameters, package.sparse_adam.Rows(*self.rows(step)))
            else:
                optimizer(parameters, self.gradient(step))
            yield parameters
            if self.name == "ASGD":
                yield optimizer.state["ax"]

    def torch_path(self) -> Iterator[np.ndarray]:
        """In torch, with a group for each row that has hyperparameters of its own."""
        import torch

        given = self.hyperparameters.items()
        of_rows = {key: value for key, value in given if type(value) is tuple}
        of_all = {key: value for key, value in given if key not in of_rows}

        def parts(array: np.ndarray) -> list[torch.Tensor]:
            return [torch.from_numpy(part) for part in (array if of_rows else [array])]

        parameters, calls = self.start(), count()
        tensors = [part.requires_grad_() for part in parts(parameters)]
        groups = [
            {"params": [tensor], **{key: values[row] for key, values in of_rows.items()}}
            for row, tensor in enumerate(tensors)
        ]
        optimizer = getattr(torch.optim, self.name)(groups, **of_all)

        def closure() -> float:
            loss, gradient = self.noise(next(calls))
            tensors[0].grad = torch.from_numpy(gradient)
            return loss

        for step in range(STEPS_ALONE):
            if self.name == "SparseAdam":
                indices, values = self.rows(step)
                tensors[0].grad = torch.sparse_coo_tensor(
                    indices[None], values, self.shape, check_invariants=True
                )
            else:
                for tensor, part in zip(tensors, parts(self.gradient(step)), strict=True):
                    tensor.grad = part
            optimizer.step(closure if self.name == "LBFGS" else None)
            yield parameters
            if self.name == "ASGD":
                yield np.reshape(
                    [optimizer.state[each]["ax"].numpy() for each in tensors], self.shape
                )


STEPS_ALONE = 6
WOLFE = {"line_search_fn": "strong_wolfe"}
ALONE = [
    Alone(name, hyperparameters, shape, dtype)
    for name, shapes, hyperparameters in (
        ("ASGD", [(50,)], {"lr": 0.1, "lambd": 0.3, "t0": 1}),
        ("ASGD", [(2, 50)], {"lr": 0.1, "t0": (-5.0, 2.0)}),
        ("ASGD", [(2, 50)], {"lr": 0.1, "t0": (1.0, 2.0)}),
        ("SGD", [()], {}),
        ("SparseAdam", [(4, 3), (4,)], {"lr": 0.1}),
        ("Adafactor", [(), (1,), (7,), (30,), (1, 5), (7, 3), (8, 3), (59, 2)], {"lr": 0.5}),
        ("Adafactor", [(2, 3, 4), (2, 40, 1), (2, 600, 2), (40, 1)], {"lr": 0.5}),
        ("Muon", [(1, 1), (5, 31), (16, 16), (30, 10), (100, 20)], {"lr": 0.1, "momentum": 0.5}),
        ("Muon", [(60, 400), (400, 60)], {"ns_steps": 1}),
        ("Muon", [(500, 200)], {"momentum": 1.6, "ns_steps": 0}),
        (
            "LBFGS",
            [(2,)],
            {"max_iter": 3, "max_eval": 9, "tolerance_grad": -1.0, "tolerance_change": -9.0},
        ),
        ("LBFGS", [(1,), (2,)], {"lr": 9.0, "tolerance_grad": 1.0, "tolerance_change": -1.0}),
        ("LBFGS", [(1,), (2,)], {"lr": 50.0, "tolerance_grad": -1.0, "tolerance_change": 1.0}),
        ("LBFGS", [(1,), (2,)], {"tolerance_grad": -1.0, "tolerance_change": 1.0}),
        ("LBFGS", [(1,), (2,), (3,)], {"max_eval": 4, **WOLFE}),
        ("LBFGS", [(1,), (4,)], {"max_iter": 90, "max_eval": 600, **WOLFE}),
        ("LBFGS", [(1,), (2,)], {"lr": 1e4, "max_iter": 90, **WOLFE}),
    )
    for shape in shapes
    for dtype in DTYPES
]


def torch_paths(*_: object) -> dict[str, np.ndarray]:
    """By number of ALONE."""
    from stages.reference.ieee import numpy_reductions, torch

    torch.backends.mkldnn.enabled = False  # whose order of sums depends on the processor
    with numpy_reductions():
        return {
            str(n): np.array([row.copy() for row in alone.torch_path()])
            for n, alone in enumerate(ALONE)
        }


# ----------------------------------------------------------------------------- whether it is found


class Replay:
    """torch's paths in the arithmetic of IEEE 754, which the package that is loaded must follow.

    steps: of each variant in params.yaml
    """

    def __init__(self, steps: int) -> None:
        parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
        parameters["checks"]["optimizers"]["steps"] = steps
        with TemporaryDirectory() as folder, chdir(folder):
            Path("params.yaml").write_text(yaml.safe_dump(parameters))
            copytree(ROOT / "stages/models", "stages/models")  # whose options params.yaml gives
            checks = read_parameters().checks.optimizers
            with (
                start("stages.proofs.paths_torch", "ieee", "ieee", {}) as variants,
                start("tests.optim.replay", "ieee", None, {}) as alone,
            ):
                self._paths, self._alone = variants.result(), alone.result()
        self.steps = steps
        self._cases = {n: _in_package(c) for n, c in enumerate(checks.cases()) if c.has_reference}
        self._terms = objective(checks.start, checks.samples, checks.steps, checks.seed)
        self._defaults = {kind.__name__: kind().values() for kind in BUILT_IN}

    def difference(self, module: str, text: str) -> str | None:
        """Where stages.optim with this text of a module first differs from torch, None if nowhere.

        An exception of the text is raised.
        """
        package = load({module: text})
        with np.errstate(all="ignore"):
            for name in classes_with(module):
                cases = {n: case for n, case in self._cases.items() if case.name == name}
                package.elementwise.CHUNK = 2**18
                found = (
                    self._defaults_differ(package, name)
                    or self._others_differ(package, name)
                    or self._variants_differ(cases)
                )
                if found:
                    return f"{name}: {found}"
                package.elementwise.CHUNK = 320  # bytes, which divide no row
                found = self._others_differ(package, name) or self._variants_at_once_differ(cases)
                if found:
                    return f"{name} in chunks: {found}"
        return None

    def _defaults_differ(self, package: ModuleType, name: str) -> str | None:
        parameters = inspect.signature(getattr(package, name)).parameters.values()
        same = {each.name: each.default for each in parameters} == self._defaults[name]
        return None if same else "defaults"

    def _variants_differ(self, cases: Mapping[int, Case]) -> str | None:
        for dtype in DTYPES:
            for group, part, columns in groups(cases, self._terms):
                walks = train(list(group.values()), part, dtype, self.steps)
                for step, rows in enumerate(walks):
                    for number, row in zip(group, rows, strict=True):
                        if _differ(row, self._paths[f"{number}/{dtype}"][step, columns]):
                            return f"step {step + 1}, {dtype}, {cases[number].variant}"
        return None

    def _variants_at_once_differ(self, cases: Mapping[int, Case]) -> str | None:
        """With one optimizer for all, which takes arrays of hyperparameters."""
        if any(case.scope != "element" for case in cases.values()):
            return None
        columns = columns_of(self._terms)["replay"]
        for dtype in DTYPES:
            found = paths_at_once(list(cases.values()), self._terms["replay"], dtype)
            for number, path in zip(cases, found, strict=True):
                if _differ(path, self._paths[f"{number}/{dtype}"][:, columns]):
                    return f"at once, {dtype}, {cases[number].variant}"
        return None

    def _others_differ(self, package: ModuleType, name: str) -> str | None:
        for number, alone in enumerate(ALONE):
            if alone.name == name:
                expected = self._alone[str(number)]
                for row, theirs in zip(alone.path(package), expected, strict=True):
                    if _differ(row, theirs):
                        return f"{alone.dtype} of shape {alone.shape}"
        return None


def _in_package(case: Case) -> Case:
    """The case with the class of the package that is loaded."""
    section = type(case.hyperparameters)
    by_hand = property(lambda _: f"{PACKAGE}.{case.name}")
    changed: Any = type(section.__name__, (section,), {"by_hand": by_hand})
    return replace(case, hyperparameters=changed(**case.hyperparameters.given()))


def _differ(left: np.ndarray, right: np.ndarray) -> bool:
    if left.tobytes() == right.tobytes():
        return False
    return bool(ulp_differences(np.atleast_1d(left), np.atleast_1d(right)).any())


if __name__ == "__main__":
    answer(torch_paths)
