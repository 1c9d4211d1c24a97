"""The application in a real browser: quiet, closed, usable by keyboard, at three widths, in both modes."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

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
WIDTHS = (1440, 768, 390)
SOON_MS = 60_000
RUNS = "run,N,D,loss\n" + "\n".join(
    f"r{n},{10 ** (7 + n % 4)},{10 ** (9 + n // 4)},{1.7 + 400 / 10 ** ((7 + n % 4) * 0.34):.4f}"
    for n in range(16)
)
PAGES = (
    "/",
    "/data",
    "/data/tables/scaling_runs",
    "/jobs",
    "/report",
    "/scaling",
    "/scaling/fit",
    "/routing/choose",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the application as a person would, and return where it is."""
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    folder = tmp_path_factory.mktemp("served")
    words = ["serve", "--port", "0", "--no-browser", "--folder", str(folder), "--evidence", "embedded"]
    server = subprocess.Popen(
        [sys.executable, "-m", "isoflop", *words, "--jobs", "1", "--max-upload", "1"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    found = re.search(r"http://[\d.]+:\d+", server.stderr.readline())
    assert found
    yield found[0]
    os.killpg(server.pid, signal.SIGINT)
    try:
        server.wait(20)
    finally:
        server.stderr.close()


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


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    """Open pages that complain about errors and about any request that leaves the application."""
    contexts, faults = [], []

    def open_page(path: str = "/", *, width: int = 1440, mode: str = "light", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:")) else faults.append(r.url),
        )
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    expected = ("status of 400", "status of 404", "status of 413")
    assert [fault for fault in faults if not any(part in fault for part in expected)] == []


@pytest.fixture(scope="module")
def finished(browser: Any, address: str) -> str:
    """Run one command to its end and return the path of its page."""
    page = browser.new_context().new_page()
    page.set_default_timeout(SOON_MS)
    page.goto(f"{address}/divide/gap?o.reps=99")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("heading", name="Answers").wait_for()
    path: str = page.url.removeprefix(address)
    page.context.close()
    return path


def serious(page: Any) -> list[Any]:
    """Return what axe finds serious, everything unfolded."""
    if importlib.util.find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is not installed (package axe-playwright-python)")
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    for element in page.locator("details").all():
        element.evaluate("e => { e.open = true; }")
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
    assert found["passes"]
    return [
        (issue["id"], issue["impact"], [node["html"][:160] for node in issue["nodes"][:3]])
        for issue in found["violations"]
        if issue["impact"] in ("serious", "critical")
    ]


def sideways(page: Any) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_page_is_accessible(opened: Any, finished: str, mode: str) -> None:
    page = opened(mode=mode)
    for path in (*PAGES, finished, "/nowhere"):
        page.goto(_join(page, path))
        assert serious(page) == [], path


def _join(page: Any, path: str) -> str:
    return "/".join(page.url.split("/")[:3]) + path


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(opened: Any, finished: str, width: int) -> None:
    page = opened(width=width)
    for path in (*PAGES, finished):
        page.goto(_join(page, path))
        for element in page.locator("details").all():
            element.evaluate("e => { e.open = true; }")
        assert sideways(page) <= 0, path


def test_the_dark_mode_is_dark_and_pictures_follow_it(opened: Any, finished: str) -> None:
    light, dark = (opened(finished, mode=mode) for mode in ("light", "dark"))
    look = """() => [getComputedStyle(document.body).backgroundColor,
                     getComputedStyle(document.querySelector('.picture svg text')).fill]"""
    (paper, ink), (night, chalk) = light.evaluate(look), dark.evaluate(look)
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (paper, ink, night, chalk)]
    assert brightness[0] > 700 > 200 > brightness[2]
    assert brightness[3] > brightness[1]


def test_a_whole_job_by_keyboard_alone(opened: Any, tmp_path: Path) -> None:
    """Send a file, name its columns, run a fit, reach the result: nothing but keys."""
    page = opened("/data")
    path = tmp_path / "runs.csv"
    path.write_text(RUNS)
    tab_to(page, "Your files")
    page.locator(":focus").set_input_files(path)  # a chooser of the system opens on Enter, outside the page
    tab_to(page, "Upload")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="runs.csv").wait_for()
    tab_to(page, "One row is")
    page.keyboard.type("scaling")
    page.get_by_role("heading", name="runs.csv").wait_for()
    page.wait_for_url("**schema=scaling_runs**")
    for label, theirs in (("params", "N"), ("tokens", "D")):
        tab_to(page, label)
        page.keyboard.type(theirs)
    tab_to(page, "Check and keep")
    page.keyboard.press("Enter")
    page.get_by_text("Ready.").wait_for()
    tab_to(page, "scaling fit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scaling/fit?**")
    tab_to(page, "Bootstrap --bootstrap")
    page.keyboard.type("20")
    tab_to(page, "Run")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Answers").wait_for()
    command = page.locator(".command pre").inner_text()
    assert re.search(r"isoflop scaling fit --bootstrap 20 --map params=N --map tokens=D .*runs\.csv", command)
    assert page.locator(".picture svg").count() >= 1


def tab_to(page: Any, name: str) -> None:
    """Press Tab until what has this name is in focus, with a ring that shows it."""
    for _ in range(250):
        page.keyboard.press("Tab")
        found, ring = page.evaluate(
            """() => { const e = document.activeElement;
               const label = e.labels?.length ? e.labels[0].textContent : e.getAttribute('aria-label');
               const said = label || e.textContent;
               return [said.replace(/\\s+/g, ' ').trim(), getComputedStyle(e).outlineStyle]; }"""
        )
        if found == name:
            assert ring != "none", name
            return
    raise AssertionError(f"no Tab reaches {name!r}")


def test_a_running_job_shows_its_progress_and_can_be_cancelled(opened: Any) -> None:
    page = opened("/progress/fit?o.bootstrap=200000")
    page.get_by_role("button", name="Run").click()
    page.locator("progress[value]").first.wait_for()
    waiting = opened("/scaling/laws")
    waiting.get_by_role("button", name="Run").click()
    waiting.get_by_text("place 1 in the queue").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("It was cancelled.").wait_for()
    waiting.get_by_role("heading", name="Tables").wait_for()


def test_a_job_reaches_its_result_without_a_script(opened: Any) -> None:
    page = opened("/scaling/laws", java_script_enabled=False)
    page.get_by_role("button", name="Run").click()
    page.get_by_role("heading", name="Tables").wait_for()
    assert page.locator("[data-copy]").is_hidden()


def test_a_wrong_file_says_what_is_wrong(opened: Any, tmp_path: Path) -> None:
    page = opened("/data")
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"params,tokens,loss_nats\n1e9,many,2\n")
    page.locator("#file").set_input_files(wrong)
    page.get_by_role("button", name="Upload").click()
    cell = page.get_by_role("row").filter(has_text="many").first
    assert "is no number" in cell.inner_text()
    assert serious(page) == []


def test_a_file_above_the_limit_gets_a_page_that_says_so(opened: Any, tmp_path: Path) -> None:
    page = opened("/data")
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * 5_000_000)
    page.locator("#file").set_input_files(large)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="The upload is too large").wait_for()


def test_a_form_with_a_mistake_comes_back_with_what_was_filled_in(opened: Any) -> None:
    page = opened("/routing/choose")
    page.get_by_role("button", name="Run").click()
    assert "Task: nothing given" in page.get_by_role("alert").inner_text()


def test_the_report_is_made_and_read_in_its_frame(opened: Any) -> None:
    page = opened("/report")
    page.get_by_text("Choose chapters").click()
    for name in ("scaling", "divide", "routing", "portability"):
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_label("Quick").check()
    page.get_by_role("button", name="Make the report").click()
    page.get_by_role("link", name="Read the report").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading").first.wait_for()
    assert frame.locator("svg").count() >= 1
    home = opened("/")
    assert home.locator(".card .headline dd").count() >= 1


def test_a_fit_of_one_s_own_leads_to_a_plan_whose_slider_moves_by_keys(opened: Any) -> None:
    page = opened("/scaling/fit?o.bootstrap=60&o.files=table:scaling_runs")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("link", name="Plan a budget under this law").click()
    page.get_by_role("heading", name="What it reaches").wait_for()
    assert page.locator("#from").input_value() != ""
    before = page.locator(".answers dd").first.inner_text()
    page.locator("#decade").focus()
    with page.expect_navigation():
        page.keyboard.press("ArrowRight")
    assert page.locator(".answers dd").first.inner_text() != before
    assert page.evaluate("document.activeElement.id") == "decade"
    assert page.locator("#from").input_value() != ""
    assert page.locator(".picture svg").count() == 1
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert sideways(page) <= 0
