"""The report in a real browser: nothing loaded, nothing run, everything legible on a desk, a telephone and paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from churnrisk.report import report_html
from churnrisk.report.breaking import LONGEST
from tests.unit.report import samples

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
NIGHTS = {
    "believable": lambda: samples.believable(600),
    "decided": samples.decided_night,
    "nasty": samples.nasty,
    "nobody": samples.nobody,
}

OVERHANGING = """() => [...document.querySelectorAll('body *:not(svg *)')]
    .filter(e => !e.closest('.skip, .folds thead'))
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + ' ' + e.textContent.slice(0, 60))"""
LINES = """e => { const all = document.createRange(); all.selectNodeContents(e);
    return new Set([...all.getClientRects()].map(r => Math.round(r.top))).size }"""
SPILLING = """() => [...document.querySelectorAll('.card')]
    .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"""


BROKEN = """longest => { const found = [];
    for (const cell of document.querySelectorAll('th, td')) {
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            for (const word of texts.currentNode.textContent.matchAll(/[^\\s\\u2060-]+/gu)) {
                const all = document.createRange();
                all.setStart(texts.currentNode, word.index);
                all.setEnd(texts.currentNode, word.index + word[0].length);
                const lines = new Set([...all.getClientRects()].map(r => Math.round(r.top))).size;
                if (lines > 1 && word[0].length <= longest) found.push(word[0]);
            }
        }
    }
    return found }"""


@dataclass
class Opened:
    """A page with everything it said and asked for."""

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    for name, content in NIGHTS.items():
        (folder / f"{name}.html").write_text(report_html(content()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in NIGHTS}


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Opened]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    shown = Opened(page)
    page.on("request", lambda asked: shown.requests.append(asked.url))
    page.on("console", lambda message: shown.console.append(message.text))
    page.on("pageerror", lambda error: shown.errors.append(str(error)))
    page.goto(files[request.param].as_uri())
    yield shown
    page.close()


def night(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("opened", names, indirect=True)


@night(*NIGHTS)
def test_nothing_is_loaded_nothing_runs_and_nothing_complains(opened: Opened) -> None:
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.console == []
    assert opened.errors == []


@night("nasty")
def test_text_of_the_data_is_shown_and_never_run(opened: Opened) -> None:
    page = opened.page
    assert page.title() == "Who is likely to leave, as of 2026-06-30"
    assert page.evaluate("typeof window.taken") == "undefined"
    assert page.locator("script, img, iframe, b, i").count() == 0
    assert page.get_by_text(samples.SCRIPT, exact=True).first.is_visible()


@night("nasty")
def test_even_a_script_that_got_in_would_not_run(opened: Opened, tmp_path: Path) -> None:
    html = report_html(samples.nobody()).replace("</main>", f"{samples.SCRIPT}</main>")
    (tmp_path / "broken.html").write_text(html, encoding="utf-8")
    opened.page.goto((tmp_path / "broken.html").as_uri())
    assert opened.page.locator("script").count() == 1
    assert opened.page.evaluate("typeof window.taken") == "undefined"


@night("believable")
def test_headings_tables_and_pictures_are_named(opened: Opened) -> None:
    page = opened.page
    assert page.get_by_role("heading", level=1).count() == 1
    assert [heading.inner_text() for heading in page.locator("section > h2").all()] == [
        "The list, from the top",
        "What was decided",
        "How the risk is spread",
        "How far to trust it",
        "How long customers stay",
        "Can tonight be trusted?",
        "What puts them at risk",
        "Who is at risk: segments",
        "What would silent customers answer?",
        "How asking goes",
        "The network around them",
        "If they leave: who is around them",
        "Does churn spread between customers?",
        "The data behind it",
        "This run",
    ]
    for table in page.locator("table").all():
        assert table.locator("thead th[scope=col]").count() > 1
        assert table.locator("tbody tr").count() == table.locator("tbody th[scope=row]").count() > 0
    assert page.get_by_role("img", name="Do the predicted risks come true?").is_visible()


@night("believable")
def test_chinese_and_russian_names_are_visible_text_inside_pictures(opened: Opened) -> None:
    for name in ("上海", "Санкт-Петербург", "Österreich"):
        shown = opened.page.locator("svg text", has_text=name).first
        assert shown.is_visible()
        box = shown.bounding_box()
        assert box is not None
        assert box["width"] > 10
        assert box["height"] > 8


@pytest.mark.parametrize("width", [1280, 390])
@night(*NIGHTS)
def test_the_page_fits_without_scrolling_sideways(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.evaluate(OVERHANGING) == []
    assert opened.page.evaluate(SPILLING) == []


@pytest.mark.parametrize("width", [760, 900, 1000, 1100, 1280])
@night("believable", "decided", "nasty")
def test_words_of_ordinary_length_are_in_one_piece(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    assert opened.page.evaluate(BROKEN, LONGEST) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width


@night("believable")
def test_names_of_sources_stand_on_one_line(opened: Opened) -> None:
    names = opened.page.locator("#data tbody th")
    names.first.evaluate("e => { e.textContent = 'interactions' }")  # the longest there is
    for name in names.all():
        assert name.evaluate(LINES) == 1, name.inner_text()


@night("believable", "nasty")
def test_the_page_fits_a4_paper(opened: Opened) -> None:
    opened.page.set_viewport_size(
        {"width": 695, "height": 1000}
    )  # 184 mm between the margins, at 96 per inch
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 695
    assert opened.page.evaluate(SPILLING) == []
    assert not opened.page.locator("nav").is_visible()


@night("believable")
def test_text_can_be_read_by_day_and_by_night(opened: Opened) -> None:
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        for selector, surface in (
            (".lead", "header"),
            (".picture text", ".picture"),
            ("figcaption", ".picture"),
        ):
            assert opened.page.evaluate(CONTRAST, [selector, surface]) >= 4.5, (scheme, selector)


CONTRAST = """([selector, surface]) => {
    const light = colour => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(getComputedStyle(document.querySelector(surface)).backgroundColor);
    return Math.min(...[...document.querySelectorAll(selector)].map(element => {
        const style = getComputedStyle(element);
        const ink = light(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
        return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    }));
}"""
