"""The page where something goes wrong: a key that stays down, a style that does not come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.review.browsing import VIDEO, Reviewer, logged, wanted
from tests.review.served import clip, finding, judged, page
from vscan.review.opening import Wanted

STYLE = (files("vscan.review") / "pages" / "review.css").read_text("utf-8")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def todo(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    """One video under three policies, the most severe first."""
    folder = tmp_path_factory.mktemp("videos")
    found = (finding("one", "critical"), finding("two", "high"), finding("three", "low"))
    return wanted(folder, judged(clip(folder / "a.mp4"), *found))


def test_a_key_that_stays_down(browser: Browser, todo: Wanted, tmp_path: Path) -> None:
    """Held while the case is ruled on, `h` does not clear the next one until it is pressed anew."""
    with page(replace(todo, log=tmp_path / "d.db")) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        ana.page.keyboard.down("h")
        assert "blur(0px)" in ana.style("filter")
        ana.page.get_by_role("button", name="Uphold").click()
        ana.sees("two")
        ana.page.keyboard.down("h")  # again: the keyboard repeats it
        assert "blur(0px)" not in ana.style("filter")
        ana.page.keyboard.up("h")
        ana.page.keyboard.down("h")
        assert "blur(0px)" in ana.style("filter")
        assert [] == ana.complaints


def test_a_ruling_for_the_case_before(browser: Browser, todo: Wanted, tmp_path: Path) -> None:
    """A key or button that is pressed twice rules once: the case that comes up between the two was
    not seen by anybody."""
    log = tmp_path / "d.db"
    press = "document.querySelector('#uphold').click()"
    with page(replace(todo, log=log)) as address:
        ana = Reviewer(browser, address)
        ana.sees("one")
        ana.page.evaluate(f"{press}; 0")
        ana.until("document.querySelector('#title').textContent", "two")
        ana.page.evaluate(f"{press}; 0")
        ana.presses("u", "s")
        ana.sees("two")
        assert ["one"] == [each.policy for each in logged(log)]
        ana.presses("u")
        ana.sees("three")
    assert ["one", "two"] == [each.policy for each in logged(log)]


def test_no_reason_is_taken_by_mistake(browser: Browser, todo: Wanted, tmp_path: Path) -> None:
    """To open the reasons chooses none: Enter that stays down rules nothing, space plays."""
    log = tmp_path / "d.db"
    with page(replace(todo, log=log)) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        ana.page.get_by_role("button", name="Overturn").focus()
        for _ in range(3):
            ana.page.keyboard.down("Enter")
        ana.page.keyboard.up("Enter")
        ana.until("document.querySelector('#reasons').hidden", False)
        ana.presses(" ")
        ana.until(f"{VIDEO}.paused", False)
        assert [] == logged(log)
        ana.presses("Tab", "Tab", "Enter")
        ana.sees("two")
        assert ["wrong_policy"] == [each.reason for each in logged(log)]


def test_no_window_of_its_own(browser: Browser, todo: Wanted, tmp_path: Path) -> None:
    """A video cannot be taken out of the page, where nothing blurs it and the next one follows it:
    the browser refuses even where somebody clicked for it."""
    with page(replace(todo, log=tmp_path / "d.db")) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        ana.page.evaluate(
            f"""document.querySelector('#title').addEventListener('click', () =>
                {VIDEO}.requestPictureInPicture().then(() => 'shown', (e) => e.name)
                    .then((told) => {{ window.told = told; }}))"""
        )
        ana.page.locator("#title").click()
        ana.until("window.told", "InvalidStateError")
        assert ana.page.evaluate(
            "[...document.querySelectorAll('video')].every((each) => each.disableRemotePlayback)"
        )


@pytest.mark.parametrize("style", ["", STYLE.replace("cqw", "unknown")])
def test_without_what_blurs(browser: Browser, todo: Wanted, tmp_path: Path, style: str) -> None:
    """Where the style did not come, or holds what a browser does not know, nothing is shown: no
    case comes up, and no file is asked for."""
    with page(replace(todo, log=tmp_path / "d.db")) as address:
        ana = Reviewer(browser, address)
        ana.sees("one")
        ana.page.route(
            "**/review.css", lambda each: each.fulfill(body=style, content_type="text/css")
        )
        ana.asked.clear()
        ana.page.reload()
        ana.until("document.querySelector('#alert').textContent.includes('not be blurred')")
        ana.page.wait_for_timeout(500)
        assert ana.page.evaluate("document.querySelector('#case').hidden")
        assert [] == [each for each in ana.asked if "/api/" in each or "/cases/" in each]
