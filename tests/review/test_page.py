"""The page: its verdict, its tables, and that it stays within what a comment holds."""

import doctest
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from repository import ROOT

from stages.pages.verdict import Sentence
from stages.review import page
from stages.review.differences import Difference, sections
from stages.review.folder import beside
from stages.review.gates import Gate
from stages.review.metrics import compare
from stages.review.page import Review, html, markdown, verdict
from stages.review.plots import ChangedPlot
from stages.review.revision import Plot, Revision, Stage, leaves
from stages.review.stages import Run, stages_run

GATES = {
    "*drift*": Gate(better="lower"),
    "*native": Gate(gate="none"),
    "*loss": Gate(better="lower", absolute=0.1, relative=0.01),
    "*accuracy": Gate(better="higher", gate="warn"),
}


HOLDS = Sentence("SGD is equal", True, "optimizers")
FAILS = Sentence("Lion <b>differs</b>", False, "optimizers")


def review(old: dict[str, Any], new: dict[str, Any], **parts: Any) -> Review:
    before = revision(metrics_files=files(old))
    after = replace(before, name="workspace", metrics_files=files(new))
    changes = compare(old, new, GATES)
    nothing = Review(before, after, (), (), changes, (), (), (), gates_changed=False)
    return replace(nothing, **parts)


def revision(**parts: Any) -> Revision:
    nothing = Revision("main", "a" * 40, {}, {}, {}, {}, {}, ())
    return replace(nothing, **parts)


def files(metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics by their files."""
    found: dict[str, Any] = {}
    for name, measured in metrics.items():
        path, _, key = name.partition(":")
        found.setdefault(path, {})[key] = measured
    return found


def shown(given: Review) -> str:
    return markdown(given, lambda plot, side: f"{side}/{plot.path}")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ({"loss": 1.0}, {"loss": 1.0}, "**Passed.** 0 of 1 metrics moved."),
        (
            {"loss": 1.0, "b.loss": 2.0, "native": 1},
            {"loss": 0.5, "b.loss": 2.0625, "native": 2},
            "**Passed.** 3 of 3 metrics moved: 1 better, 1 within tolerance, 1 not gated.",
        ),
        (
            {"accuracy": 1.0},
            {"accuracy": 0.5},
            "**Passed with 1 warning.** 1 of 1 metrics moved: 1 worse.",
        ),
        (
            {"a.loss": 1.0, "loss": None},
            {"a.loss": 1.25, "b.loss": 1.0},
            "**Failed.** `a.loss` is worse: `1.0` → `1.25` (+25 %), tolerance 0.1 absolute or "
            "0.01 relative, and 1 more. 3 of 3 metrics moved: 1 worse, 1 removed, 1 new.",
        ),
        (
            {"loss": 1.0},
            {},
            "**Failed.** `loss:*` is gone. 1 of 1 metrics moved: 1 removed.",
        ),
    ],
)
def test_verdict(old: dict[str, Any], new: dict[str, Any], line: str) -> None:
    given = review(old, new)
    assert verdict(given) == line
    assert shown(given).splitlines()[0] == line
    assert given.failed == line.startswith("**Failed.**")


@pytest.mark.parametrize(
    ("loss", "claims", "line"),
    [
        (
            1.0,
            [HOLDS],
            "**Passed.** 0 of 1 metrics moved. Everything that should be equal is equal.",
        ),
        (
            1.0,
            [HOLDS, FAILS],
            "**Failed.** `Lion <b>differs</b>`. 0 of 1 metrics moved. 1 of 2 proofs does not hold.",
        ),
        (
            2.0,
            [FAILS],
            "**Failed.** `Lion <b>differs</b>`, and 1 more. 1 of 1 metrics moved: 1 worse. "
            "1 of 1 proof does not hold.",
        ),
    ],
)
def test_what_the_report_claims_counts(loss: float, claims: list[Sentence], line: str) -> None:
    given = review({"loss": 1.0}, {"loss": loss}, claims=claims)
    assert shown(given).splitlines()[0] == line
    assert given.failed == line.startswith("**Failed.**")
    for claim in claims:
        assert f"- {'✅' if claim.holds else '❌'} `{claim.text}`\n" in shown(given)


def test_numbers_are_in_full() -> None:
    text = shown(review({"loss": 0.1 + 0.2}, {"loss": 1e-9}))
    row = "| `loss` | `0.30000000000000004` | `1e-09` | -0.3 | -100 % | better | "
    assert f"{row}0.1 absolute or 0.01 relative |" in text


def test_a_new_task_is_a_few_short_lines() -> None:
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    task = {"tasks": {"rings": parameters["tasks"]["moons"]}, "sweeps": {"rings": {"seeds": 2}}}
    new = revision(stages={"all": Stage("", {}, dict(leaves(task)), {"out": "1"})})
    old = revision(stages={"all": Stage("", {}, {}, {"out": "2"})})
    given = review(
        {}, {}, parameters=sections({}, dict(leaves(task))), stages=stages_run(old, new, [])
    )
    rows = [row for row in shown(given).splitlines() if "rings" in row]
    table, (stage,) = rows[:-1], rows[-1:]
    assert len(table) == 7
    assert "| `tasks.rings.split` | `missing` | `test 0.25, seed 1, standardize false` |" in table
    assert max(map(len, table)) < 200
    assert len(stage) < 1000


def test_the_reasons_of_a_stage_are_some_of_many() -> None:
    many = {f"code_{index}.py": list[str]() for index in range(20)}
    run = Run("train", False, False, False, [], many, [], 1, 0)
    assert "`code_7.py`; and 12 more | the same |" in shown(review({}, {}, stages=[run]))


def test_every_table_is_a_table() -> None:
    parameters = [Difference("a|b", "x|`y`\nz", ["<b>"] * 30), Difference("c", None, False)]
    changes = ({"loss": 1.0, "accuracy": 1.0}, {"loss": 2.0, "accuracy": 0.5})
    plots = [ChangedPlot("a.png", Plot(b"", None, ()), None)]
    text = shown(review(*changes, parameters=parameters, plots=plots))
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert rendered.count("<table>") == 3
    cells = [row.count("<td>") for row in re.findall(r"<tr>\n(<td>.*?)</tr>", rendered, re.DOTALL)]
    assert cells == [3, 3, 7, 7, 2]
    assert "<b>" not in rendered
    assert "<code>c</code></td>\n<td><code>null</code></td>\n<td><code>false</code>" in rendered
    assert "❌ worse" in rendered
    assert "⚠️ worse" in rendered


def test_what_is_behind_and_new_gates_are_said() -> None:
    plain = review({}, {})
    behind = replace(plain, old=replace(plain.old, behind=("draw@moons",)), gates_changed=True)
    assert "behind" not in shown(plain)
    assert "has of `draw@moons` are not those of its own code" in shown(behind)
    assert "**the gates changed, too**" in shown(behind)
    assert "gates changed" not in shown(plain)


def test_a_long_table_is_folded() -> None:
    few = [Difference(f"p{index}", 0, 1) for index in range(page.SHORT)]
    many = [*few, Difference("last", 0, 1)]
    assert "<details>" not in shown(review({}, {}, parameters=few))
    assert "<details><summary>21 parameters changed</summary>" in shown(
        review({}, {}, parameters=many)
    )


def test_a_page_fits_into_a_comment_and_says_what_it_leaves_out() -> None:
    count = 5000
    old = {f"metrics/task_{index}.json:a.rather.long.name.of.a.loss": 1.0 for index in range(count)}
    text = shown(review(old, dict.fromkeys(old, 0.3)))
    assert 10_000 < len(text) <= page.CHARACTERS
    rows = text.count("better |")
    assert f"{count - rows} more are left out." in text


def test_a_page_of_long_names_fits_into_a_comment() -> None:
    claims = [Sentence(f"{index}" * 9_999, False, "optimizers") for index in range(1, 500)]
    new = revision(missing={claim.text: claim.text for claim in claims})
    old = {f"{claim.text}.loss": 1.0 for claim in claims}
    given = review(old, {}, claims=claims, parameters=[Difference(claims[0].text, 0, 1)])
    text = shown(replace(given, new=new))
    assert len(text) <= page.CHARACTERS
    assert text.count("more are left out.") == 3
    assert len(re.findall("` and [0-9]+ more", text)) == 2


def test_html_needs_no_other_file() -> None:
    text = html(
        "| a |\n|---|\n| ![it](a%20picture.png) |\n\n<details>\n\n`b`\n\n</details>",
        {"a%20picture.png": b"png"},
    )
    assert '<img src="data:image/png;base64,cG5n" alt="it"' in text
    assert "<details>\n<p><code>b</code></p>\n</details>" in text
    assert "http:" not in text


def test_marks_are_drawn_for_where_no_font_has_them() -> None:
    shown = html("- ✅ one\n- ❌ two\n\n| a |\n|---|\n| ⚠️ worse |\n| `⚠️` |\n", {})
    assert not set("✅❌") & set(shown)
    assert shown.count("⚠️") == 1
    for mark, word in (("holds", " one"), ("fails", " two"), ("warns", " worse")):
        assert re.search(f'<svg [^>]*aria-label="{mark}"><path [^>]*/></svg>{word}', shown)


class Elements(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.add(" ".join([tag, *(name for name, _ in attributes)]))

    def handle_data(self, data: str) -> None:
        self.text += data


ELEMENTS = {"h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "br", "ul"}
ELEMENTS |= {"li", "details", "summary", "img src alt"}
ELEMENTS |= {"svg class viewbox role aria-label", "path d"}


@pytest.mark.parametrize(
    "evil",
    [
        "](/etc/hostname)<script>alert(1)</script>",
        "a|b\n\n<script>|`<b>`|``<b>``\\|![x](https://host/x.png)",
        "\\`<script>alert(1)</script>`\\",
        "\x1b[31m @everyone **bold** #1 https://host <!-- &lt;",
        "",
        "`",
        "✅ <td>✅",
    ],
)
def test_nothing_of_a_revision_is_markup(evil: str) -> None:
    path = f"{evil}.png"
    run = Run(
        evil, False, False, True, [Difference(evil, evil, [evil])], {evil: [evil]}, [evil], 1, 1
    )
    given = review(
        {f"metrics/{evil}.json:loss": 1.0, "metrics/moons.json:drift.parameters": evil},
        {f"metrics/{evil}:loss": 2.0, "metrics/moons.json:drift.loss": evil, "accuracy": evil},
        parameters=[Difference(evil, evil, {evil: evil}), Difference("a", [evil], evil * 99)],
        stages=[run, replace(run, stage=f"{evil}2", command=False)],
        claims=[Sentence(evil, False, evil), Sentence(evil, True, evil)],
        plots=[ChangedPlot(path, Plot(b"", None, ()), None), ChangedPlot(evil, None, None)],
        curves=[ChangedPlot(path, None, None)],
    )
    stages = {evil: Stage("", {}, {}, {}), "reused": Stage("", {}, {}, {})}
    given = replace(given, old=replace(given.old, name=evil, behind=(evil,)))
    given = replace(given, new=replace(given.new, name=evil, stages=stages))
    text = markdown(given, beside)
    assert all(one.isprintable() or one == "\n" for one in text)
    pictures = {beside(plot, side): b"" for plot in given.plots for side in ("before", "curves")}
    body = html(text, pictures).partition("</style>")[2]
    elements = Elements(body)
    assert elements.found <= ELEMENTS
    assert [body.count(f'<svg class="{mark}"') for mark in ("fails", "holds")] == [3, 1]
    assert "<code>reused</code>" in body


def test_an_image_that_is_none_of_the_review_is_not_read() -> None:
    with pytest.raises(KeyError):
        html("![it](/etc/hostname)", {})


def test_its_examples() -> None:
    assert doctest.testmod(page).failed == 0
