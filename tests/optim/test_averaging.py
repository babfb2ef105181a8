"""Averages beside torch.optim.swa_utils.AveragedModel, bit for bit.

As a program, in a process of its own since torch must be told its kernels before it is imported,
this file averages by both, and prints where they differ.
"""

import json
import re
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages.optim import arithmetic, averaging
from stages.optim.averaging import EMA, SWA

DTYPES = ("float64", "float32")
DECAYS = (0.999, 0.9, 0.5, 0.3, 0.0, 1.0)
COUNT = 50


def points(dtype: str, steps: int = 20) -> np.ndarray:
    random = np.random.default_rng(1)
    return (random.normal(size=(steps, COUNT)) * 10.0 ** random.integers(-9, 9, COUNT)).astype(
        dtype
    )


def differences() -> dict[str, str | None]:
    import stages.reference.ieee  # isort: skip  # chooses torch's kernels  # noqa: F401
    import torch
    from torch.optim import swa_utils

    def path(average: Any, dtype: str, **arguments: Any) -> str | None:
        class Model(torch.nn.Module):
            def __init__(self, values: np.ndarray) -> None:
                super().__init__()
                self.p = torch.nn.Parameter(torch.from_numpy(values.copy()))

        walk = points(dtype)
        theirs = swa_utils.AveragedModel(Model(walk[0]), **arguments)
        for step, p in enumerate(walk):
            average(p)
            theirs.update_parameters(Model(p))
            if average.average.tobytes() != theirs.module.p.detach().numpy().tobytes():
                return f"step {step}"
            assert average.n_averaged == theirs.n_averaged
        return None

    found = {}
    for dtype in DTYPES:
        found[f"SWA by default {dtype}"] = path(SWA(), dtype)
        for lerp in (True, False):
            key = "multi_avg_fn" if lerp else "avg_fn"
            name = f"get_{{}}_{key}"
            swa = getattr(swa_utils, name.format("swa"))()
            found[f"SWA {lerp} {dtype}"] = path(SWA(lerp=lerp), dtype, **{key: swa})
            for decay in DECAYS:
                ema = getattr(swa_utils, name.format("ema"))(decay)
                found[f"EMA {decay} {lerp} {dtype}"] = path(EMA(decay, lerp), dtype, **{key: ema})
    return found


def test_averages_are_torchs_bit_for_bit() -> None:
    found = printed_by(__file__)
    assert len(found) == 2 * (3 + 2 * len(DECAYS))
    assert {case: where for case, where in found.items() if where} == {}


def test_the_mean_and_the_weights_of_a_moving_average() -> None:
    walk = points("float64", 6)
    for lerp in (True, False):
        mean, ema = SWA(lerp), EMA(0.75, lerp)
        for p in walk:
            mean(p)
            ema(p)
        np.testing.assert_allclose(mean.average, walk.mean(axis=0), rtol=1e-5)
        weights = [0.75**5, *(0.25 * 0.75**k for k in (4, 3, 2, 1, 0))]
        np.testing.assert_allclose(ema.average, weights @ walk, rtol=1e-9)


@pytest.mark.parametrize("lerp", [True, False])
def test_each_run_has_a_decay_of_its_own(lerp: bool) -> None:
    decays = np.array([0.0, 0.4, 0.9, 1.0])
    together, alone = EMA(decays, lerp), [EMA(float(decay), lerp) for decay in decays]
    for p in np.random.default_rng(1).normal(size=(9, 4, 7)):
        together(p)
        for run, each in enumerate(alone):
            each(p[run : run + 1])
            assert together.average[run].tobytes() == each.average.tobytes()


@pytest.mark.parametrize("lerp", [True, False])
@pytest.mark.parametrize("kind", [EMA, SWA])
def test_chunks_change_no_bit(kind: Any, lerp: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = points("float64")

    def averaged() -> bytes:
        average = kind(lerp=lerp)
        for p in walk:
            average(p.reshape(2, -1))
        result: bytes = average.average.tobytes()
        return result

    expected = averaged()
    monkeypatch.setattr(averaging, "chunks", lambda array: arithmetic.chunks(array, 56))
    assert averaged() == expected


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("make", [EMA, SWA, lambda: EMA(0.3, lerp=False)])
def test_a_state_goes_on(make: Any, steps: int) -> None:
    walk = points("float32")
    whole, part = make(), make()
    for p in walk:
        whole(p)
    for p in walk[:steps]:
        part(p)
    state, resumed = part.state_dict(), make()
    resumed.load_state_dict(state)
    part(walk[0])  # leaves the state as it is
    for p in walk[steps:]:
        resumed(p)
    assert resumed.average.tobytes() == whole.average.tobytes()
    assert resumed.n_averaged == whole.n_averaged == len(walk)


def test_the_average_is_not_the_parameters_themselves() -> None:
    p, average = np.zeros(3), SWA()
    average(p)
    p += 1
    np.testing.assert_array_equal(average.average, 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (np.ones(2), "parameters must be float64 of shape (3,) as in the first step, got float64 "),
        (np.ones(3, int), "parameters must be a float64 or float32 array, got int64 of shape (3,)"),
    ],
)
def test_other_parameters_are_refused(parameters: np.ndarray, message: str) -> None:
    average = EMA()
    average(np.ones(3))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        average(parameters)


@pytest.mark.parametrize(("decay", "rule"), [(-0.1, "at least 0"), (1.1, "at most 1")])
def test_decays_that_torch_refuses_are_refused(decay: float, rule: str) -> None:
    from torch.optim import swa_utils

    with pytest.raises(ValueError, match="Invalid decay"):
        swa_utils.get_ema_multi_avg_fn(decay)
    with pytest.raises(ValueError, match=f"^decay must be {rule}, got {decay}$"):
        EMA(decay)


if __name__ == "__main__":
    print(json.dumps(differences()))
