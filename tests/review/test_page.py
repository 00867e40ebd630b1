"""The page in a real browser, by keyboard alone: what is seen, what is logged, who is kept out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.decisions.made import decision
from tests.review.browsing import VIDEO, Reviewer, logged, wanted
from tests.review.served import clip, finding, judged, match, page
from vscan.decisions.log import DecisionLog
from vscan.indexing import Label, add_exemplars, new_index
from vscan.settings import ScanSettings
from vscan.sources import find_sources
from vscan.verdicts import PromptEvidence

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>'\"&.mp4"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.mp4 and b.avi, six seconds each, and one with a name that is markup."""
    folder = tmp_path_factory.mktemp("videos")
    clip(folder / "a.mp4")
    clip(folder / "b.avi", 2)
    shutil.copy(folder / "a.mp4", folder / HOSTILE.replace("/", "\N{DIVISION SLASH}"))
    return folder


def test_a_session_by_keyboard(browser: Browser, videos: Path, tmp_path: Path) -> None:
    """From the queue to the log without a mouse: play, uphold with a note, overturn with a reason,
    undo, escalate, skip; every decision is in the log as the page says so."""
    verdicts = (
        judged(videos / "a.mp4", finding("one", "critical"), finding("three", "low")),
        judged(videos / "b.avi", finding("two", "high")),
    )
    todo = wanted(tmp_path, *verdicts)
    with page(todo) as address:
        ana = Reviewer(browser, address)
        ana.sees("one")
        assert "token" not in ana.page.url
        assert [True, True, True] == ana.page.evaluate(
            f"[{VIDEO}.muted, {VIDEO}.paused, document.activeElement.id === 'title']"
        )
        ana.plays()
        assert re.fullmatch(r"blur\((1\d|2\d)[\d.]*px\) grayscale\(1\)", ana.style("filter"))
        ana.presses(" ")
        ana.until(f"{VIDEO}.currentTime > 2.2")
        ana.until(f"{VIDEO}.paused")
        assert 3.4 < ana.page.evaluate(f"{VIDEO}.currentTime") < 4.2  # 3 s and context of 0.5
        ana.presses("n")
        ana.page.keyboard.type("u o 1 e: a toy")
        assert [] == logged(todo.log)
        ana.presses("Escape", "u")
        ana.sees("two")
        (first,) = logged(todo.log)
        assert ("one", "uphold", "u o 1 e: a toy") == (first.policy, first.ruling, first.note)
        assert 1.0 < (first.seconds_viewed or 0.0) < 10.0
        ana.until("document.querySelector('#source img').naturalWidth", 160)
        ana.presses("o", "1")
        ana.sees("three")
        assert "Overturned: false positive. " == ana.text("#status") + " "
        ana.presses("z")
        ana.sees("two")
        assert ana.text("#before").startswith("You ruled: overturn, false positive.")
        ana.presses("o", "Escape", "e")
        ana.sees("three")
        ana.presses("s")
        ana.until("document.querySelector('#end').hidden", False)
        assert "2 cases decided. 1 case skipped" in ana.text("#end-words")
        ana.presses("z")
        ana.sees("three")
        ana.presses("U")
        ana.until("document.querySelector('#end').hidden", False)
    assert [("one", "uphold"), ("two", "overturn"), ("two", "escalate"), ("three", "uphold")] == [
        (each.policy, each.ruling) for each in logged(todo.log)
    ]
    host = address.partition("/?")[0]
    assert [] == [each for each in ana.asked if not each.startswith(f"{host}/")]
    assert [] == ana.complaints


def test_nothing_is_clear_until_it_is_asked_for(
    browser: Browser, videos: Path, tmp_path: Path
) -> None:
    """Clearer goes step by step, hold ends with the key, colour and sound are each asked for; a new
    case, and one key, hide all of it again. The exemplar is hidden until asked for, and as blurred.
    """
    index = tmp_path / "index"
    settings = ScanSettings(signals=("pdq",))
    new_index(index, name="known", settings=settings)
    label = Label(policy="weapons")
    sources = find_sources([str(videos / "a.mp4")])
    (added,) = add_exemplars(index, sources, label, settings=settings)
    assert added.exemplar is not None
    found = finding("one", "critical", evidence=(match(added.exemplar.id),))
    todo = wanted(tmp_path, judged(videos / "a.mp4", found, finding("two", "low")))
    with page(todo, indexes=(index,)) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        seen = [ana.style("filter")]
        width = ana.page.evaluate(f"{VIDEO}.getBoundingClientRect().width")
        for _ in range(4):
            ana.presses("r")
            seen.append(ana.style("filter"))
        blurs = [float(re.findall(r"blur\(([\d.]+)px\)", each)[0]) for each in seen]
        assert (blurs, 0.0) == (sorted(set(blurs), reverse=True), blurs[-1])
        assert all("grayscale(1)" in each for each in seen)
        ana.presses("c", "m", "+", "x")
        assert "grayscale(0)" in ana.style("filter")
        assert not ana.page.evaluate(f"{VIDEO}.muted")
        assert width < ana.page.evaluate(f"{VIDEO}.getBoundingClientRect().width")
        ana.until("document.querySelector('#exemplar video').readyState >= 2")
        for key, at in (("]", 0.0), ("ArrowRight", 1.0)):  # 2 to 3 s is its 0 to 1 s
            ana.presses(key)
            ana.until(
                f"Math.abs(document.querySelector('#exemplar video').currentTime - {at}) < 0.11"
            )
        ana.presses("b")
        for each in ("#source video", "#exemplar video"):
            assert "grayscale(1)" in ana.style("filter", each)
            assert "blur(0px)" not in ana.style("filter", each)
        assert ana.page.evaluate(f"{VIDEO}.muted && {VIDEO}.paused")
        ana.page.keyboard.down("h")
        assert "blur(0px)" in ana.style("filter")
        ana.page.keyboard.up("h")
        assert "blur(0px)" not in ana.style("filter")
        ana.presses("r", "r", "c", "m", " ", "u")
        ana.sees("two")
        ana.plays()
        assert seen[0] == ana.style("filter")
        assert ana.page.evaluate(f"{VIDEO}.muted && {VIDEO}.paused")
        assert "none" == ana.style("display", "#exemplar")
        assert [] == ana.complaints


def test_breaks(browser: Browser, videos: Path, tmp_path: Path) -> None:
    """After so many minutes the page asks for a break, blurred and silent; no key decides until it
    is over, and its time does not count as looking."""
    todo = wanted(tmp_path, judged(videos / "a.mp4", finding("one")))
    with page(todo, break_after_min=0.8 / 60) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        ana.presses("r", "r", "r", "r", " ")
        ana.until("document.querySelector('#break').open")
        assert ana.page.evaluate(f"{VIDEO}.paused")
        assert "blur(0px)" not in ana.style("filter")
        ana.presses("u", "e")
        ana.page.wait_for_timeout(1500)
        assert [] == logged(todo.log)
        ana.presses("Enter")
        ana.until("document.querySelector('#break').open", False)
        ana.presses("u")
        ana.until("document.querySelector('#end').hidden", False)
    assert (logged(todo.log)[0].seconds_viewed or 0.0) < 1.5


def test_somebody_else_is_faster(browser: Browser, videos: Path, tmp_path: Path) -> None:
    """A case that is decided elsewhere while it is at hand is passed over, with a word."""
    todo = wanted(tmp_path, judged(videos / "a.mp4", finding("one", "critical"), finding("two")))
    with page(todo) as address:
        ana = Reviewer(browser, address)
        ana.sees("one")
        verdict_id = todo.verdicts.read_text().partition('"id":"')[2].partition('"')[0]
        with DecisionLog(todo.log) as log:
            log.append(decision("d_bo", verdict=verdict_id, policy="one", reviewer="bo"))
        ana.presses("o", "2")
        ana.sees("two")
        assert "somebody else decided this case meanwhile" in ana.text("#alert")
        assert "1 case passed over" in ana.text("#status")
        ana.presses("u")
        ana.until("document.querySelector('#end').hidden", False)
        assert "" == ana.text("#alert")
    assert ["bo", "ana"] == [each.reviewer for each in logged(todo.log)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_axe_finds(browser: Browser, videos: Path, tmp_path: Path, scheme: Any) -> None:
    """Nothing, on a case, with reasons, keys or the end shown; nothing is wider than a telephone,
    and every control has a name."""
    todo = wanted(tmp_path, judged(videos / "a.mp4", finding("one" * 20)))
    with page(todo) as address:
        ana = Reviewer(browser, address)
        ana.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        ana.plays()
        for width in (1440, 360):
            ana.page.set_viewport_size({"width": width, "height": 740})
            assert [] == ana.flaws()
            assert width >= ana.page.evaluate("document.documentElement.scrollWidth")
        assert "0s" == ana.style("transitionDuration")
        ana.presses("o")
        assert [] == ana.flaws()
        ana.presses("Escape", "?")
        assert [] == ana.flaws()
        ana.presses(" ", "Escape", "u")  # the focus is on the switch of the shortcuts
        assert [] == logged(todo.log)
        ana.presses("?", "Tab", "Escape")
        ana.page.get_by_role("button", name="Uphold").focus()
        ana.presses("Enter")
        ana.until("document.querySelector('#end').hidden", False)
        assert [] == ana.flaws()
        assert 1 == len(logged(todo.log))


def test_names_are_never_markup(browser: Browser, videos: Path, tmp_path: Path) -> None:
    """A file's name, a policy, a prompt and a reviewer that are HTML are shown as they are, play,
    and run nothing."""
    (file,) = [each for each in videos.iterdir() if each.name.startswith("<img")]
    made = finding("<b onmouseover=alert(3)>x</b>")
    evidence = (
        PromptEvidence(prompt="<script>alert(4)</script>", time_s=2.5, similarity=0.3, score=0.9),
    )
    todo = wanted(tmp_path, judged(file, replace(made, evidence=evidence)))
    todo = replace(todo, reviewer="<script>alert(5)</script>")
    with page(todo) as address:
        ana = Reviewer(browser, address)
        ana.plays()
        assert "<b onmouseover=alert(3)>x</b>" == ana.text("#title")
        assert file.name in ana.text("#name")
        assert "<script>alert(4)</script>" in ana.text("#evidence")
        assert "as <script>alert(5)</script>" == ana.text(".who")
        ana.presses("r", "u")
        ana.until("document.querySelector('#end').hidden", False)
        assert [] == ana.complaints
    assert (file.name, "<script>alert(5)</script>") == (
        Path(logged(todo.log)[0].uri).name, logged(todo.log)[0].reviewer
    )  # fmt: skip


def test_another_site_in_the_same_browser(browser: Browser, videos: Path, tmp_path: Path) -> None:
    """A page of another origin, in the browser that holds the cookie, can neither decide nor read
    nor frame; nor can a page of the right origin load or run anything from elsewhere."""
    todo = wanted(tmp_path, judged(videos / "a.mp4", finding("one")))
    with page(todo) as address, page(replace(todo, log=tmp_path / "other.db")) as elsewhere:
        ana = Reviewer(browser, address)
        ana.sees("one")
        host = address.partition("/?")[0]
        other = ana.page.context.new_page()
        other.route("http://evil.example/", lambda each: each.fulfill(body="<p>evil</p>"))
        other.goto("http://evil.example/")
        attack = """async ([host, type]) => {
            const body = JSON.stringify({number: 0, ruling: 'uphold', reason: null, note: '',
                                         seconds_viewed: 0});
            const sent = {method: 'POST', mode: 'no-cors', credentials: 'include', body,
                          headers: {'Content-Type': type}};
            await fetch(host + '/api/decision', sent).catch(() => 0);
            const read = fetch(host + '/api/case', {credentials: 'include'});
            return read.then((a) => a.text(), () => '');
        }"""
        for kind in ("text/plain", "application/json"):
            assert "" == other.evaluate(attack, [host, kind])
        # Same host, another port: the same site, and cookies go along.
        neighbour = Reviewer(browser, elsewhere)
        held: Any = ana.page.context.cookies()
        neighbour.page.context.add_cookies(held)
        assert "" == neighbour.page.evaluate(attack, [host, "text/plain"])
        blocked = "fetch('http://evil.example/').then(() => 'sent', () => 'blocked')"
        assert "blocked" == ana.page.evaluate(blocked)
        injected = """new Promise((done) => {
            document.addEventListener('securitypolicyviolation', () => done('blocked'));
            const made = document.createElement('script');
            made.textContent = 'document.title = "ran"';
            document.body.append(made);
            setTimeout(() => done(document.title), 500);
        })"""
        assert "blocked" == ana.page.evaluate(injected)
        assert [] == logged(todo.log)
