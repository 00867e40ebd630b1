"""The Ray engine: the verdicts of the local one; what it sends, counts and refuses."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Library, Vscan

from vscan.embeddings.lanes import Images, Vectors
from vscan.engines.answers import Answer
from vscan.engines.batching import SharedBatches
from vscan.engines.done_ids import DoneIds, Keys, packed
from vscan.engines.model_actor import PICTURES_AHEAD, ModelActor, RemoteModels, threads_told
from vscan.engines.ray import windows
from vscan.engines.ray_cluster import Cluster
from vscan.engines.ray_reading import MakeAnswering
from vscan.errors import (
    ModelError,
    ModelLoadError,
    OutputError,
    PackError,
    SourceError,
    UsageError,
    VscanError,
)
from vscan.name_keys import SECRET, key_of
from vscan.scanning import prepare, run_scan
from vscan.scanning.elsewhere import Shipped, Worker, absolute, refuse_difference
from vscan.scanning.prepared import Spread
from vscan.settings import ScanSettings
from vscan.sources import Source
from vscan.verdicts import Provenance, parse_verdict, verdict_id

PROVENANCE = Provenance(vscan="1", pack="p@1#sha256:0", sampling="fps:1", signals=("pdq",))


@pytest.fixture
def short_temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty system folder for what does not last, its name short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="v", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_the_local_engines_verdicts(
    vscan: Vscan, library: Library, tmp_path: Path, short_temp: Path
) -> None:
    """Line for line what the local engine writes, with the model in an actor of its own, a broken
    file, and an output that holds a part already; Ray leaves nothing on stdout, stderr or disk."""
    pytest.importorskip("ray")
    rules = ("--policy", "demo", "--model", "builtin", "--index", library.folder / "index")
    command = ("scan", library.clips, *map(str, rules), "--workers", "1")
    whole, resumed = tmp_path / "local.jsonl", tmp_path / "ray.jsonl"
    told = vscan(*command, "-o", whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    assert (3, 3) == (told.code, len(lines))
    done = next(line for line in lines if parse_verdict(line).outcome != "error")
    resumed.write_bytes(done)
    ran = vscan(*command, "--engine", "ray", "-o", resumed)
    assert (3, b"") == (ran.code, ran.out)
    assert sorted(lines) == sorted(resumed.read_bytes().splitlines(keepends=True))
    assert "3 videos: " in ran.err
    assert "1 done before" in ran.err
    assert [] == [line for line in ran.err.splitlines() if not line.startswith("vscan: ")]
    assert [] == list(short_temp.glob("vscan-ray-*"))
    import ray

    assert not ray.is_initialized()


# What is drawn, sent and counted


def test_windows() -> None:
    """Sources are drawn a window at a time, with absolute paths, their names as they were."""
    drawn = 0

    def endless() -> Iterator[Source]:
        nonlocal drawn
        for number in itertools.count():
            drawn += 1
            yield Source(f"{number}.mp4", Path(f"{number}.mp4"), {"k": number})

    found = windows(endless(), 5)
    first, second = next(found), next(found)
    assert (10, 5, 5) == (drawn, len(first), len(second))
    assert Source("7.mp4", Path.cwd() / "7.mp4", {"k": 7}) == second[2]
    assert [[3], [1]] == [[len(each)] for each in windows(itertools.islice(endless(), 4), 3)]
    assert [] == list(windows([], 3))


def test_done_ids() -> None:
    """Each id that was given is known, in whatever order, and no other one."""
    ids = [verdict_id(f"{number}.mp4", None, PROVENANCE) for number in range(500)]

    def keys_of(some: Iterable[str]) -> Keys:
        return packed(key_of(each.encode()) for each in some)

    known = DoneIds(keys_of(reversed(ids[:300])), SECRET)
    assert [True] * 300 + [False] * 200 == [each in known for each in ids]
    assert ids[0] not in DoneIds(packed([]), SECRET)
    keys = keys_of(ids[:2])
    twins = np.concatenate([keys, keys ^ np.array([0, 1], np.uint64)])
    others = keys ^ np.array([0, 1], np.uint64)
    assert ids[0] in DoneIds(np.unique(twins, axis=0), SECRET)
    assert ids[0] not in DoneIds(np.unique(others, axis=0), SECRET)
    assert ids[0] not in DoneIds(keys, b"another process")


def test_answers_cross_over() -> None:
    """A row gives the answer back; a failure is the error that it was, with its remedy."""
    answer = Answer("verdict", b'{"a":"\xc3\xbc"}\n', ("a track", "another"))
    row = {name: values[0] for name, values in answer.row().items()}
    assert answer == Answer.of_row(row)
    for error in (ModelLoadError("no", remedy="r"), OutputError("full", remedy="free")):
        told = Answer.of_failure(error).failure()
        assert (type(error), error.message, error.remedy) == (type(told), told.message, told.remedy)
    for other in (PackError((), remedy="r"), SourceError("internal", "odd"), VscanError("v")):
        assert isinstance(Answer.of_failure(other).failure(), UsageError)


def test_paths_are_sent_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local paths become absolute ones; names of shipped packs and URIs stay."""
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    behind = ScanSettings(policy="s3://b/a.toml", indexes=("gs://b/i",), store="az://c/f")
    assert behind == absolute(behind)
    sent = absolute(ScanSettings(policy="a.toml", indexes=("i",), weights="w", store="s"))
    assert (f"{here}/a.toml", (f"{here}/i",)) == (sent.policy, sent.indexes)
    assert (f"{here}/w", f"{here}/s") == (sent.weights, sent.store)
    settings = ScanSettings(policy="demo", store="s3://bucket/frames")
    assert settings == absolute(settings)


def shipped(library: Library, **changes: object) -> Shipped:
    """What the workers of a scan of the library's rules are sent."""
    settings = ScanSettings(
        policy=str(library.folder / "known.toml"), indexes=(str(library.folder / "index"),)
    )
    prepared = prepare(settings)
    provenance = replace(prepared.rules.provenance, **changes)  # type: ignore[arg-type]
    return Shipped(
        settings=settings, recipe=prepared.recipe, provenance=provenance,
        now="2026-01-01T00:00:00Z", prompts=None, warnings=(),
    )  # fmt: skip


def test_a_worker_that_sees_something_else(library: Library) -> None:
    """It refuses the work, and names what differs and how; the same is no difference."""
    refuse_difference(PROVENANCE, PROVENANCE)
    done = DoneIds(packed([]), SECRET)
    Worker(shipped(library), done, lambda: None)
    with pytest.raises(UsageError) as caught:
        Worker(shipped(library, vscan="0.0.1", indexes={"known": "sha256:1"}), done, lambda: None)
    assert " there, 0.0.1 here" in caught.value.message
    assert "{'known': 'sha256:1'} here" in caught.value.message
    assert "pack" not in caught.value.message


def test_scratch_space_on_this_machine(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers share what --scratch-bytes grants, also where they are more than the cores, and what
    they leave below --scratch goes at the end."""
    settings = ScanSettings(
        policy=str(library.folder / "known.toml"), indexes=(str(library.folder / "index"),),
        scratch=str(tmp_path), scratch_bytes=100 << 20, workers=100,
    )  # fmt: skip
    left: list[Path] = []

    def run(_sources: object, make: MakeAnswering, **_told: object) -> Iterator[Answer]:
        worker = make(DoneIds(packed([]), SECRET), lambda: None)
        assert isinstance(worker, Worker)
        scratch = vars(worker)["_work"].scratch
        left.append(scratch.made())
        assert 1 << 20 == vars(scratch)["_most_bytes"]
        yield worker.given_up(Source("a.mp4", Path("/a.mp4")))

    monkeypatch.setattr("vscan.engines.ray.run", run)
    cluster = Cluster(is_local=True, owned=False, folder=None)
    prepared = replace(prepare(settings), spread=Spread(cluster, settings, "2026-01-01T00:00:00Z"))
    assert 1 == len(list(run_scan(prepared, [])))
    assert left[0].is_relative_to(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_source_that_is_given_up(library: Library) -> None:
    """A source on which workers die gets its line: an error that a rerun tries again."""
    worker = Worker(shipped(library), DoneIds(packed([]), SECRET), lambda: None)
    verdict = parse_verdict(worker.given_up(Source("a.mp4", Path("/a.mp4"), {"k": 1})).body)
    assert verdict.error is not None
    assert ("error", "worker_died", {"k": 1}) == (
        verdict.outcome, verdict.error.code, verdict.source.meta
    )  # fmt: skip


class Sizes:
    """An encoder that notes the size of every batch."""

    batch_size = 8
    batches_at_once = 1
    calls_at_once = 1

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def encode_images(self, images: Images) -> Vectors:
        """(N, 3) zeros."""
        self.sizes.append(len(images))
        return np.zeros((len(images), 3), np.float32)


def test_batches_wait_for_others() -> None:
    """Where others may come, callers who each wait at once share a batch, and the last one's
    batch goes although it is not full."""
    encoder, together = Sizes(), threading.Barrier(4)
    with (
        SharedBatches(encoder, others_may_come=True) as batches, ThreadPoolExecutor(4) as pool,
    ):  # fmt: skip

        def call(_: int) -> int:
            together.wait()
            return len(batches.submit(np.zeros((2, 4, 4, 3), np.uint8)).result(60))

        assert [2, 2, 2, 2] == list(pool.map(call, range(4)))
        assert [8] == encoder.sizes
        assert 1 == len(batches.submit(np.zeros((1, 4, 4, 3), np.uint8)).result(60))


class Handle:
    """An actor's handle, for calls that end when they are told to."""

    def __init__(self) -> None:
        self.calls: list[Future[Vectors]] = []
        self.embed = self
        self.begin = self

    def remote(self, *_images: Images) -> Handle:
        """A call, which is its own reference."""
        self.calls.append(Future())
        return self

    def future(self) -> Future[Vectors]:
        """Of the latest call."""
        return self.calls[-1]


def test_pictures_under_way_are_bounded() -> None:
    """Reading pauses while the model has not answered; models take turns; they begin once."""
    handles = Handle(), Handle()
    models = RemoteModels(handles, first=1)
    pictures = np.zeros((PICTURES_AHEAD - 1, 2, 2, 3), np.uint8)
    told = models.embed(pictures)
    assert (0, 1) == (len(handles[0].calls), len(handles[1].calls))
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(models.embed, pictures)
        assert not wait([second], 0.1).done
        handles[1].calls[0].set_result(np.ones((1, 3), np.float32))
        second.result(60)
    assert told.result(0).tolist() == [[1, 1, 1]]
    assert (1, 1) == (len(handles[0].calls), len(handles[1].calls))
    models.begin()
    models.begin()
    assert (2, 2) == (len(handles[0].calls), len(handles[1].calls))


def test_a_model_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that a node lacks end the run and make no video an error; the model takes as many
    cores as the driver was told."""
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

    def absent() -> Sizes:
        raise ModelError("no weights", remedy="pull them")

    actor = ModelActor(absent, {"OMP_NUM_THREADS": "3"})
    assert {"OMP_NUM_THREADS": "3"} == dict(os.environ) == threads_told()
    with pytest.raises(ModelLoadError, match="no weights"):
        actor.embed(np.zeros((1, 2, 2, 3), np.uint8))


# What is refused


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--ray-address", "auto"), "add --engine ray"),
        (("--model-actors", "2"), "add --engine ray"),
        (("--engine", "ray", "--timings"), "--timings measures one process"),
        (("--engine", "ray", "--ray-address", "ray://h:10001"), "ray job submit"),
        (("--engine", "ray", "--ray-address", "127.0.0.1:9"), "no Ray cluster can be used at"),
    ],
)
def test_what_cannot_be(
    vscan: Vscan, library: Library, options: tuple[str, ...], says: str
) -> None:
    """Options that do not go together, and addresses behind which there is no cluster."""
    if "--ray-address" in options and "ray" in options:
        pytest.importorskip("ray")
    ran = vscan("scan", library.clips, *library.rules, *options)
    assert (2, b"") == (ran.code, ran.out)
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_without_ray(vscan: Vscan, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray is not installed the error says what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = vscan("scan", library.clips, *library.rules, "--engine", "ray")
    assert 2 == ran.code
    assert "pip install 'vscan[ray]'" in ran.err


def test_a_certain_gpu_is_not_for_us_to_choose() -> None:
    """Ray says which GPU an actor gets: a number is refused before anything is asked."""
    cluster = Cluster(is_local=True, owned=False, folder=None)
    with pytest.raises(UsageError, match="for Ray to say"):
        cluster.compute("cuda:1", "auto")
    cluster.close()
