"""Metrics, as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path


def write_metrics(path: Path, metrics: Mapping[str, object]) -> None:
    """Writes metrics as JSON, one value a line, so that a diff in review shows what moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
