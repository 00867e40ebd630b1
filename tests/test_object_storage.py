"""Scans of object storage, by a real client against a server: verdicts as of local files, nothing
lost or given away whatever the service does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import Library, Vscan
from tests.remote.emulators import CANARY_ID, CANARY_KEY, Bucket, forget_everything
from tests.remote.emulators import s3 as s3
from tests.remote.emulators import s3_server as s3_server
from tests.remote.fault_proxy import Before, Cut, FaultProxy, Reply, Seen, Status, Wait, forwarding
from vscan.remote import retrying

Line = dict[str, Any]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds between attempts: what is tested is not how long they are."""
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_WAIT_S", 0.01)


@pytest.fixture
def clips(s3: Bucket, library: Library) -> Bucket:
    """The small videos of the library in a bucket, with their pack and index."""
    for folder in ("clips", "index"):
        for path in sorted((library.folder / folder).rglob("*")):
            if path.is_file():
                s3.put(path.relative_to(library.folder).as_posix(), path.read_bytes())
    s3.put("known.toml", (library.folder / "known.toml").read_bytes())
    return s3


@pytest.fixture
def proxy(clips: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """What every request to the bucket goes through."""
    with FaultProxy(forwarding(clips.endpoint)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget_everything()
        yield proxy


def lines(path: Path) -> dict[str, Line]:
    """The records of a verdict file, by the last part of their URI."""
    records = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    found = {record["source"]["uri"].rpartition("/")[2]: record for record in records}
    assert len(found) == len(records)
    return found


def bare(record: Line) -> Line:
    """A record without what says where the video was."""
    source = {k: v for k, v in record["source"].items() if k not in ("uri", "version")}
    return {**record, "id": "", "source": source}


def fetches(proxy: FaultProxy) -> set[str]:
    """Names of the videos of which bytes were asked for."""
    return {
        seen.path.partition("?")[0].rpartition("/")[2]
        for seen in proxy.seen
        if seen.method == "GET" and "/clips/" in seen.path and ".mp4" in seen.path
    }


def of(name: str) -> Any:
    """Requests for the content of one object."""
    return lambda seen: seen.method == "GET" and seen.path.partition("?")[0].endswith(f"/{name}")


def test_the_same_verdicts_as_of_local_files(
    clips: Bucket, library: Library, vscan: Vscan, tmp_path: Path
) -> None:
    """Videos, pack, index, list and frame store behind URIs change nothing that is judged; and what
    the store holds is judged again without the videos."""
    local = ("--policy", library.folder / "known.toml", "--index", library.folder / "index")
    behind = ("--policy", f"{clips.uri}/known.toml", "--index", f"{clips.uri}/index")
    assert 3 == vscan("scan", library.clips, *local, "-o", tmp_path / "local.jsonl").code
    ran = vscan("scan", f"{clips.uri}/clips", *behind, "-o", tmp_path / "s3.jsonl")
    assert 3 == ran.code, ran.err
    expected, got = lines(tmp_path / "local.jsonl"), lines(tmp_path / "s3.jsonl")
    assert 3 == len(expected)
    assert {n: bare(r) for n, r in expected.items()} == {n: bare(r) for n, r in got.items()}
    assert all(r["source"]["version"].startswith("etag:") for r in got.values())

    clips.put(
        "list.jsonl", orjson.dumps({"uri": f"{clips.uri}/clips/deep/copy.mp4", "market": "DE"})
    )
    store = ("--store", f"{clips.uri}/frames", "--signals", "pdq")
    listed = ("--from-file", f"{clips.uri}/list.jsonl")
    ran = vscan("scan", *behind, *store, *listed, "-o", tmp_path / "kept.jsonl")
    assert 0 == ran.code, ran.err
    kept = lines(tmp_path / "kept.jsonl")["copy.mp4"]
    assert {"market": "DE"} == kept["source"]["meta"]
    assert kept["findings"] == got["copy.mp4"]["findings"]
    assert 0 == vscan("rescan", *behind, *store, "-o", tmp_path / "again.jsonl").code
    assert (tmp_path / "kept.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()

    for shard in ("1/2", "2/2"):
        run = ("--shard", shard, "-o", f"{clips.uri}/run/")
        assert vscan("scan", f"{clips.uri}/clips", *behind, *run).code in (0, 3)
    ran = vscan("verdicts", "merge", f"{clips.uri}/run/", "-o", tmp_path / "merged.jsonl")
    assert 0 == ran.code, ran.err
    assert got == lines(tmp_path / "merged.jsonl")


def test_a_rerun_fetches_only_what_changed(
    clips: Bucket, proxy: FaultProxy, vscan: Vscan, tmp_path: Path
) -> None:
    """What has its line under the same version is not asked for again; nor is what the store knows,
    where the pack is another one."""
    scan = ("scan", f"{clips.uri}/clips/", "--policy", f"{clips.uri}/known.toml",
            "--signals", "pdq", "--index", f"{clips.uri}/index")  # fmt: skip
    output = ("-o", tmp_path / "out.jsonl")
    vscan(*scan, *output)
    assert {"plain.mp4", "copy.mp4", "broken.mp4"} == fetches(proxy)
    before = (tmp_path / "out.jsonl").read_bytes()
    proxy.forget()
    ran = vscan(*scan, *output)
    assert "3 done before" in ran.err
    assert set() == fetches(proxy)
    assert before == (tmp_path / "out.jsonl").read_bytes()

    changed = clips.client.get_object(Bucket=clips.name, Key="clips/plain.mp4")["Body"].read()
    clips.put("clips/plain.mp4", changed + b"\0\0\0\x08free")
    vscan(*scan, *output)
    assert {"plain.mp4"} == fetches(proxy)
    old = [line for line in before.splitlines() if b"plain.mp4" in line]
    now = lines(tmp_path / "out.jsonl")
    assert 3 == len(now)
    assert now["plain.mp4"]["source"]["sha256"] != orjson.loads(old[0])["source"]["sha256"]

    store = ("--store", tmp_path / "frames")
    vscan(*scan, *store, "-o", tmp_path / "first.jsonl")
    proxy.forget()
    vscan(*scan, *store, "--flood-share", "0", "-o", tmp_path / "second.jsonl")
    assert {"broken.mp4"} == fetches(proxy)
    first, second = lines(tmp_path / "first.jsonl"), lines(tmp_path / "second.jsonl")
    assert first == second


def test_one_line_for_each_object_whatever_happens(
    clips: Bucket, proxy: FaultProxy, library: Library, vscan: Vscan, tmp_path: Path
) -> None:
    """Errors that pass cost nothing; those that stay are that object's `error`; nothing is `clear`
    that was not read, and a rerun tries again what may have passed."""
    good = library.good.read_bytes()
    names = ["500", "throttled", "slow", "reset", "changed", "down", "denied", "gone", "moving"]
    for name in names:
        clips.put(f"clips/{name}.mp4", good)
    refused = b"<Error><Code>SlowDown</Code></Error>"
    proxy.fault(Status(500), times=2, where=of("500.mp4"))
    proxy.fault(Status(503, body=refused), times=4, where=of("throttled.mp4"))
    proxy.fault(Wait(0.2), where=of("slow.mp4"))
    proxy.fault(Cut(len(good) // 2, reset=True), where=of("reset.mp4"))
    proxy.fault(Status(503), times=1000, where=of("down.mp4"))
    proxy.fault(Status(403), times=1000, where=of("denied.mp4"))
    proxy.fault(Status(404), times=1000, where=of("gone.mp4"))
    changes = iter(range(1000))

    def write(name: str) -> Before:
        content = good + b"\0\0\0\x0cfree"
        return Before(
            lambda: clips.put(f"clips/{name}", content + next(changes).to_bytes(4, "big"))
        )

    proxy.fault(write("changed.mp4"), where=of("changed.mp4"))
    proxy.fault(write("moving.mp4"), times=1000, where=of("moving.mp4"))
    scan = ("scan", f"{clips.uri}/clips/", "--policy", library.folder / "known.toml",
            "--index", library.folder / "index", "-o", tmp_path / "out.jsonl")  # fmt: skip
    ran = vscan(*scan)
    assert 3 == ran.code, ran.err
    got = lines(tmp_path / "out.jsonl")
    codes = {
        name: line["error"]["code"] for name, line in got.items() if line["outcome"] == "error"
    }
    assert {
        "down.mp4": "fetch_failed", "denied.mp4": "permission_denied", "gone.mp4": "not_found",
        "moving.mp4": "fetch_failed", "broken.mp4": "unsupported_format",
    } == codes  # fmt: skip
    whole = {
        "plain.mp4",
        "copy.mp4",
        "500.mp4",
        "throttled.mp4",
        "slow.mp4",
        "reset.mp4",
        "changed.mp4",
    }
    assert whole == {name for name, line in got.items() if line["samples"]}
    assert whole | set(codes) == set(got)
    assert 1.0 == min(got[name]["samples"]["coverage"] for name in whole)

    proxy.forget()
    ran = vscan(*scan)
    assert {"down.mp4", "denied.mp4", "gone.mp4", "moving.mp4"} == fetches(proxy)
    again = lines(tmp_path / "out.jsonl")
    assert {"broken.mp4"} == {n for n, line in again.items() if line["outcome"] == "error"}


def test_a_listing_that_breaks_off_is_no_end(
    clips: Bucket, proxy: FaultProxy, vscan: Vscan, tmp_path: Path
) -> None:
    """Nobody knows what is missing: the run fails, and the next one goes on."""
    proxy.fault(Status(503), times=1000, where=lambda seen: "list-type" in seen.path)
    scan = ("scan", f"{clips.uri}/clips/", "--policy", f"{clips.uri}/known.toml",
            "--index", f"{clips.uri}/index", "-o", tmp_path / "out.jsonl")  # fmt: skip
    ran = vscan(*scan)
    assert 2 == ran.code
    assert "cannot be listed" in ran.err
    assert "see to the network and the service" in ran.err
    assert "the same command goes on" in ran.err


def test_nothing_is_given_away(
    clips: Bucket, proxy: FaultProxy, library: Library, vscan: Vscan, tmp_path: Path
) -> None:
    """Keys and signatures are in no line, note, error or summary; a web server of a private network
    is asked only where that is allowed; a URL signed anew is the same source."""
    secrets = ("CANARYSIGNATURE", "canary-token", "canarypass", CANARY_KEY, CANARY_ID)

    def web(seen: Seen) -> Reply:
        body = library.good.read_bytes() if "good" in seen.path else b"no"
        return Reply(200 if "good" in seen.path else 403, {"etag": '"1"'}, body)

    at = tmp_path / "out.jsonl"
    with FaultProxy(web) as server:
        host = server.url.removeprefix("http://")
        urls = [
            f"http://user:canarypass@{host}/{name}.mp4?id=7&X-Amz-Signature=CANARYSIGNATURE{k}"
            f"&token=canary-token"
            for k, name in enumerate(("good", "denied"))
        ]
        (tmp_path / "list").write_text("\n".join([*urls, f"{clips.uri}/clips/plain.mp4"]), "utf-8")
        proxy.fault(Status(403, body=CANARY_ID.encode()), times=9, where=of("plain.mp4"))
        scan = ("scan", urls[0], "--from-file", tmp_path / "list", "--policy",
                library.folder / "known.toml", "--index", library.folder / "index",
                "-o", tmp_path / "out.jsonl")  # fmt: skip
        ran = vscan(*scan)
        assert [] == server.seen
        told = [ran.err + ran.out.decode()]
        refused = lines(at).values()
        assert ["permission_denied"] * 3 == [line["error"]["code"] for line in refused]
        ran = vscan(*scan, "--allow-private-hosts")
        told.append(ran.err + ran.out.decode())
    told += [path.read_text("utf-8") for path in sorted(tmp_path.glob("out*"))]
    assert [] == [secret for secret in secrets for text in told if secret in text]
    uris = [orjson.loads(line)["source"]["uri"] for line in at.read_bytes().splitlines()]
    assert sorted(uris) == [
        f"http://{host}/denied.mp4?id=7",
        f"http://{host}/good.mp4?id=7",
        f"{clips.uri}/clips/plain.mp4",
    ]
