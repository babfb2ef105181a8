"""Optimizers that are saved and go on: as if nothing had been, in ours and in torch's.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file hands states to and fro, and prints where the paths part.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import printed_by
from safetensors.numpy import load_file, save_file

from stages import optim
from stages.optim.sparse_adam import Rows
from stages.task.hyperparameters import BUILT_IN

VARIANTS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("SGD", {}, (7,)),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}, (7,)),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, (7,)),
    ("Adam", {"lr": 0.1}, (7,)),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}, (7,)),
    ("AdamW", {"lr": 0.1}, (7,)),
    ("AdamW", {"lr": 0.1, "amsgrad": True}, (7,)),
    ("Adamax", {"lr": 0.1}, (7,)),
    ("NAdam", {"lr": 0.1}, (7,)),
    ("RAdam", {"lr": 0.1}, (7,)),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}, (7,)),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5}, (7,)),
    ("Adadelta", {}, (7,)),
    ("RMSprop", {}, (7,)),
    ("RMSprop", {"momentum": 0.9, "centered": True}, (7,)),
    ("Rprop", {}, (7,)),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "t0": 4}, (7,)),
    ("Adafactor", {}, (5, 3)),
    ("Adafactor", {"weight_decay": 0.1}, (7,)),
    ("SparseAdam", {"lr": 0.1}, (5, 3)),
    ("Muon", {}, (5, 3)),
    ("LBFGS", {"max_iter": 3, "history_size": 4}, (7,)),
    ("LBFGS", {"max_iter": 3, "line_search_fn": "strong_wolfe"}, (7,)),
    ("LBFGS", {"max_iter": 1, "lr": 0.1}, (7,)),
]
DTYPES = ("float64", "float32")
STEPS = 24
SAVED = (0, 1, 5, 12)


class Walk:
    """The steps of an optimizer along the same gradients."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        random = np.random.default_rng(1)
        self.start = random.normal(size=shape).astype(dtype)
        self.gradients = random.normal(size=(STEPS, *shape)).astype(dtype)
        self._scale = np.linspace(0.3, 2, self.start.size).astype(dtype).reshape(shape)

    def rows(self, step: int) -> np.ndarray:
        return np.flatnonzero(np.random.default_rng(step).integers(0, 2, len(self.start)))

    def model(self, step: int, p: np.ndarray) -> tuple[float, np.ndarray]:
        off = p - self.gradients[step // 4]
        return float((self._scale * off * off).sum()), 2 * self._scale * off

    def take(self, optimizer: Any, p: np.ndarray, step: int) -> None:
        match type(optimizer).__name__:
            case "LBFGS":
                g = np.empty_like(p)

                def closure() -> float:
                    loss, g[:] = self.model(step, p)
                    return loss

                optimizer(p, g, closure)
            case "SparseAdam":
                rows = self.rows(step)
                optimizer(p, Rows(rows, self.gradients[step][rows]))
            case _:
                optimizer(p, self.gradients[step])

    def take_in_torch(self, optimizer: Any, theirs: Any, step: int) -> None:
        import torch

        def closure() -> float:
            loss, gradient = self.model(step, theirs.detach().numpy())
            theirs.grad = torch.from_numpy(gradient)
            return loss

        gradient = torch.from_numpy(self.gradients[step])
        if type(optimizer).__name__ == "SparseAdam":
            rows = torch.from_numpy(self.rows(step))
            gradient = torch.sparse_coo_tensor(
                rows[None], gradient[rows], theirs.shape, check_invariants=False
            )
        theirs.grad = gradient
        optimizer.step(closure if type(optimizer).__name__ == "LBFGS" else None)


def differences() -> Iterator[str]:
    from stages.reference.ieee import numpy_reductions, torch

    torch.set_num_threads(1)

    def new(name: str, variant: dict[str, Any], values: np.ndarray) -> Any:
        theirs = torch.tensor(values, requires_grad=True)
        return getattr(torch.optim, name)([theirs], **variant), theirs

    def of_torch(state: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """Our state as torch has it in its state_dict."""
        tensors: dict[str, Any] = {key: torch.tensor(value) for key, value in state.items()}
        if name == "SparseAdam":
            tensors["step"] = int(tensors["step"])
        if name == "LBFGS":
            lists = {key: list(tensors[key]) for key in ("old_dirs", "old_stps", "ro")}
            counts = {key: int(tensors[key]) for key in ("func_evals", "n_iter")}
            tensors |= lists | counts | {"t": float(tensors["t"])}
        return tensors

    def of_ours(state: dict[str, Any]) -> dict[str, np.ndarray]:
        """torch's state as plain arrays."""
        kept = {k: v for k, v in state.items() if k not in ("prev_loss", "al")}
        return {
            key: np.array([np.asarray(each) for each in value])
            if isinstance(value, list)
            else np.asarray(value)
            for key, value in kept.items()
        }

    with numpy_reductions(), np.errstate(all="ignore"):
        for name, variant, shape in VARIANTS:
            for dtype in DTYPES:
                for saved in SAVED[1:]:
                    walk = Walk(shape, dtype)
                    ours, p = getattr(optim, name)(**variant), walk.start.copy()
                    whole, theirs = new(name, variant, walk.start)
                    for step in range(saved):
                        walk.take(ours, p, step)
                        walk.take_in_torch(whole, theirs, step)
                    state, its = ours.state_dict(), whole.state_dict()
                    if name in ("SGD", "Muon") and not state:
                        assert not its["state"].get(0)
                        continue
                    assert set(state) <= set(its["state"][0])
                    assert set(its["state"][0]) <= {*state, "prev_loss", "al"}

                    resumed = getattr(optim, name)(**variant)
                    resumed.load_state_dict(of_ours(its["state"][0]))
                    again, p_again = new(name, variant, p)
                    again.load_state_dict({**its, "state": {0: of_torch(state, name)}})
                    torch_again, p_torch = new(name, variant, p)
                    torch_again.load_state_dict(deepcopy(its))
                    p_resumed = p.copy()
                    for step in range(saved, STEPS):
                        walk.take(resumed, p_resumed, step)
                        walk.take_in_torch(whole, theirs, step)
                        walk.take_in_torch(again, p_again, step)
                        walk.take_in_torch(torch_again, p_torch, step)
                        case = f"{name} {variant} {dtype}, saved at {saved}, step {step}"
                        if p_resumed.tobytes() != theirs.detach().numpy().tobytes():
                            yield f"torch's state in ours: {case}"
                            break
                        if p_again.detach().numpy().tobytes() != p_torch.detach().numpy().tobytes():
                            yield f"our state in torch's: {case}"
                            break


def test_states_go_to_torch_and_come_from_torch() -> None:
    assert printed_by(__file__) == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "variant", "shape"), VARIANTS)
def test_steps_saved_loaded_and_on_are_all_at_once(
    name: str, variant: dict[str, Any], shape: tuple[int, ...], dtype: str, tmp_path: Path
) -> None:
    walk = Walk(shape, dtype)
    whole, p = getattr(optim, name)(**variant), walk.start.copy()
    parts = {}
    for step in range(STEPS):
        if step in SAVED:
            save_file(whole.state_dict(), tmp_path / "state.safetensors")
            resumed = getattr(optim, name)(**variant)
            resumed.load_state_dict(load_file(tmp_path / "state.safetensors"))
            parts[step] = resumed, p.copy()
        walk.take(whole, p, step)
        for saved, (resumed, q) in parts.items():
            walk.take(resumed, q, step)
            assert q.tobytes() == p.tobytes(), f"saved at {saved}, step {step}"
    for key, array in whole.state_dict().items():
        for resumed, _ in parts.values():
            np.testing.assert_array_equal(resumed.state_dict()[key], array, err_msg=key)


SOME = np.array([0, 0.5, 0, 0.9])
FOUR = np.array([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("SGD", {"lr": FOUR, "momentum": SOME}),
        ("NAdam", {"betas": (FOUR, 0.9), "momentum_decay": FOUR}),
        ("ASGD", {"lr": FOUR, "lambd": FOUR, "t0": np.array([0.0, 3, 5, 50])}),
        ("RMSprop", {"momentum": SOME, "alpha": FOUR}),
    ],
)
def test_so_they_are_with_many_runs(name: str, variant: dict[str, Any]) -> None:
    walk = Walk((4, 5), "float64")
    whole, p = getattr(optim, name)(**variant), walk.start.copy()
    parts = []
    for step in range(STEPS):
        if step in (4, 9):
            whole.lr = FOUR[::-1]
            if name == "SGD":
                whole.momentum = SOME[::-1] if step == 9 else np.array([0, 0, 0.1, 0.9])
            hyperparameters = whole.values()
            resumed = getattr(optim, name)(**hyperparameters)
            resumed.load_state_dict(whole.state_dict())
            parts.append((resumed, p.copy()))
        walk.take(whole, p, step)
        for resumed, q in parts:
            if step == 9:
                resumed.lr = whole.lr
                if name == "SGD":
                    resumed.momentum = whole.momentum
            if step > 9:
                walk.take(resumed, q, step)
                assert q.tobytes() == p.tobytes()
            else:
                walk.take(resumed, q, step)


def test_a_state_is_a_copy() -> None:
    optimizer, p = optim.Adam(), np.ones(3)
    optimizer(p, np.ones(3))
    state = optimizer.state_dict()
    before = {name: array.copy() for name, array in state.items()}
    resumed = optim.Adam()
    resumed.load_state_dict(state)
    for each in (optimizer, resumed):
        each(p, np.ones(3))
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)


def test_a_state_that_waits_for_its_first_step_is_given_back() -> None:
    optimizer = optim.Adam()
    assert optimizer.state_dict() == {}
    optimizer(np.ones(3), np.ones(3))
    resumed = optim.Adam()
    resumed.load_state_dict(optimizer.state_dict())
    for name, array in optimizer.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"ax": np.ones(3)},
            "ax is not in the state of Adam, which has step, exp_avg, exp_avg_sq,",
        ),
        (
            {"exp_avg": np.ones(4)},
            "exp_avg must be float64 of shape (3,) for these parameters, got",
        ),
        ({"exp_avg": np.ones(3, np.float32)}, "exp_avg must be float64 of shape (3,) for these "),
        ({"exp_avg": None}, "the state of Adam must have exp_avg"),
        ({"step": None}, "the state of Adam must have step"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    optimizer = optim.Adam()
    optimizer(np.ones(3), np.ones(3))
    state = {**optimizer.state_dict(), **change}

    def go_on() -> None:
        optimizer.load_state_dict({k: v for k, v in state.items() if v is not None})
        optimizer(np.ones(3), np.ones(3))

    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        go_on()


def test_every_class_is_here() -> None:
    assert {name for name, *_ in VARIANTS} == {kind.__name__ for kind in BUILT_IN}


if __name__ == "__main__":
    print(json.dumps(list(differences())))
