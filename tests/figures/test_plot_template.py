"""The template with which `dvc plots` shows a history."""

import json
from pathlib import Path

from dvc_render import VegaRenderer

TEMPLATE = Path(__file__).resolve().parents[2] / ".dvc" / "plots" / "loss.json"


def test_two_revisions_are_in_one_plot_each_with_train_and_test_loss() -> None:
    rows = [
        {"epoch": "0", "step": "0", "train_loss": "1.5", "test_loss": "1.25", "rev": revision}
        for revision in ("workspace", "main")
    ]
    properties = {"x": "epoch", "y": "train_loss", "x_label": "epoch", "y_label": "loss"}
    renderer = VegaRenderer(rows, "history", template=str(TEMPLATE), title="moons", **properties)
    renderer.properties["revs_with_datapoints"] = ["workspace", "main"]
    specification = renderer.get_filled_template()
    assert "<DVC_METRIC" not in json.dumps(specification)
    assert specification["data"]["values"] == rows
    assert specification["transform"][0]["fold"] == ["train_loss", "test_loss"]
    encoding = specification["encoding"]
    assert encoding["color"]["field"] == "rev"
    assert encoding["color"]["scale"]["domain"] == ["workspace", "main"]
    assert encoding["y"]["scale"]["type"] == "log"
