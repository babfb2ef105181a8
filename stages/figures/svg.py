"""A figure as SVG inside a page: text is text, and the page's theme gives the colours."""

import io
import re
from xml.sax.saxutils import quoteattr

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stages.figures import style
from stages.figures.sweeps import heatmap, sweep_losses

# The custom property of CSS that replaces a colour; all others suit the dark theme, too.
THEME = {
    to_hex(colour): variable
    for colour, variable in (
        ("white", "paper"),
        (style.INK, "ink"),
        (style.GREY, "grey"),
        (style.FAINT, "faint"),
        (matplotlib.rcParams["grid.color"], "grid"),
        (style.BLUE, "blue"),
        (sweep_losses.BAND["facecolor"], "band"),
        (sweep_losses.OTHERS["color"], "others"),
        (heatmap.NOTHING, "nothing"),
        (style.class_colour(0), "purple"),
        (style.class_colour(5), "green"),
    )
}


def inline(figure: Figure, name: str, label: str) -> str:
    """The element <svg> of a figure: the same figure is the same text.

    name: of the figure, unique on its page, which makes the ids in it unique
    label: what is read out in place of the figure
    """
    figure.patch.set_visible(False)
    content = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(content, metadata=nothing)
    drawn = content.getvalue().partition("</defs>")[2]  # after a style sheet for all of the page
    drawn = re.sub("<[^>]*>", lambda tag: _tag(tag[0]), drawn)
    drawn = re.sub(r">\s+<", "><", drawn)
    width, height = (72 * inches for inches in figure.get_size_inches())
    head = f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label={quoteattr(label)}'
    return f"<svg {head}>{drawn.strip()}"


def _tag(tag: str) -> str:
    """A tag in the theme's colours, rounded to a tenth of a point, without the ids of groups."""
    tag = tag.replace('<g id="QuadMesh_', '<g shape-rendering="crispEdges" id="')  # without seams
    tag = re.sub(r'^(<g.*?) id="[^"]*"', r"\1", tag)
    tag = re.sub(r'\b(d|x|y|transform)="[^"]*"', lambda place: _rounded(place[0]), tag)
    tag = re.sub(r"(?<=: )#\w{6}", lambda colour: _themed(colour[0]), tag)
    # Verdana's letters are as wide as those of DejaVu Sans.
    tag = tag.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return re.sub(r"\s+", " ", tag.replace("xlink:href", "href"))


def _themed(colour: str) -> str:
    return f"var(--{THEME[colour]})" if colour in THEME else colour


def _rounded(place: str) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda digits: f"{float(digits[0]):.1f}", place)
