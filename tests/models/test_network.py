"""The model of a task: its loss, and what is refused."""

from networks import network


def test_means_are_the_loss_and_for_classes_the_accuracy() -> None:
    classifier, line = (network([2, 2], "relu", loss) for loss in ("cross_entropy", "half_mse"))
    named = {name: mean.operation for name, mean in classifier.means.items()}
    assert named == {"loss": "cross_entropy", "accuracy": "accuracy"}
    assert list(line.means) == ["loss"]
    assert line.loss.operation == "half_mse"
