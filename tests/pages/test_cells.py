import pytest

from stages.pages.cells import Cell, Value, cell, in_a_line, rows_of, setting_in_a_line, table


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, Cell(None)),
        ("no reference", Cell("no reference")),
        (0, Cell("0", "0")),
        (99_999, Cell("99999", "99999")),
        (394_625_995_192_564, Cell("3.9·10¹⁴", "394625995192564")),
        (0.0, Cell("0", "0.0")),
        (1.119410792539939, Cell("1.12", "1.119410792539939")),
        (3.680636586226763e-15, Cell("3.68·10⁻¹⁵", "3.680636586226763e-15")),
    ],
)
def test_a_number_is_short_to_read_and_exact_to_sort_by(value: Value, shown: Cell) -> None:
    assert cell(value) == shown


def test_a_column_is_numeric_if_there_is_a_number_in_it_or_nothing() -> None:
    rows = [["sgd", None, None, "none"], ["adam", 0.5, None, 1]]
    some = table("caption", ["name", "loss", "best", "ulp"], rows)
    assert [some.is_numeric(column) for column in range(4)] == [False, True, True, True]


def test_every_value_has_a_line_with_its_key() -> None:
    content = {
        "data": {"source": "a.csv", "options": {}},
        "sweep": {"lr": {"log": [0.001, 10], "points": 32}},
        "variants": [{"lr": 0.1, "betas": [0.5, 0.9]}, {}],
        "hidden": [],
        "nesterov": True,
        "reference": None,
    }
    assert list(rows_of(content)) == [
        ("data.source", "a.csv"),
        ("data.options", "{}"),
        ("sweep.lr.log", "[0.001, 10]"),
        ("sweep.lr.points", "32"),
        ("variants[0]", "lr 0.1, betas [0.5, 0.9]"),
        ("variants[1]", "{}"),
        ("hidden", "[]"),
        ("nesterov", "true"),
        ("reference", "null"),
    ]


def test_a_setting_is_short() -> None:
    setting = {"lr": 0.022638034095214477, "betas[0]": 0.9, "nesterov": True}
    assert setting_in_a_line(setting) == "lr 0.0226, betas[0] 0.9, nesterov true"
    assert in_a_line({}) == "{}"
