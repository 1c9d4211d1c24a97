"""The page in a real browser: quiet, closed, reachable, readable at three widths, accessible."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from isoflop.present import theme
from isoflop.report.build import write
from isoflop.report.contents import Report

pytestmark = pytest.mark.slow

WIDTHS = (1440, 768, 390)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLE_MS = 400
"""Time for a picture near the view to be drawn."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a running Chromium, or skip with the reason."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser found, looked for {', '.join(BROWSERS)}")
    with driver.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the file address of the made-up report."""
    page, _ = write(report, tmp_path_factory.mktemp("report"))
    return page.as_uri()


def opened(
    browser: Any, address: str, *, width: int, mode: str = "light", **options: Any
) -> tuple[Any, list[str]]:
    """Return a page with all its pictures drawn, and the list of what it complained about."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode, **options)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else faults.append(r.url)
    )
    page.goto(address)
    for figure in page.locator(".picture").all():
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(SETTLE_MS)
    return page, faults


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_quiet_closed_and_fits(browser: Any, address: str, width: int, mode: str) -> None:
    page, faults = opened(browser, address, width=width, mode=mode)
    assert faults == []
    assert page.locator(".picture.drawn .live svg").count() == page.locator(".picture").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter((e) => {
             const box = e.getBoundingClientRect();
             return box.width && box.right > innerWidth + 1 && !e.closest('.scroll, .canvas, pre, svg');
           }).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_words_of_a_picture_are_cut(browser: Any, address: str, width: int) -> None:
    page, _ = opened(browser, address, width=width)
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.live svg')].flatMap((svg) => {
             const frame = svg.getBoundingClientRect();
             return [...svg.querySelectorAll('text')].filter((t) => {
               const box = t.getBoundingClientRect();
               return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2
                 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
             }).map((t) => t.textContent);
           })"""
    )
    assert cut == []
    page.context.close()


@pytest.mark.parametrize(("width", "mode"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_axe_finds_nothing_serious(browser: Any, address: str, width: int, mode: str) -> None:
    if importlib.util.find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is not installed (package axe-playwright-python)")
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page, _ = opened(browser, address, width=width, mode=mode)
    for element in page.locator("details").all():
        element.evaluate("e => { if (!e.closest('.menu')) e.open = true; }")
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (issue["id"], issue["impact"], [node["html"][:160] for node in issue["nodes"][:3]])
        for issue in found["violations"]
        if issue["impact"] in ("serious", "critical")
    ]
    assert found["passes"] or found["violations"]
    assert serious == []
    page.context.close()


def test_the_keyboard_reaches_skip_link_mode_and_downloads_with_a_visible_ring(
    browser: Any, address: str
) -> None:
    page, _ = opened(browser, address, width=1440)
    page.evaluate("scrollTo(0, 0)")
    page.locator("body").evaluate("e => e.focus()")
    reached: set[str] = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        name, kind, ring = page.evaluate(
            """() => { const e = document.activeElement;
               return [e.id || e.className, e.dataset.download || '', getComputedStyle(e).outlineStyle]; }"""
        )
        if name:
            assert ring != "none", name
        reached |= {name, kind}
    assert {"skip", "mode", "csv", "json", "svg", "png", "search"} <= reached
    page.context.close()


def test_the_mode_button_changes_page_and_pictures_and_is_remembered(browser: Any, address: str) -> None:
    page, faults = opened(browser, address, width=1440, mode="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    page.locator("#mode").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate(colour) != before
    assert page.locator("#mode").get_attribute("aria-pressed") == "true"
    drawn = page.locator(".live").evaluate_all("all => all.map((e) => e.innerHTML)")
    assert drawn
    assert all(theme.DARK[theme.MUTED] in text and theme.MUTED not in text for text in drawn)
    page.reload()
    assert page.locator("#mode").get_attribute("aria-pressed") == "true"
    assert faults == []
    page.context.close()


@pytest.mark.parametrize(
    ("kind", "start"), [("csv", b"system,year,"), ("json", b"["), ("svg", b"<svg"), ("png", b"\x89PNG")]
)
def test_each_picture_downloads_its_data_and_itself(
    browser: Any, address: str, tmp_path: Path, kind: str, start: bytes
) -> None:
    page, faults = opened(browser, address, width=768)
    with page.expect_download() as waiting:
        page.locator(f"[data-download={kind}]").first.click()
    assert waiting.value.suggested_filename == f"isoflop-progress-fig-timeline.{kind}"
    target = tmp_path / "download"
    waiting.value.save_as(target)
    body = target.read_bytes()
    assert body.startswith(start)
    if kind == "csv":
        assert body.count(b"\r\n") == 232
    if kind == "svg":
        assert b"var(" not in body
        assert b"231 invented systems" in body
    assert faults == []
    page.context.close()


def test_without_scripts_everything_but_the_tools_is_there(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 768, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".still svg").first.is_visible()
    assert not page.locator("#mode").is_visible()
    assert not page.locator("[data-download]").first.is_visible()
    assert page.locator(".findings tbody tr:visible").count() == 5
    page.locator("#show-unidentified").check()
    assert page.locator(".findings tbody tr:visible").count() == 1
    context.close()


def test_search_keeps_the_findings_that_match(browser: Any, address: str) -> None:
    page, _ = opened(browser, address, width=1440)
    page.locator("#search").fill("shapley")
    assert page.locator(".findings tbody tr:visible").count() == 1
    page.locator("#search").fill("")
    assert page.locator(".findings tbody tr:visible").count() == 5
    page.context.close()


def test_paper_shows_the_still_picture_in_light_colours_without_tools(browser: Any, address: str) -> None:
    page, _ = opened(browser, address, width=1440, mode="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".still svg").first.is_visible()
    assert not page.locator(".live").first.is_visible()
    assert not page.locator(".bar").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 10_000
    page.context.close()


def test_a_jump_is_not_hidden_by_the_bar(browser: Any, address: str) -> None:
    for width in WIDTHS:
        page, _ = opened(browser, address, width=width)
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("location.hash = '#progress-sensitivity'")
        page.wait_for_timeout(SETTLE_MS)
        top = page.evaluate(
            "document.getElementById('progress-sensitivity-title').getBoundingClientRect().top"
        )
        assert top >= page.evaluate("document.querySelector('.bar').getBoundingClientRect().bottom")
        page.context.close()
