from stages.pages.sentences import above_optimum, repeated


def test_sentences_are_empty_where_there_is_nothing_to_say() -> None:
    assert above_optimum({}) == ""
    assert above_optimum({"least_squares": {"test_loss": 1.0, "excess_loss": None}}) == ""
    assert "9.8 % above" in above_optimum({"least_squares": {"test_loss": 1, "excess_loss": 0.098}})
    assert repeated({"drift": {"runs": 0}}) == repeated({}) == ""
    some = {"runs": 1, "train_loss": 1e-15, "test_loss": None}
    assert repeated({"drift": some}).startswith("Repeated in PyTorch: 1 run of these")
    assert "test" not in repeated({"drift": {"runs": 1, "train_loss": 1e-15}})
    assert "test" not in above_optimum({"least_squares": {"excess_loss": 0.1}})
    assert "not a number" in repeated({"drift": some})
