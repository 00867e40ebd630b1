"""Somebody at a keyboard before the page, in a real browser."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page

from tests.review.served import write
from vscan.decisions.chain import verify
from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.review.opening import Wanted
from vscan.verdicts import Verdict

AXE = files("axe_playwright_python") / "axe.min.js"
VIDEO = "document.querySelector('#source video')"


class Reviewer:
    """Somebody at a keyboard, who sees what a browser shows."""

    def __init__(self, browser: Browser, address: str) -> None:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        self.page: Page = context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda each: self.asked.append(each.url))
        self.page.on("console", lambda each: self.complaints.append(each.text))
        self.page.on("pageerror", lambda each: self.complaints.append(str(each)))
        self.page.on("dialog", self._complain)
        self.page.goto(address)

    def _complain(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def until(self, script: str, wanted: object = True) -> None:
        """Waits until a script gives that; the page's own policy forbids Playwright's way."""
        end = time.monotonic() + 10
        while (found := self.page.evaluate(script)) != wanted:
            assert time.monotonic() < end, f"{script}: {found!r}, {self.text('#alert')!r}"
            self.page.wait_for_timeout(20)

    def text(self, selector: str) -> str:
        """What stands there."""
        return str(self.page.evaluate(f"document.querySelector('{selector}').textContent"))

    def sees(self, policy: str) -> None:
        """Waits for the case, and until it can be ruled on."""
        self.until("document.querySelector('#title').textContent", policy)
        self.until("!document.querySelector('#uphold').disabled")

    def plays(self) -> None:
        """Waits for the picture at which playing begins, and until it can be ruled on."""
        self.until(f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking && {VIDEO}.currentTime >= 1.4")
        self.until("!document.querySelector('#uphold').disabled")

    def presses(self, *keys: str) -> None:
        """Presses keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def style(self, name: str, of: str = "#source video") -> str:
        """A computed style; nothing moves, as it was asked for."""
        script = f"getComputedStyle(document.querySelector('{of}')).{name}"
        return str(self.page.evaluate(script))

    def flaws(self) -> list[str]:
        """What axe-core finds wrong."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8") + ";0")
        found = self.page.evaluate("axe.run()")["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


def logged(path: Path) -> list[Decision]:
    """What a log holds that verifies."""
    with DecisionLog(path) as log:
        assert verify(log).problem is None
        return list(log.decisions())


def wanted(folder: Path, *verdicts: Verdict, **other: Any) -> Wanted:
    """What ana reviews."""
    file = write(folder / "v.jsonl", *verdicts)
    return Wanted(log=folder / "d.db", verdicts=file, reviewer="ana", **other)
