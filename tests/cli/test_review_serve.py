"""`vscan review serve` as a person starts it, ends it, and as a kill ends it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import Vscan
from tests.decisions.made import verdict

from vscan.decisions.chain import verify
from vscan.decisions.log import DecisionLog


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """A hundred verdicts, whose files are not there."""
    file = tmp_path / "verdicts.jsonl"
    made = (verdict(f"clips/{number:03}.mp4", "weapons") for number in range(100))
    file.write_bytes(b"".join(each.to_line() for each in made))
    return file


@contextmanager
def serving(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it printed."""
    program = "from vscan.cli.app import main; main()"
    command = [sys.executable, "-c", program, "review", "serve", *map(str, arguments), "--no-open"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def browsing(address: str) -> httpx.Client:
    """What a browser is after it has opened the address."""
    host = address.partition("/?")[0]
    client = httpx.Client(base_url=host, headers={"Origin": host}, follow_redirects=True)
    assert 200 == client.get(address).status_code
    client.get("/api/case")
    return client


def uphold(client: httpx.Client, number: int) -> None:
    """Uphold a case; raises where the server does not say that it is done."""
    body = {"number": number, "ruling": "uphold", "reason": None, "note": "", "seconds_viewed": 0}
    client.post("/api/decision", json=body).raise_for_status()


def test_killed_while_somebody_reviews(verdicts: Path, tmp_path: Path) -> None:
    """SIGKILL loses no decision that the page was told is made, and leaves a chain that holds; the
    next start goes on from there."""
    log = tmp_path / "d.db"
    told: list[int] = []
    with serving(log, verdicts, "--reviewer", "ana") as (process, address):
        client = browsing(address)
        killer = threading.Timer(0.4, process.kill)
        killer.start()
        with pytest.raises(httpx.TransportError):
            for number in range(100):
                uphold(client, number)
                told.append(number)
        killer.join()
    with DecisionLog(log) as held:
        assert verify(held).problem is None
        kept = [each.uri for each in held.decisions()]
    assert 0 < len(told) < 100
    assert [f"clips/{number:03}.mp4" for number in told] == kept[: len(told)]
    assert len(kept) - len(told) in (0, 1)
    with serving(log, verdicts, "--reviewer", "ana", "--market", "AT") as (process, address):
        client = browsing(address)
        assert 100 - len(kept) == client.get("/api/case").json()["total"]
        uphold(client, 0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (0, "") == (process.returncode, out)
    assert f"1 of {100 - len(kept)} cases decided; every one is in {log}" in err
    assert "Traceback" not in err
    with DecisionLog(log) as held:
        assert "AT" == list(held.decisions())[-1].market


def test_what_goes_wrong_is_told(
    vscan: Vscan, verdicts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake ends with 2 and a message before anything is served; no log is left behind."""
    log = tmp_path / "d.db"
    serve = ("review", "serve", log, verdicts, "--no-open", "--reviewer")
    labels = tmp_path / "labels.csv"
    labels.write_text("nothing\n", "utf-8")
    wrong: dict[str, tuple[Any, ...]] = {
        "--second and --picks exclude": (*serve, "a", "--second", "--picks", labels),
        "--gold-share 0.9 is not between": (*serve, "a", "--gold-share", "0.9"),
        "labels.csv: the first line": (*serve, "a", "--gold", labels),
        "labels.csv:1: no JSON": (*serve, "a", "--picks", labels),
        "--reviewer is empty": (*serve, " "),
        "--market holds characters": (*serve, "a", "--market", "\x1b"),
        "no exemplar index here": (*serve, "a", "--index", tmp_path / "absent"),
        "cannot be read": ("review", "serve", log, tmp_path / "absent", "--reviewer", "a"),
    }
    for told, command in wrong.items():
        ran = vscan(*command)
        assert (2, b"") == (ran.code, ran.out), told
        assert told in ran.err
        assert "Traceback" not in ran.err
        assert not log.exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = vscan(*serve, "a", "--port", str(taken.getsockname()[1]))
        assert (2, b"") == (ran.code, ran.out)
        assert "of 127.0.0.1 cannot be had" in ran.err
    for module in ("vscan.review.serving", "vscan.review.web", "vscan.review.guards"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = vscan(*serve, "a")
    assert (2, True) == (ran.code, "pip install 'vscan[review]'" in ran.err), ran.err
