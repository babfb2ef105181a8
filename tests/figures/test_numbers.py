import pytest

from stages.figures.numbers import written


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 2, "0"),
        (0.01234, 2, "0.012"),
        (0.01234, 3, "0.0123"),
        (1.0, 3, "1"),
        (9.99, 2, "10"),
        (12345.0, 2, "12000"),
        (-0.5, 2, "-0.5"),
        (1e-5, 2, "10⁻⁵"),
        (2.83e-5, 3, "2.83·10⁻⁵"),
        (1e30, 3, "10³⁰"),
        (-2e7, 2, "-2·10⁷"),
    ],
)
def test_a_number_is_short_and_plain(value: float, digits: int, text: str) -> None:
    assert written(value, digits) == text
