"""How parameters start, as the layers of torch.nn have it: `graph.parameter(name, shape, start)`.

A start is a function of a generator of random numbers and the shape of the parameter. It returns
the values, in float64: one of the user's own can be any that does so.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Start = Callable[[np.random.Generator, tuple[int, ...]], NDArray[Any]]


def zeros(_: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """0: the shift of a normalisation, and the bias of one."""
    return np.zeros(shape)


def ones(_: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """1: the scale of a normalisation."""
    return np.ones(shape)


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """Normal with deviation 1: the rows of nn.Embedding."""
    return random.standard_normal(shape)


def uniform(low: float, high: float) -> Start:
    """Uniform from low to high."""
    return lambda random, shape: random.uniform(low, high, shape)


def fan_in(inputs: int) -> Start:
    """Uniform within ±1/√inputs: weight and bias of nn.Linear and of convolutions.

    inputs: how many numbers each output is a sum over
    """
    bound = 1 / math.sqrt(inputs)
    return uniform(-bound, bound)
