"""The review as a page: Markdown for a pull request, and the same as HTML for a browser.

The author of a revision chooses its names and values, so nothing in them may act as markup. The
templates show whatever they are given as code, unless it is a `Markup`, which here means Markdown.
"""

import base64
import json
import mimetypes
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from stages.pages.cells import in_a_line
from stages.pages.verdict import Sentence, count, headline
from stages.review.differences import MISSING, Difference, Missing
from stages.review.gates import patterns_of
from stages.review.metrics import Change, Outcome
from stages.review.plots import ChangedPlot
from stages.review.proofs import checks, drifts
from stages.review.revision import WORKSPACE, Revision
from stages.review.stages import Run

ROWS = 200  # of a table, at most
SHORT = 20  # longer ones are folded
REASONS = 8  # of a stage to run, at most
LONG = 300  # longer names and values are cut
# The marks of the Markdown, in words and drawn, for where there is no font of emoji.
MARKS = {
    "✅": ("holds", "M2 9l4 4 8-10"),
    "❌": ("fails", "M3 3l10 10M13 3L3 13"),
    "⚠️": ("warns", "M8 2l6.5 12h-13zM8 6v4M8 11v1.2"),
}
CHARACTERS = 50_000  # of the page: a comment on GitHub may have 65,536

Link = Callable[[ChangedPlot, str], str | None]


@dataclass(frozen=True)
class Review:
    """All that was found out about two revisions.

    claims: those of the report of the new revision
    curves: the plots whose curves, before and after, are drawn into one picture
    gates_changed: whether gates.yaml differs
    """

    old: Revision
    new: Revision
    parameters: Sequence[Difference]
    stages: Sequence[Run]
    metrics: Sequence[Change]
    claims: Sequence[Sentence]
    plots: Sequence[ChangedPlot]
    curves: Sequence[ChangedPlot]
    gates_changed: bool

    @property
    def failures(self) -> list[Markup]:
        """Why the review fails, each in a line of Markdown."""
        missing = [
            Markup(f"{code(path)}, which {code(stage)} needs, is in neither git nor DVC")
            for path, stage in self.new.missing.items()
        ]
        claims = [code(claim.text) for claim in self.claims if not claim.holds]
        gone = [Markup(f"{code(pattern)} is gone") for pattern in self.gone]
        others = [_described(change) for change in self._failing if not _is_just_gone(change)]
        return missing + claims + others + gone

    @cached_property
    def gone(self) -> list[str]:
        """Patterns for the metrics that are gone, where gates.yaml does not allow for it."""
        gone = [change.metric for change in self._failing if _is_just_gone(change)]
        return patterns_of(gone, self.new.metrics)

    @property
    def _failing(self) -> list[Change]:
        return [change for change in self.metrics if change.verdict == "fail"]

    @property
    def failed(self) -> bool:
        return bool(self.failures)


def markdown(review: Review, link: Link) -> str:
    """The page as Markdown, with as many rows in its tables as a comment on GitHub has room for.

    link: the address of the "before", "after" or "curves" picture of a plot, None if it has none
    """
    rows = ROWS
    while len(text := _rendered(review, link, rows)) > CHARACTERS and rows > 1:
        rows //= 2
    return text


def html(text: str, pictures: Mapping[str, bytes]) -> str:
    """The page as HTML that needs no other file.

    pictures: by the addresses that the text has for them
    """

    def image(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        address = str(token.attrs["src"])
        data = base64.b64encode(pictures[address]).decode()
        token.attrs["src"] = f"data:{mimetypes.guess_type(address)[0]};base64,{data}"
        return str(renderer.image(tokens, index, options, env))

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("image", image)
    # A mark begins an item or a cell; any other character of its kind is in a value.
    marks = f"(?<=<(?:li|td)>)({'|'.join(MARKS)})"
    body = Markup(re.sub(marks, lambda mark: _drawn(mark[0]), parser.render(text)))
    return _environment().get_template("review.html.jinja").render(body=body)


def _drawn(mark: str) -> str:
    meaning, path = MARKS[mark]
    return (
        f'<svg class="{meaning}" viewBox="0 0 16 16" role="img" aria-label="{meaning}">'
        f'<path d="{path}"/></svg>'
    )


def verdict(review: Review) -> Markup:
    """The first line, as Markdown: whether the review passes, and why."""
    warning = [change for change in review.metrics if change.verdict == "warn"]
    moved = [change for change in review.metrics if change.outcome is not Outcome.UNCHANGED]
    kinds = Counter(
        "not gated" if change.is_noise and change.outcome is not Outcome.WITHIN else change.outcome
        for change in moved
    )
    counts = ": " + ", ".join(f"{times} {kind}" for kind, times in kinds.items()) if moved else ""
    summary = f"{len(moved)} of {len(review.metrics)} metrics moved{counts}."
    if review.claims:
        summary += f" {headline(review.claims)}"
    if review.new.behind:
        summary += (
            f" {len(review.new.behind)} of {count(len(review.new.stages), 'stage')} did not run."
        )
    if review.failures:
        first, *others = review.failures
        more = f", and {len(others)} more" if others else ""
        return Markup(f"**Failed.** {first}{more}. {summary}")
    if warning:
        return Markup(f"**Passed with {count(len(warning), 'warning')}.** {summary}")
    return Markup(f"**Passed.** {summary}")


def _is_just_gone(change: Change) -> bool:
    return change.outcome is Outcome.REMOVED and not change.gate.removed


def _described(change: Change) -> Markup:
    values = f"{code(value(change.old))} → {code(value(change.new))}"
    by = f" ({relative(change)})" if change.difference is not None else ""
    return Markup(
        f"{code(change.metric)} is {change.outcome}: {values}{by}, tolerance {change.gate}"
    )


def code(text: object) -> Markup:
    r"""A text as Markdown that shows it as it is, in one line that is not too long.

    It holds in a table, too.

    >>> print(code("a|b"), code("<script>"), code("``"), code(""))
    `a\|b` `<script>` ``` `` ``` ` `
    """
    line = " ".join(str(text).split()) or " "
    line = line if len(line) <= LONG else f"{line[: LONG - 1]}…"
    line = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if "`" in line else ""
    return Markup(f"{fence}{space}{line}{space}{fence}".replace("|", "\\|"))


def value(given: object) -> str:
    """A value as JSON and a section in a line, where long texts, lists and sections are cut.

    >>> value(1e-9), value(None), value(float("nan")), value("sgd"), value([16, 16])
    ('1e-09', 'null', 'NaN', '"sgd"', '[16, 16]')
    >>> value({"lr": 0.1, "betas": [0.9, 0.99]})
    'lr 0.1, betas [0.9, 0.99]'
    """
    if given is MISSING:
        return "missing"
    if isinstance(given, dict):
        text, most = in_a_line(given), 200
    else:
        text, most = json.dumps(given, ensure_ascii=False, default=str), 60
    return text if len(text) <= most else f"{text[: most - 1]}…"


def difference(change: Change) -> Markup:
    """By how much a metric changed, with its sign."""
    return Markup("" if change.difference is None else f"{change.difference:+.3g}")


def relative(change: Change) -> Markup:
    """By what percentage a metric changed."""
    if change.difference is None:
        return Markup()
    return Markup("from 0" if change.relative is None else f"{100 * change.relative:+.3g} %")


def _pair(old: object, new: object) -> Markup:
    """A number of a proof before and after; one that did not change, once."""
    before, after = map(_short, (old, new))
    return after if before == after else Markup(f"{before} → {after}")


def _short(number: object) -> Markup:
    if isinstance(number, float):
        return Markup(f"{number:.3g}")
    return Markup(value(number)) if isinstance(number, int | Missing) else code(value(number))


def _proofs(review: Review) -> dict[str, Any]:
    old, new = review.old.metrics, review.new.metrics

    def paired(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, Markup]:
        names = dict.fromkeys([*after, *before])
        return {name: _pair(before.get(name, MISSING), after.get(name, MISSING)) for name in names}

    apart, now_apart = drifts(old), drifts(new)
    return {
        "drifts": {
            task: paired(apart.get(task, {}), now_apart.get(task, {}))
            for task in dict.fromkeys([*now_apart, *apart])
        },
        "checks": paired(checks(old), checks(new)),
    }


def _named(revision: Revision) -> Markup:
    if revision.name == WORKSPACE:
        return Markup("the workspace")
    commit = revision.commit[:7]
    return code(commit) if commit in revision.name else Markup(f"{code(revision.name)} ({commit})")


def _files(metrics: Iterable[str]) -> set[str]:
    return {metric.partition(":")[0] for metric in metrics}


def _rendered(review: Review, link: Link, rows: int) -> str:
    old, new = review.old.metrics, review.new.metrics
    changes = [change for change in review.metrics if change.outcome is not Outcome.UNCHANGED]
    text = (
        _environment()
        .get_template("review.md.jinja")
        .render(
            review=review,
            names=[_named(review.old), _named(review.new)],
            verdict=verdict(review),
            not_reused={run.stage for run in review.stages} | {*review.new.behind},
            new_files=_files(new) - _files(old),
            removed_files=_files(old) - _files(new),
            moved=[change for change in changes if not change.is_noise],
            noise=[change for change in changes if change.is_noise],
            link=link,
            rows=rows,
            **_proofs(review),
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=lambda shown: shown if isinstance(shown, Markup | int) else code(shown),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        function.__name__: function for function in (code, value, difference, relative)
    }
    environment.filters["plural"] = lambda times, what: Markup(count(times, what))
    environment.globals |= {"REASONS": REASONS, "SHORT": SHORT}
    return environment
