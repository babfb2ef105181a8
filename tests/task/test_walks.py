"""The walks over Rosenbrock's function, written and read."""

from pathlib import Path

import numpy as np

from stages.task.walks import read_walks, write_walks


def test_walks_are_read_as_they_were_written_in_alphabetical_order(tmp_path: Path) -> None:
    given = {
        name: {twin: np.full((3, 2), index + len(twin), np.float64) for twin in twins}
        for index, (name, twins) in enumerate(
            {"SGD": ("numpy", "torch"), "ASGD": ("torch", "numpy"), "Adam": ("numpy",)}.items()
        )
    }
    write_walks(tmp_path / "walks.safetensors", given)
    found = read_walks(tmp_path / "walks.safetensors")
    assert list(found) == ["Adam", "ASGD", "SGD"]
    assert {name: list(twins) for name, twins in found.items()} == {
        "Adam": ["numpy"],
        "ASGD": ["numpy", "torch"],
        "SGD": ["numpy", "torch"],
    }
    for name, twins in given.items():
        for twin, walk in twins.items():
            np.testing.assert_array_equal(found[name][twin], walk)
