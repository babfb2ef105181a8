"""Sequences of digits to be sorted, as a causal model reads them: the question, then its answer."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

SEPARATOR = 10  # the token between question and answer, after those of the ten digits


def generate(
    random: np.random.Generator,
    *,
    samples: Annotated[int, Ge(2), Le(10**7)] = 2000,
    length: Annotated[int, Ge(2), Le(10)] = 6,
) -> dict[str, NDArray[np.int64]]:
    """Questions of `length` different digits in any order; the answer has them in ascending order.

    What a model reads is the question, the separator, and the answer but for its last digit. After
    the separator and after each digit of the answer it predicts the next. A model that predicts all
    of them right also writes the whole answer alone: each digit that it reads is its own.

    Returns input_1, input_2, ..., (samples,) each, and answer, (samples, length).
    """
    question = random.permuted(np.tile(np.arange(10), (samples, 1)), axis=1)[:, :length]
    answer = np.sort(question, axis=1)
    inputs = np.insert(np.hstack([question, answer[:, :-1]]), length, SEPARATOR, axis=1)
    return {f"input_{place}": tokens for place, tokens in enumerate(inputs.T, start=1)} | {
        "answer": answer
    }
