"""The report of this repository's committed results, in a folder of its own, and what is in it."""

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml
from repository import ROOT

from stages.report import main
from stages.task.command import plain_errors
from stages.task.parameters import read_parameters

VOID = {"br", "img", "link", "meta"}


def copy_results(directory: Path) -> None:
    """All that the stage reads."""
    shutil.copy2(ROOT / "params.yaml", directory)
    (directory / "stages").symlink_to(ROOT / "stages")
    for folder in ("metrics", "plots"):
        shutil.copytree(ROOT / folder, directory / folder)


def report(directory: Path) -> str:
    """The page that the stage writes in `directory`."""
    with chdir(directory), plain_errors():
        main(read_parameters(), yaml.safe_load(Path("params.yaml").read_bytes()))
    return (directory / "report.html").read_text(encoding="utf-8")


def edit_metrics(directory: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Lets `edit` change the content of a file in metrics/ in place."""
    path = directory / "metrics" / name
    metrics = json.loads(path.read_text())
    edit(metrics)
    path.write_text(json.dumps(metrics))


class Page(HTMLParser):
    """The elements of a page and its tables.

    elements: tag and attributes of each
    tables: by caption the rows, each a list of cells: what is shown, and all digits
    text: all that is shown
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[tuple[str, str | None]]]] = {}
        self.open: list[str] = []
        self.caption = self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        match tag:
            case "caption":
                self.caption = ""
            case "tr":
                self.tables[self.caption].append([])
            case "td" | "th":
                self.tables[self.caption][-1].append(("", dict(attrs).get("data-exact")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        if tag == "caption":
            self.tables[self.caption] = []

    def handle_data(self, data: str) -> None:
        if {"script", "style"} & set(self.open):
            return
        self.text += data
        if "caption" in self.open:
            self.caption += data
        elif {"td", "th"} & set(self.open):
            row = self.tables[self.caption][-1]
            row[-1] = (row[-1][0] + data, row[-1][1])

    def having(self, attribute: str) -> list[str]:
        """The values of an attribute of all elements."""
        return [value or "" for _, each in self.elements if (value := each.get(attribute, None))]
