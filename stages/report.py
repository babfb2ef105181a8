"""Stage `report`: everything on one page that needs no other file and no network."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.figures.variants import read_variants
from stages.pages import images, sentences, tables
from stages.pages.cells import in_words
from stages.proofs import claims as verdict
from stages.task.command import plain_errors
from stages.task.errors import InputError
from stages.task.parameters import Parameters, read_parameters
from stages.task.paths import Files

SEED = ("regression", "classification")  # the tasks with which the project began come first
OPTIMIZERS, TRAINING = Path("plots", "optimizers"), Path("plots", "training")


def main(parameters: Parameters, content: Mapping[str, Any]) -> None:
    """Writes report.html from metrics/ and plots/.

    content: of params.yaml, as it is written there
    """
    tasks = sorted(parameters.tasks, key=lambda name: SEED.index(name) if name in SEED else 9)
    optimizers = read_metrics(Path("metrics", "optimizers.json"))
    training = read_metrics(Path("metrics", "training.json"))
    gradients = read_metrics(Path("metrics", "gradients.json"))
    trained = {name: read_metrics(Files(name).metrics) for name in tasks}
    dtypes = {name: parameters.tasks[name].model.dtype for name in tasks}
    claims = [
        *verdict.claims_of_optimizers(optimizers),
        *verdict.claims_of_training(training),
        *verdict.claims_of_gradients(gradients),
        *verdict.claims_of_tasks({name: (trained[name], dtypes[name]) for name in tasks}),
    ]
    page = {
        "headline": verdict.headline(claims),
        "claims": claims,
        "holds": all(claim.holds for claim in claims),
        "start": content["checks"]["optimizers"]["start"],
        "paths": images.image(
            OPTIMIZERS / "rosenbrock.png",
            "The path of each optimizer over Rosenbrock's function, NumPy's line and torch's dots",
        ),
        "variants": tables.variants(read_variants(OPTIMIZERS / "variants.csv")),
        "own": tables.own(optimizers),
        "tasks": [task(name, content["tasks"][name], trained[name]) for name in tasks],
        "checked": parameters.checks.training.task,
        "gradients": [
            tables.gradients(kind.removesuffix("s"), found) for kind, found in gradients.items()
        ],
        "training": tables.training(training),
        "drift": images.drift(TRAINING / "drift.csv"),
        "sweeps": [sweep(name) for name in tasks if name in content["sweeps"]],
        "parameters": [tables.parameters(*section) for section in sections(content)],
        "versions": tables.versions(),
    }
    Path("report.html").write_text(render(page), encoding="utf-8")


def sections(content: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The parts of params.yaml that have a table each, by their keys."""
    for key, section in content.items():
        if key in ("tasks", "checks"):
            yield from ((f"{key}.{name}", inner) for name, inner in section.items())
        elif isinstance(section, dict):
            yield key, section
        else:
            yield "", {key: section}


def task(name: str, content: Mapping[str, Any], metrics: verdict.Metrics) -> dict[str, Any]:
    """What the page shows of a task."""
    model, training, plots = content["model"], content["training"], Files(name).plots
    selected, batch = content["optimizer"], training["batch_size"]
    return {
        "name": name,
        "facts": {
            "data": content["data"]["source"],
            "model": f"{in_words(model['hidden'])} hidden, {model['activation']}"
            if model["hidden"]
            else "linear",
            "loss": model["loss"],
            "optimizer": in_words({selected: content["optimizers"][selected] or "as in torch"}),
            "training": f"{training['epochs']} epochs, "
            + ("full batch" if batch == "full" else f"batches of {batch}"),
            "dtype": model["dtype"],
        },
        "quality": tables.quality(name, metrics),
        "apart": tables.apart(name, metrics),
        "optimum": sentences.above_optimum(metrics),
        "learning": images.animation(
            plots / "learning.gif", f"How {name} is learned: what the twins predict at each moment"
        ),
        "moments": images.image(plots / "learning.png", f"{name}: six moments of the learning"),
        "fit": images.image(
            plots / "fit.png", f"{name}: the samples, what both twins learned, and how by epoch"
        ),
        "losses": images.losses(name, model["dtype"]),
        "graph": images.image(
            plots / "graph.png", f"{name}: the computation graph from its inputs to the loss"
        ),
    }


def sweep(name: str) -> dict[str, Any]:
    """What the page shows of a task's sweep."""
    metrics = read_metrics(Files(name).sweep_metrics)
    return {
        "name": name,
        "pictures": images.sweeps(name),
        "best": tables.sweep(name, metrics),
        "repeated": sentences.repeated(metrics),
    }


def read_metrics(path: Path) -> Any:
    """The metrics in a file.

    Raises InputError where it is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def render(page: Mapping[str, Any]) -> str:
    """The page as HTML; whatever is text in it is escaped."""
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
