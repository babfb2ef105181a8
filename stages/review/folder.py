"""The folder `review/`: the review as Markdown and HTML, and its pictures."""

import shutil
from pathlib import Path
from urllib.parse import quote

from stages.review.page import Review, html, markdown
from stages.review.plots import ChangedPlot, draw_curves
from stages.review.revision import changed_files

FOLDER = Path("review")


def write_review(review: Review, images: str | None = None) -> str:
    """Writes the folder from scratch, and returns the review as Markdown.

    images: the address of a committed picture, with {commit} and {path} in it; without one the
        Markdown links to the pictures in the folder
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    pictures = {}
    for plot in review.plots:
        for side, given in (("before", plot.old), ("after", plot.new)):
            if given and plot.is_picture:
                pictures[beside(plot, side)] = given.content
                path = FOLDER / _place(plot, side)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(given.content)
    for plot in review.curves:
        path = FOLDER / _place(plot, "curves")
        draw_curves(plot, path)
        pictures[beside(plot, "curves")] = path.read_bytes()

    text = here = markdown(review, beside)
    if images is not None:
        uncommitted = changed_files(review.new.commit, review.new)
        commits = {"before": review.old.commit, "after": review.new.commit}

        def committed(plot: ChangedPlot, side: str) -> str | None:
            if side not in commits or (side == "after" and plot.path in uncommitted):
                return None
            address = images.replace("{commit}", commits[side])
            return address.replace("{path}", quote(plot.path))

        text = markdown(review, committed)
    (FOLDER / "review.md").write_text(text)
    (FOLDER / "review.html").write_text(html(here, pictures))
    return text


def beside(plot: ChangedPlot, side: str) -> str:
    """The address of a picture in the folder, relative to the page."""
    return quote(_place(plot, side))


def _place(plot: ChangedPlot, side: str) -> str:
    return f"curves/{plot.path}.png" if side == "curves" else f"{side}/{plot.path}"
