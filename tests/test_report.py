"""The stage `report`, on the results that are committed here and on odd ones."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from reports import Page, copy_results, edit_metrics, report
from repository import ROOT, edit_parameters

PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text())
HOSTILE = '<script>alert("&")</script>'


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("report")
    copy_results(directory)
    return report(directory)


@pytest.fixture(scope="module")
def page(content: str) -> Page:
    return Page(content)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results that a test may change."""
    copy_results(tmp_path)
    return tmp_path


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers(inner)]
    return [value] if isinstance(value, int | float) else []


def metrics(name: str) -> Any:
    return json.loads((ROOT / "metrics" / name).read_text())


def captions(page: Page, *words: str) -> list[str]:
    return [caption for caption in page.tables if all(word in caption for word in words)]


# ------------------------------------------------------------------------------------- content


def test_all_digits_of_the_metrics_are_there(page: Page) -> None:
    digits = page.having("data-exact")
    for task in PARAMETERS["tasks"]:
        found = metrics(f"{task}.json")
        for twin in ("numpy", "torch"):
            del found[twin]["diverged_step"]
        found.pop("least_squares", None)
        assert {str(number) for number in numbers(found)} <= set(digits)
        for best in metrics(f"{task}/sweep.json").values():
            shown = {name: value for name, value in best.items() if name != "best"}
            assert "runs" in best or {str(number) for number in numbers(shown)} <= set(digits)
    for name in ("gradients.json", "training.json"):
        assert {str(number) for number in numbers(metrics(name))} <= set(digits)


def test_every_variant_is_a_row(page: Page) -> None:
    (caption,) = captions(page, "torch.optim")
    rows = page.tables[caption][1:]
    with (ROOT / "plots/optimizers/variants.csv").open(newline="") as file:
        variants = list(csv.DictReader(file))
    assert len(rows) == len(variants)
    for row, variant in zip(rows, variants, strict=True):
        optimizer, hyperparameters, ieee, native = row
        assert (optimizer[0], hyperparameters[0]) == (variant["optimizer"], variant["variant"])
        assert ieee[1] == variant["ulp_ieee"]
        assert native == ("diverges", None) or native[1] == variant["ulp_native"]


def test_every_parameter_is_a_row(page: Page) -> None:
    shown = {
        f"{caption.removeprefix('params.yaml').removeprefix(': ')}.{name}".lstrip("."): value
        for caption in captions(page, "params.yaml")
        for (name, _), (value, _) in page.tables[caption][1:]
    }
    assert shown["tasks.regression.optimizers.sgd.momentum"] == "0.6"
    assert shown["tasks.classification.model.options.hidden"] == "[10]"
    assert shown["tasks.moons.split.standardize"] == "false"
    assert shown["tasks.moons.training.batch_size"] == "32"
    assert shown["checks.optimizers.variants.SGD[0]"] == "lr 0.9, momentum 0.9"

    def names(value: object, *keys: str) -> list[str]:
        if isinstance(value, dict) and value:
            return [name for key in value for name in names(value[key], *keys, key)]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [f"{'.'.join(keys)}[{index}]" for index in range(len(value))]
        return [".".join(keys)]

    assert list(shown) == names(PARAMETERS)


def test_the_sections_are_in_their_order_and_in_the_contents(content: str, page: Page) -> None:
    tasks = [f"task-{task}" for task in PARAMETERS["tasks"]]
    order = ["optimizers", *tasks, "proofs", "sweeps", "parameters", "versions"]
    assert [each["id"] for tag, each in page.elements if tag == "section"] == order
    contents = content.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall('href="#(.*?)"', contents) == order


def test_nothing_is_needed_but_the_page(page: Page) -> None:
    assert {tag for tag, _ in page.elements} & {"iframe", "object", "embed", "base"} == set()
    for reference in page.having("src") + page.having("href"):
        assert reference.startswith(("#", "data:")), reference
    for _, each in page.elements:
        assert "url(" not in (each.get("style") or "")
        assert not any(name.startswith("on") for name in each)


def test_ids_are_unique_and_what_is_referred_to_is_there(page: Page) -> None:
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    targets = [link[1:] for link in page.having("href") if link.startswith("#")]
    targets += page.having("aria-labelledby")
    targets += [link[5:-1] for link in page.having("clip-path")]
    assert set(targets) <= set(ids)


def test_every_picture_has_a_name(page: Page) -> None:
    pictures = [each for tag, each in page.elements if tag in ("img", "svg")]
    names = [each.get("alt") or each.get("aria-label") for each in pictures]
    assert all(names)
    assert len(set(names)) == len(names)
    assert sum(tag == "svg" for tag, _ in page.elements) >= 2 * len(PARAMETERS["tasks"])


def test_the_same_results_are_the_same_bytes(results: Path, content: str) -> None:
    assert report(results) == content
    assert len(content) < 5_000_000


def test_the_versions_are_those_of_the_packages_here(page: Page) -> None:
    shown = {name: value for (name, _), (value, _) in page.tables["Made with"][1:]}
    assert shown["numpy"] == __import__("numpy").__version__
    assert shown["torch"].startswith("2.")
    assert shown["Python"].startswith("3.")


# ----------------------------------------------------------------------------------------- odd


def test_all_proofs_hold_here(page: Page) -> None:
    assert "Everything that should be equal is equal." in page.text
    assert "Does not hold" not in page.text
    assert "Bit for bit as torch.optim: 50 variants of 15 optimizers, 300 steps" in page.text


def test_what_does_not_hold_is_named(results: Path) -> None:
    edit_metrics(results, "optimizers.json", lambda found: found["SGD"].update(ulp_ieee=3))
    edit_metrics(results, "moons.json", lambda found: found["drift"].update(cloud=12.3))
    page = Page(report(results))
    assert "2 of 6 proofs do not hold." in page.text
    assert "Does not hold: SGD differs from its reference by up to 3 units" in page.text
    assert "Does not hold: moons: the twins are 12 times as far apart" in page.text
    assert "45 variants of 14 optimizers" in page.text


def test_a_task_is_gone_and_another_has_come(results: Path) -> None:
    def edit(parameters: dict[str, Any]) -> None:
        for section in ("tasks", "sweeps"):
            of = parameters[section]
            parameters[section] = {"flowers": of["moons"], "classification": of["classification"]}

    edit_parameters(results, edit)
    for folder in ("metrics", "plots"):
        shutil.copytree(results / folder / "moons", results / folder / "flowers")
    shutil.copy2(results / "metrics/moons.json", results / "metrics/flowers.json")
    page = Page(report(results))
    sections = [each["id"] for tag, each in page.elements if tag == "section"]
    assert sections[:4] == ["optimizers", "task-classification", "task-flowers", "proofs"]
    assert "regression" not in page.text
    assert "moons" not in page.text.replace("stages/samples/moons.py", "")


def diverge(results: Path, task: str, epochs: dict[str, int]) -> None:
    """What the stages write where a training diverges: nulls, and a history that ends early."""

    def edit(found: dict[str, Any]) -> None:
        for twin, epoch in epochs.items():
            found[twin] = dict.fromkeys(found[twin]) | {"diverged_step": epoch}
        found["drift"] = dict.fromkeys(found["drift"])

    edit_metrics(results, f"{task}.json", edit)
    for twin, epoch in epochs.items():
        path = results / "plots" / task / f"{twin}.csv"
        header, *rows = path.read_text().splitlines()
        last = f"{epoch},{epoch}" + "," * (header.count(",") - 1)
        path.write_text("\n".join([header, *rows[:epoch], last]) + "\n")


def test_a_training_that_diverges_in_both(results: Path) -> None:
    diverge(results, "classification", {"numpy": 7, "torch": 7})
    page = Page(report(results))
    assert "Holds: classification: both twins diverged at step 7" in page.text
    assert "Everything that should be equal is equal." in page.text
    (caption,) = captions(page, "classification", "after training")
    rows = [[text for text, _ in row] for row in page.tables[caption]]
    assert ["train loss", "–none", "–none", "–none"] in rows
    assert ["diverged at step", "7", "7", "–none"] in rows


def test_a_training_that_diverges_in_one(results: Path) -> None:
    diverge(results, "classification", {"numpy": 7, "torch": 9})
    text = Page(report(results)).text
    assert (
        "Does not hold: classification: NumPy diverged at step 7, PyTorch diverged at step 9"
        in text
    )


def test_an_optimizer_of_ones_own_without_a_reference(results: Path) -> None:
    own = {"variants": 2, "steps": 300, "ulp_repeated": 0, "ulp_runs": 0, "descending": 2}
    edit_metrics(results, "optimizers.json", lambda found: found.update(Lion=own))
    with (results / "plots/optimizers/variants.csv").open("a") as file:
        file.write("Lion,lr=0.01,,,\nLion,,,,\n")
    page = Page(report(results))
    assert "Bit for bit as itself, run again: Lion" in page.text
    (caption,) = captions(page, "by themselves")
    assert [text for text, _ in page.tables[caption][1]] == ["Lion", "2", "0", "0", "2"]
    assert "no reference" in page.text


def test_a_sweep_without_accuracy_and_with_nothing_that_converged(results: Path) -> None:
    edit_metrics(
        results,
        "moons/sweep.json",
        lambda found: (
            found.clear(),
            found.update(sgd={"trainings": 8, "diverged": 8}, drift={"runs": 0}),
        ),
    )
    (results / "plots/moons/sweep.csv").write_text(
        "optimizer,lr,train_loss,lower,upper,diverged\nsgd,1.0,,,,1.0\nsgd,2.0,,,,1.0\n"
    )
    page = Page(report(results))
    (caption,) = captions(page, "moons", "best setting")
    header, row = page.tables[caption]
    assert [text.strip() for text, _ in header] == [
        *["optimizer", "best setting", "trainings", "diverged"]
    ]
    assert [text for text, _ in row] == ["sgd", "–none", "8", "8"]


def test_text_is_shown_as_it_is(results: Path) -> None:
    def edit(parameters: dict[str, Any]) -> None:
        data = {"source": f"{HOSTILE}.csv", "features": ["x"], "target": HOSTILE}
        parameters["tasks"]["moons"]["data"] = data

    edit_parameters(results, edit)
    variants = results / "plots/optimizers/variants.csv"
    variants.write_text(variants.read_text() + 'SGD,"name=<b>&amp;</b>",0,0,0\n')
    curves = results / "plots/moons/sweep.csv"
    curves.write_text(curves.read_text().replace("sgd,", "<i>sgd,"))
    content = report(results)
    assert "<script>alert" not in content
    assert "<b>" not in content
    assert "<i>" not in content
    page = Page(content)
    assert page.text.count(HOSTILE) == 3  # source, target, and source among the facts
    assert "name=<b>&amp;</b>" in page.text
    assert "<i>sgd" in page.text


# ------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    "name",
    [
        *["metrics/moons.json", "metrics/training.json", "metrics/moons/sweep.json"],
        *["plots/moons/numpy.csv", "plots/moons/learning.gif", "plots/optimizers/variants.csv"],
    ],
)
def test_a_missing_file_is_named_in_one_line(results: Path, name: str) -> None:
    (results / name).unlink()
    with pytest.raises(SystemExit) as stopped:
        report(results)
    assert str(stopped.value) == f"{name}: No such file or directory"


def test_metrics_that_are_no_json_are_named_in_one_line(results: Path) -> None:
    (results / "metrics/moons.json").write_text("{\n<<<<<<< HEAD")
    with pytest.raises(SystemExit) as stopped:
        report(results)
    assert str(stopped.value).startswith("metrics/moons.json: is damaged (Expecting property name")
    assert "\n" not in str(stopped.value)
