"""Stage `report`: everything on one page that needs no other file and no network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.pages import images, sentences, tables, verdict
from stages.pages.cells import in_a_line
from stages.proofs.claims import Metrics
from stages.task.command import plain_errors
from stages.task.files import Files, read_metrics, write_file
from stages.task.parameters import Parameters, read_parameters
from stages.task.variants import read_variants

FIRST = ("regression", "classification")  # the tasks that the project began with
CHECKS = {  # and what their metrics have
    "optimizers": ["*.variants", "*.steps"],
    "training": ["*.steps"],
    "gradients": ["*.*.relative_error"],
}
PLOTS = Path("plots")


def main(parameters: Parameters, content: Mapping[str, Any]) -> None:
    """Writes report.html from metrics/ and plots/; content: params.yaml as it is written."""
    tasks = sorted(parameters.tasks, key=lambda name: FIRST.index(name) if name in FIRST else 9)
    metrics = {
        name: read_metrics(Path("metrics", f"{name}.json"), *keys) for name, keys in CHECKS.items()
    }
    metrics |= {name: read_metrics(Files(name).metrics, "drift.cloud") for name in tasks}
    metrics["gradients"].setdefault("models", {}).update(
        {name: read_metrics(Files(name).gradients, "relative_error") for name in tasks}
    )
    claims = verdict.sentences(metrics, tasks)
    page = {
        "headline": verdict.headline(claims),
        "claims": claims,
        "holds": all(claim.holds for claim in claims),
        "start": content["checks"]["optimizers"]["start"],
        "paths": images.image(
            PLOTS / "optimizers" / "rosenbrock.png",
            "The path of each optimizer over Rosenbrock's function, NumPy's line and torch's dots",
        ),
        "variants": tables.variants(read_variants(PLOTS / "optimizers" / "variants.csv")),
        "own": tables.own(metrics["optimizers"]),
        "tasks": [task(name, content["tasks"][name], metrics[name]) for name in tasks],
        "checked": parameters.checks.training.task,
        "gradients": [
            tables.gradients(kind.removesuffix("s"), found)
            for kind, found in metrics["gradients"].items()
        ],
        "training": tables.training(metrics["training"]),
        "drift": images.drift(PLOTS / "training" / "drift.csv"),
        "sweeps": [sweep(name) for name in tasks if name in content["sweeps"]],
        "parameters": [tables.parameters(*section) for section in sections(content)],
        "versions": tables.versions(),
    }
    write_file(Path("report.html"), render(page).encode())


def sections(content: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The parts of params.yaml that get a table each, with their keys."""
    for key, section in content.items():
        if key in ("tasks", "checks"):
            yield from ((f"{key}.{name}", inner) for name, inner in section.items())
        elif isinstance(section, dict):
            yield key, section
        else:
            yield "", {key: section}


def task(name: str, content: Mapping[str, Any], metrics: Metrics) -> dict[str, Any]:
    """What the page shows of a task."""
    model, training, plots = content["model"], content["training"], Files(name).plots
    selected, batch = content["optimizer"], training["batch_size"]
    return {
        "name": name,
        "facts": {
            "data": content["data"]["source"],
            "model": f"{Path(model['source']).stem} {in_a_line(model.get('options', {}))}",
            "loss": f"{model['loss']} {in_a_line(model.get('loss_options') or '')}".rstrip(),
            "optimizer": in_a_line({selected: content["optimizers"][selected] or "as in torch"}),
            "training": f"{training['epochs']} epochs, "
            + ("full batch" if batch == "full" else f"batches of {batch}"),
            "dtype": model["dtype"],
        },
        "quality": tables.quality(name, metrics),
        "apart": tables.apart(name, metrics),
        "optimum": sentences.above_optimum(metrics),
        "learning": images.animation(
            plots / "learning.gif", f"{name}: what the twins predict at each moment of the training"
        ),
        "moments": images.image(plots / "learning.png", f"{name}: six moments of the training"),
        "fit": images.image(
            plots / "fit.png",
            f"{name}: the samples, what both twins learned, and how well",
        ),
        "losses": images.losses(name, model["dtype"]),
        "graph": images.graph(plots / "graph.svg"),
    }


def sweep(name: str) -> dict[str, Any]:
    """What the page shows of a task's sweep."""
    metrics = read_metrics(Files(name).sweep_metrics, "drift.runs")
    return {
        "name": name,
        "pictures": images.sweeps(name),
        "best": tables.sweep(name, metrics),
        "repeated": sentences.repeated(metrics),
    }


def render(page: Mapping[str, Any]) -> str:
    """The page as HTML; all text in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(page)


if __name__ == "__main__":
    with plain_errors():
        given = read_parameters()
        main(given, yaml.safe_load(Path("params.yaml").read_bytes()))
