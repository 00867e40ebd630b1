"""Requests to the page's server: who is refused, which bytes are had, what is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.decisions.made import verdict
from tests.review.served import TOKEN, clip, finding, judged, match, write
from vscan.decisions.log import DecisionLog
from vscan.digests import Digests, file_digests
from vscan.errors import ReviewError
from vscan.policies.pack import parse_pack
from vscan.review import checked_files, web
from vscan.review.checked_files import CheckedFiles
from vscan.review.guards import HEADERS, MOST_BODY_BYTES
from vscan.review.materials import Materials
from vscan.review.media_ranges import Span, UnsatisfiableError, span_of
from vscan.review.opening import Wanted, open_session
from vscan.review.web import PageSettings, make_app
from vscan.verdicts import ErrorRecord, Verdict

HOST = "http://127.0.0.1:7777"
SAME = {"Origin": HOST, "Content-Type": "application/json"}
RULED = {"number": 0, "ruling": "uphold", "reason": None, "note": "", "seconds_viewed": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small videos, a.mp4 and b.avi, and a secret beside them."""
    made = tmp_path_factory.mktemp("videos")
    clip(made / "a.mp4", seconds=4)
    clip(made / "b.avi", 2, seconds=4)
    (made / "secret.txt").write_text("secret")
    return made


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


@pytest.fixture
def stranger(folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client that was not given the address."""
    with served(tmp_path / "d.db", *both(folder)) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    """A client that has opened the address."""
    assert 200 == stranger.get(f"/?token={TOKEN}").status_code
    return stranger


def refused(answer: Any) -> int:
    """The status of a refusal, which has every header that keeps a browser safe."""
    assert {*HEADERS.items()} <= {(n, answer.headers.get(n)) for n in HEADERS}
    assert "weapons" not in answer.text
    return int(answer.status_code)


def test_the_address_is_good_once(stranger: TestClient) -> None:
    """Without the token there is nothing; with it there is a cookie that scripts cannot read and
    other sites do not send, and an address without it; a second browser is refused."""
    for path in ("/", "/api/case", "/pages/review.js", "/?token=", f"/?token={TOKEN}x", "/x"):
        assert 403 == refused(stranger.get(path)), path
    assert 403 == refused(stranger.post("/api/decision", json=RULED, headers=SAME))
    answer = stranger.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert TOKEN not in cookie
    assert 200 == stranger.get("/").status_code
    stranger.cookies.clear()
    assert 403 == refused(stranger.get(f"/?token={TOKEN}"))
    stranger.cookies.set("vscan_review_7777", "guess")
    assert 403 == refused(stranger.get("/"))


def test_other_names_of_this_machine(client: TestClient) -> None:
    """A request for another host (DNS rebinding), port or none is refused, cookie or not."""
    for host in (
        "evil.example:7777",
        "127.0.0.1:80",
        "127.0.0.1",
        "[::1]:7777",
        "0.0.0.0:7777",
        "",
    ):
        assert 403 == refused(client.get("/api/case", headers={"Host": host})), host
    assert 200 == client.get("/api/case", headers={"Host": "localhost:7777"}).status_code


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8000"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Length": str(MOST_BODY_BYTES + 1)}, 413),
        ({"Content-Length": "x"}, 411),
    ],
)
def test_posts_from_elsewhere(
    client: TestClient, tmp_path: Path, changed: dict[str, str], status: int
) -> None:
    """A post that another site's page could send is refused, cookie or not, and logs nothing."""
    answer = client.post("/api/decision", json=RULED, headers={**SAME, **changed})
    assert status == refused(answer)
    with DecisionLog(tmp_path / "d.db") as log:
        assert [] == list(log.decisions())


def test_another_sites_page_reads_nothing(client: TestClient) -> None:
    """Whatever another site's page embeds is refused; methods other than three are unknown."""
    for path in ("/", "/api/case", "/cases/0/source/video"):
        assert 403 == refused(client.get(path, headers={"Sec-Fetch-Site": "cross-site"}))
    assert 405 == refused(client.request("PUT", "/api/case"))
    assert 405 == refused(client.request("TRACE", "/"))


def test_a_decision_is_logged_before_the_answer(client: TestClient, tmp_path: Path) -> None:
    """The answer to a post has the next case, and the log has the decision; bad ones are told."""
    client.get("/api/case")
    for bad, status in (
        ({"ruling": "maybe"}, 422), ({"ruling": "overturn"}, 422), ({"number": 7}, 409),
        ({"number": True}, 400), ({"seconds_viewed": "1"}, 400), ({"note": None}, 400),
        ({"note": "x" * 10_001}, 422), ({"number": -1}, 409),
    ):  # fmt: skip
        answer = client.post("/api/decision", json={**RULED, **bad}, headers=SAME)
        assert (status, True) == (answer.status_code, bool(answer.json()["message"])), bad
    for text in (b"[]", b"{", b"\xff", b'{"number":NaN}'):
        answer = client.post("/api/decision", content=text, headers=SAME)
        assert 400 == answer.status_code
    answer = client.post("/api/decision", json=RULED, headers=SAME)
    assert (200, 1, 1) == (answer.status_code, answer.json()["number"], answer.json()["decided"])
    with DecisionLog(tmp_path / "d.db") as log:
        assert ["uphold"] == [each.ruling for each in log.decisions()]


def test_no_path_leads_out(client: TestClient) -> None:
    """Files are had by the number of a case alone: no name, no `..`, no number beyond."""
    for path in (
        "/pages/../secret.txt", "/pages/%2e%2e%2fsecret.txt", "/pages/..%2f..%2f..%2fweb.py",
        "/pages/index.html", "/cases/0/..%2fsecret.txt/video", "/cases/0/secret.txt/video",
        "/cases/2/source/video", "/cases/-1/source/video", "/cases/0/exemplar-1/video",
        "/cases/0/exemplar-0/video", "/cases/0/exemplar-%C2%B2/video", "/cases/1e9/source/video",
        "/cases/0/source/stills/99", "/docs", "/openapi.json", "/cases/0/exemplar-9999999/video",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code in (404, 409, 422), path
        assert "secret" not in answer.text.replace("secret.txt", "")


def test_ranges(client: TestClient, folder: Path) -> None:
    """GET and HEAD, single ranges from either end, If-Range; what cannot be satisfied is 416."""
    data = (folder / "a.mp4").read_bytes()
    size, video = len(data), "/cases/0/source/video"
    whole = client.get(video)
    tag = whole.headers["etag"]
    assert (200, data) == (whole.status_code, whole.content)
    assert ("bytes", "video/mp4") == (
        whole.headers["accept-ranges"], whole.headers["content-type"]
    )  # fmt: skip
    head = client.head(video, headers={"Range": "bytes=0-3"})
    assert (200, b"", str(size)) == (head.status_code, head.content, head.headers["content-length"])
    for asked, start, end in (
        ("bytes=0-3", 0, 4), ("bytes=5-", 5, size), ("bytes=-7", size - 7, size),
        (f"bytes=9-{size * 2}", 9, size), (f"bytes=-{size * 2}", 0, size), ("BYTES=1-1", 1, 2),
    ):  # fmt: skip
        part = client.get(video, headers={"Range": asked, "If-Range": tag})
        assert (206, data[start:end]) == (part.status_code, part.content), asked
        assert f"bytes {start}-{end - 1}/{size}" == part.headers["content-range"]
        assert str(end - start) == part.headers["content-length"]
    for beyond in (f"bytes={size}-", "bytes=-0", "bytes=" + "9" * 30 + "-"):
        answer = client.get(video, headers={"Range": beyond})
        assert (416, f"bytes */{size}") == (answer.status_code, answer.headers["content-range"])
    for odd in ("bytes=5-2", "bytes=-", "items=0-3", "bytes=0-1,3-4", "bytes=a-b"):
        assert 200 == client.get(video, headers={"Range": odd}).status_code, odd
    for other in ('"other"', f"W/{tag}", "Mon, 02 Nov 2026 09:30:00 GMT"):
        answer = client.get(video, headers={"Range": "bytes=0-3", "If-Range": other})
        assert (200, data) == (answer.status_code, answer.content)


def test_spans() -> None:
    """The end of a file of one byte, and of none that is asked for."""
    assert Span(0, 1) == span_of("bytes=0-", 1)
    assert span_of(None, 1) is None
    with pytest.raises(UnsatisfiableError):
        span_of("bytes=1-", 1)


def test_a_file_that_is_another_by_now(folder: Path, tmp_path: Path) -> None:
    """A file that was not the judged one, or is changed after it was checked, is refused in words;
    so is one that is gone, and one whose verdict has no SHA-256."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((folder / "a.mp4").read_bytes())
    gone = replace(judged(copy, finding("weapons", score=0.95)), id="v_gone")
    gone = replace(gone, source=replace(gone.source, uri=str(tmp_path / "gone.mp4")))
    bare = replace(judged(copy, finding("weapons", score=0.99)), id="v_bare")
    bare = replace(bare, source=replace(bare.source, uri=str(folder / "a.mp4"), sha256=None))
    log = tmp_path / "d.db"
    with served(log, judged(copy, finding("weapons")), gone, bare) as client:
        client.get(f"/?token={TOKEN}")
        assert "ready" == client.get("/api/cases/0/source").json()["state"]
        copy.write_bytes(copy.read_bytes() + b"x")
        for path in ("/cases/0/source/video", "/api/cases/0/source/stills"):
            answer = client.get(path)
            assert 409 == answer.status_code
        assert "has changed" in client.get("/cases/0/source/video").json()["message"]
        assert "no file" in client.get("/api/cases/1/source").json()["message"]
        assert "no SHA-256" in client.get("/cases/2/source/video").json()["message"]
    other = judged(folder / "a.mp4", finding("weapons"), name=str(copy))
    with served(tmp_path / "e.db", other) as client:
        client.get(f"/?token={TOKEN}")
        answer = client.get("/cases/0/source/video")
        assert (409, True) == (answer.status_code, "no longer the one" in answer.json()["message"])


def test_the_end_does_not_wait_for_a_check(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large file is checked the page says so; whoever waits for it when the server ends is
    told, at once."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(path: Path) -> Digests:
        begun.set()
        go_on.wait(20)
        return file_digests(path)

    monkeypatch.setattr(checked_files, "file_digests", slowly)
    monkeypatch.setattr(web, "CHECK_WAIT_S", 0.01)
    files = CheckedFiles()
    (one, other) = both(folder)
    waiting = [files.check(each.source.uri, each.source.sha256) for each in (one, other)]
    assert begun.wait(10)
    with served(tmp_path / "d.db", one) as client:
        client.get(f"/?token={TOKEN}")
        assert "checking" == client.get("/api/cases/0/source").json()["state"]
        files.close()
        for each in waiting:
            with pytest.raises(ReviewError, match="has ended"):
                each.result(1)
        go_on.set()
        assert 200 == client.get("/cases/0/source/video").status_code


def test_stills(client: TestClient) -> None:
    """What a browser cannot play is had as frames within the spans, by the sandboxed reader."""
    state = client.get("/api/cases/1/source").json()
    assert {"state": "ready", "playable": False} == state
    assert 409 == client.get("/cases/1/source/video").status_code
    times = client.get("/api/cases/1/source/stills").json()["times_s"]
    assert times == sorted(times)
    assert all(1.5 <= each <= 3.7 for each in times)
    assert len(times) >= 3
    picture = client.get("/cases/1/source/stills/0")
    assert ("image/jpeg", b"\xff\xd8") == (picture.headers["content-type"], picture.content[:2])


def test_what_is_told_of_a_case(folder: Path, tmp_path: Path) -> None:
    """Policy and severity, the pack's words for it where it is given, spans with their context;
    a verdict without a finding comes last, as a whole, with its error."""
    bad = replace(
        verdict("broken.mp4"), outcome="error", action="review",
        error=ErrorRecord(code="decode_failed", message="no \x1b frame"),
    )  # fmt: skip
    settings = PageSettings(pack=parse_pack(PACK, file="p.toml"))
    (one, _) = both(folder)
    with served(tmp_path / "d.db", bad, one, settings=settings) as client:
        client.get(f"/?token={TOKEN}")
        case = client.get("/api/case").json()["case"]
        assert ("weapons", "high", "Weapons & blades", "What cuts.") == tuple(
            case[key] for key in ("policy", "severity", "title", "description")
        )
        assert ([[1.5, 3.5]], [[2.0, 3.0]]) == (
            case["spans_s"], [[each["start_s"], each["end_s"]] for each in case["segments"]]
        )  # fmt: skip
        (evidence,) = case["evidence"]
        assert ("exemplar-0", False, 4.0) == tuple(
            evidence[key] for key in ("part", "at_hand", "distance")
        )
        whole = client.post("/api/skip", json={"number": 0, "seconds_viewed": 0}, headers=SAME)
        case = whole.json()["case"]
        assert (None, "no \\x1b frame", False, []) == tuple(
            case[key] for key in ("policy", "error", "flagged", "spans_s")
        )
        body = {**RULED, "number": 1, "ruling": "overturn", "reason": "technical"}
        assert client.post("/api/decision", json=body, headers=SAME).json()["case"] is None
    with DecisionLog(tmp_path / "d.db") as log:
        assert [(None, "technical")] == [(each.policy, each.reason) for each in log.decisions()]


def test_gold_cannot_be_told_apart(folder: Path, tmp_path: Path) -> None:
    """All that a browser gets of a gold item and of the same case when nobody knows the answer is
    the same, byte for byte, from the page to the end of the queue; only the log tells."""
    labels = tmp_path / "gold.csv"
    labels.write_text(f"uri,policy,label\n{folder / 'a.mp4'},weapons,violating\n")
    told, kinds = [], []
    for name, wanted in (("plain", None), ("gold", labels)):
        log = tmp_path / f"{name}.db"
        with served(log, *both(folder), gold=wanted) as client:
            answers = [client.get(f"/?token={TOKEN}"), client.get("/api/case")]
            for number in (0, 1):
                answers.append(client.get(f"/api/cases/{number}/source"))
                body = {**RULED, "number": number}
                answers.append(client.post("/api/decision", json=body, headers=SAME))
            answers.append(client.post("/api/undo", json={"seconds_viewed": 0}, headers=SAME))
        told.append(
            [
                (
                    each.status_code,
                    each.content,
                    sorted(each.headers.items()),
                )
                for each in answers
            ]
        )
        with DecisionLog(log) as held:
            kinds.append(sorted(each.kind for each in held.decisions()))
    assert told[0] == told[1]
    assert [["first", "first"], ["first", "gold"]] == kinds
    text = b"".join(content for _, content, _ in told[1])
    assert not any(word in text for word in (b"gold", b"v_a", b'kind":"first', b"violating"))
