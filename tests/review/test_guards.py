"""Who may talk to the page's server, and how far: every other request is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.review.asked import RULED, SAME
from tests.review.served import TOKEN
from vscan.decisions.log import DecisionLog
from vscan.review.guards import HEADERS, MOST_BODY_BYTES


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
        ({"Content-Length": "5", "Transfer-Encoding": "chunked"}, 411),
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
