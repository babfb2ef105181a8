from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.samples.sequence import SEPARATOR, generate


@given(samples=st.integers(2, 50), length=st.integers(2, 10))
def test_the_answer_sorts_the_question_and_follows_it_one_place_late(samples, length):
    columns = generate(np.random.default_rng(1), samples=samples, length=length)
    answers = columns.pop("answer")
    assert list(columns) == [f"input_{place}" for place in range(1, 2 * length + 1)]
    assert answers.shape == (samples, length)
    for sample, answer in zip(zip(*columns.values(), strict=True), answers, strict=True):
        question, between, given_answer = sample[:length], sample[length], sample[length + 1 :]
        assert len(set(question)) == length
        assert set(question) <= set(range(10))
        assert list(answer) == sorted(question)
        assert between == SEPARATOR
        assert given_answer == tuple(answer[:-1])


def test_every_order_of_every_digits_is_as_likely_as_another():
    samples = 90_000
    columns = generate(np.random.default_rng(1), samples=samples, length=2)
    counts = np.zeros((10, 10))
    np.add.at(counts, (columns["input_1"], columns["input_2"]), 1)
    expected = [samples / 90] * 90
    found = [counts[pair] for pair in permutations(range(10), 2)]
    assert counts.sum() == sum(found)
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(samples / 90))
