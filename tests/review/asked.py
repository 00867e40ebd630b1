"""Requests to the page's application, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.review.served import TOKEN, finding, judged, match, write
from vscan.review.materials import Materials
from vscan.review.opening import Wanted, open_session
from vscan.review.web import PageSettings, make_app
from vscan.verdicts import Verdict

HOST = "http://127.0.0.1:7777"


SAME = {"Origin": HOST, "Content-Type": "application/json"}


RULED = {"number": 0, "ruling": "uphold", "reason": None, "note": "", "seconds_viewed": 0}


PACK = b"""\
schema = "vscan.pack/1"
name = "p"
version = "1"
[[policy]]
id = "weapons"
title = "Weapons & blades"
description = "What cuts."
severity = "low"
indexes = ["known"]
match_action = "remove"
"""


@contextmanager
def served(
    log: Path, *verdicts: Verdict, settings: PageSettings | None = None, **wanted: Any
) -> Iterator[TestClient]:
    """A client of the page over these verdicts, that was not given the address."""
    file = write(log.with_suffix(".jsonl"), *verdicts)
    session = open_session(Wanted(log=log, verdicts=file, reviewer="ana", **wanted)).session
    materials = Materials(context_s=0.5)
    app: Any = make_app(session, materials, TOKEN, 7777, settings)
    with TestClient(app, base_url=HOST) as client, closing(materials):
        yield client


def both(folder: Path) -> tuple[Verdict, Verdict]:
    """Verdicts on both videos, under weapons: a.mp4 is case 0, b.avi case 1."""
    found = finding("weapons", evidence=(match("ex_0000000000000000000a"),))
    return judged(folder / "a.mp4", found), judged(folder / "b.avi", finding("weapons", score=0.95))
