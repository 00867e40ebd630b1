"""What the page is told, what it may ask for, and that a gold item looks like any case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from tests.decisions.made import verdict
from tests.review.asked import PACK, RULED, SAME, both, served
from tests.review.served import TOKEN
from vscan.decisions.log import DecisionLog
from vscan.policies.pack import parse_pack
from vscan.review.case_view import case_view
from vscan.review.queue import QueuedCase
from vscan.review.web import PageSettings
from vscan.verdicts import ErrorRecord


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


def test_a_line_of_an_older_vscan(folder: Path) -> None:
    """A match without a speed is one at the speed of its exemplar."""
    (one, _) = both(folder)
    record = one.as_dict()
    del record["findings"][0]["evidence"][0]["speed"]
    case = QueuedCase(record=record, policy="weapons")
    (told,) = case_view(case, context_s=0.0, find_exemplar=lambda *_: None)["evidence"]
    assert 1.0 == told["speed"]


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
