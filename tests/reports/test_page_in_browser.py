"""The page in a browser: nothing that axe finds, nothing wider than a phone, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.decisions.made import decision
from tests.reports.scanned import EVERY_KIND, long_video, written

from vscan.reports.scan_page import scan_page
from vscan.reports.scan_report import scan_report
from vscan.reports.thumbnails import Shot
from vscan.verdicts import Verdict

CHROMIUM = Path("/usr/bin/chromium")
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no chromium to look at pages with")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """On a phone and a desk, light, dark and on paper: no fault by axe-core, no sideways scrolling,
    no request beside the file; on paper folded videos stand open and blurred frames do not show."""
    axe_page = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    axe = next(Path(axe_page.__file__).parent.rglob("axe.min.js")).read_text("utf-8")
    many = [*EVERY_KIND, *(_named(number) for number in range(10))]
    report = scan_report(
        [written(tmp_path / "v.jsonl", many)], decisions=[decision(verdict="v_hoax", policy="hoax")]
    )
    path = tmp_path / "page.html"
    path.write_text(scan_page(report, {"v_knife": (Shot(time_s=4.0, data=PIXEL),)}), "utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for width, scheme in ((360, "dark"), (1440, "light")):
            # axe is a script, which the page's own rule forbids: only here it is put aside.
            page = browser.new_page(
                viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
            )
            asked: list[str] = []
            page.on("request", lambda each, asked=asked: asked.append(each.url))
            page.goto(path.as_uri())
            page.click("#v1 .shot summary")
            page.evaluate(axe)
            found: dict[str, Any] = page.evaluate("axe.run()")
            assert [] == [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
            assert width == page.evaluate("document.documentElement.scrollWidth")
            assert [path.as_uri()] == [url for url in asked if url != PIXEL]
            page.emulate_media(media="print")
            # checkVisibility sees what a folded `details` hides.
            sees = "e => e.checkVisibility({contentVisibilityAuto: true})"
            assert page.locator("#v12").evaluate(sees)
            assert not page.locator("#v1 .shot").evaluate(sees)
        browser.close()


def _named(number: int) -> Verdict:
    return long_video(f"clips/z{number:02}-{'x' * 60}.mp4", "weapons")
