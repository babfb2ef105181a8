"""The report in a real Chromium, without a network, as its readers see it."""

import io
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from reports import copy_results, report

FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
    *["--disable-component-update", "--disable-sync"],
]
INSTALL = "apt-get install chromium, and pip install playwright"


def unavailable(what: str) -> None:
    """Skips the tests; where every change is checked, they fail."""
    message = f"{what} is missing: {INSTALL}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright")
    path = shutil.which("chromium")
    if path is None:
        unavailable("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("browser")
    copy_results(directory)
    report(directory)
    return directory / "report.html"


@pytest.fixture
def page(browser: Any, file: Path) -> Iterator[Any]:
    """The page in the light theme. It asks for nothing else, and complains of nothing."""
    context = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("request", lambda request: requests.append(request.url))
    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    yield page
    outside = [url for url in requests if not url.startswith("data:") and url != file.as_uri()]
    assert (outside, complaints) == ([], [])
    context.close()


def test_every_image_has_loaded_and_every_picture_has_a_name(page: Any) -> None:
    images = page.evaluate(
        "[...document.images].map((each) => [each.complete, each.naturalWidth, each.alt])"
    )
    assert len(images) >= 10
    assert all(complete and width and alt for complete, width, alt in images)
    names = page.evaluate(
        "[...document.querySelectorAll('svg')].map((each) => each.getAttribute('aria-label'))"
    )
    assert all(names)
    assert names


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_not_wider_than_its_window(page: Any, width: int, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_scrolls_is_reached_by_the_keyboard(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.wait_for_function(
        """() => {
          const scrolling = [...document.querySelectorAll(".scroll")].filter(
            (each) => each.scrollWidth > each.clientWidth);
          return scrolling.length > 5 && scrolling.every((each) => each.tabIndex === 0);
        }"""
    )


# WCAG 2.1: (lighter + 0.05) / (darker + 0.05), of the text and the first opaque colour behind it.
CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return channels(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("script, style, .aside")) continue;
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    if (!text.some((node) => node.data.trim()) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [darker, lighter] = [luminance(ink), luminance(behind(element))].sort((a, b) => a - b);
    found.push([element.textContent.slice(0, 40), (lighter + 0.05) / (darker + 0.05)]);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable(page: Any, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    found = page.evaluate(CONTRAST)
    assert len(found) > 500
    assert [(text, contrast) for text, contrast in found if contrast < 4.5] == []


def test_every_colour_of_the_figures_has_a_value(page: Any) -> None:
    undefined = """[...document.querySelectorAll('svg [style]')]
      .flatMap((each) => each.getAttribute('style').match(/--[a-z]+/g) ?? [])
      .filter((name) => !getComputedStyle(document.documentElement).getPropertyValue(name))"""
    assert page.evaluate(undefined) == []


def test_a_table_is_sorted_by_the_keyboard(page: Any) -> None:
    table = page.locator("#sweeps table").first
    header = table.locator("thead th").filter(has_text="test loss")
    column = header.evaluate("(head) => head.cellIndex")

    def values() -> list[float]:
        cells = table.locator(f"tbody tr > :nth-child({column + 1})").all()
        return [float(cell.get_attribute("data-exact")) for cell in cells]

    before = values()
    assert header.get_attribute("aria-sort") is None
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(before) != before
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert values() == sorted(before, reverse=True)
    other = table.locator("thead th").first
    other.get_by_role("button").press("Space")
    assert (header.get_attribute("aria-sort"), other.get_attribute("aria-sort")) == (
        None,
        "ascending",
    )
    names = table.locator("tbody th").all_text_contents()
    assert names == sorted(names)


def test_words_and_nothing_come_after_numbers_in_either_direction(page: Any) -> None:
    table = page.locator("#optimizers table").first
    header = table.locator("thead th").filter(has_text="native")
    for _ in range(2):
        header.get_by_role("button").click()
        shown = table.locator("tbody tr > :nth-child(4)").all_text_contents()
        diverges = [text == "diverges" for text in shown]
        assert any(diverges)
        assert diverges == sorted(diverges)


def test_the_theme_is_that_of_the_system_until_it_is_chosen(page: Any) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    button = page.locator("#theme")
    light = page.evaluate(paper)
    assert (light, button.inner_text()) == ("rgb(255, 255, 255)", "Dark theme")
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert dark != light
    assert button.inner_text() == "Light theme"
    button.press("Enter")
    assert (page.evaluate(paper), button.inner_text()) == (light, "Dark theme")
    button.press("Enter")
    assert (page.evaluate(paper), button.inner_text()) == (dark, "Light theme")


def test_an_animation_plays_when_it_is_asked_to_and_pauses(page: Any) -> None:
    figure = page.locator("#task-classification figure").first
    image, button = figure.locator("img"), figure.get_by_role("button")
    still = image.get_attribute("src")
    assert still.startswith("data:image/png")
    assert button.inner_text().endswith("Play")
    button.press("Enter")
    assert image.get_attribute("src").startswith("data:image/gif")
    assert button.inner_text().endswith("Pause")
    image.evaluate("(image) => image.decode()")
    button.press("Enter")
    assert image.get_attribute("src") == still
    assert button.inner_text().endswith("Play")


def test_the_layers_of_a_graph_open_and_close_by_the_keyboard(page: Any) -> None:
    graph = page.locator("#task-moons .graph")
    button = graph.get_by_role("button", name="all layers")

    def shown(text: str) -> int:
        return graph.locator("svg text").get_by_text(text, exact=True).filter(visible=True).count()

    assert (button.inner_text(), shown("weight")) == ("Close all layers", 3)
    button.press("Enter")
    assert (button.inner_text(), shown("weight")) == ("Open all layers", 0)
    graph.locator("[data-layer='2']").filter(visible=True).focus()
    page.keyboard.press("Enter")
    assert (shown("weight"), shown("16 × 16")) == (1, 2)
    focused = "document.activeElement.dataset.layer + document.activeElement.ariaExpanded"
    assert page.evaluate(focused) == "2true"
    page.keyboard.press("Space")
    assert (page.evaluate(focused), shown("weight")) == ("2false", 0)
    button.press("Enter")
    assert (button.inner_text(), shown("weight")) == ("Close all layers", 3)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_graph_is_drawn_once_for_the_width_of_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.locator("#task-moons .graph svg").filter(visible=True).count() == 1
    boxes = page.locator("#task-moons .graph svg").filter(visible=True).bounding_box()
    assert boxes["x"] + boxes["width"] <= width


def test_the_keyboard_begins_with_the_way_past_the_contents(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_headings_are_in_order(page: Any) -> None:
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_pictures_have_the_paper_of_the_theme(page: Any) -> None:
    picture = page.locator(".card img").first

    def corner() -> tuple[int, ...]:
        """The colour in the corner of the picture, where nothing is drawn."""
        with Image.open(io.BytesIO(picture.screenshot())) as shown:
            return shown.convert("RGB").getpixel((3, 3))

    button = page.locator("#theme")
    assert corner() == (255, 255, 255)
    page.emulate_media(color_scheme="dark")
    assert max(corner()) < 40
    button.press("Enter")
    assert corner() == (255, 255, 255)
    page.emulate_media(color_scheme="light")
    button.press("Enter")
    assert max(corner()) < 40
    page.emulate_media(media="print")
    assert picture.evaluate("(image) => getComputedStyle(image).filter") == "none"
