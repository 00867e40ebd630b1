"""Weights of named models: found, fetched, resumed, verified, and what is said otherwise."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.embeddings.hub_server import HubServer
from vscan.embeddings import weights
from vscan.embeddings.registry import BUILTIN, DEFAULT_MODEL, MODELS, NamedModel
from vscan.errors import ModelError

MODEL = MODELS[DEFAULT_MODEL]
CONTENT = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"{MODEL.repo}/{MODEL.file}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache of the test's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that holds the default model's weights."""
    with HubServer({NAME: CONTENT}) as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        yield server


def test_pull_fetches_finds_and_verifies(hub: HubServer) -> None:
    """What the hub sends is afterwards found without asking again, and has its SHA-256."""
    path = weights.pull_weights(MODEL)
    asked = len(hub.requests)
    assert path == weights.find_weights(MODEL)
    assert CONTENT == path.read_bytes()
    expected = weights.WeightsReport(MODEL.name, "ok", path, DIGEST, DIGEST)
    assert expected == weights.verify_weights(MODEL)
    assert asked == len(hub.requests)


def test_pull_twice_downloads_once(hub: HubServer) -> None:
    """Pulling what is there sends no bytes again."""
    weights.pull_weights(MODEL)
    weights.pull_weights(MODEL)
    assert 1 == len(hub.ranges())


def test_a_cut_connection_goes_on_where_it_stopped(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cut, only the rest is asked for, and the file is whole."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.cuts = 1
    path = weights.pull_weights(MODEL)
    assert ["", f"bytes={len(CONTENT) // 2}-"] == hub.ranges()
    assert CONTENT == path.read_bytes()


def test_a_later_pull_goes_on_where_an_earlier_one_gave_up(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before the connection failed for good is not fetched again by the next pull."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    hub.cuts = 1000
    with pytest.raises(ModelError, match="could not be pulled") as caught:
        weights.pull_weights(MODEL)
    assert "what came is kept" in caught.value.remedy
    hub.cuts = 0
    hub.requests.clear()
    assert CONTENT == weights.pull_weights(MODEL).read_bytes()
    assert 1 == len(hub.ranges())
    assert int(hub.ranges()[0].removeprefix("bytes=").rstrip("-")) > len(CONTENT) // 2


def test_a_part_longer_than_the_file_is_started_again(hub: HubServer, cache: Path) -> None:
    """A part that cannot be the beginning of the file is dropped, not sent along."""
    blobs = cache / f"models--{MODEL.repo.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{DIGEST}.part").write_bytes(CONTENT + b"more")
    assert CONTENT == weights.pull_weights(MODEL).read_bytes()


def test_other_bytes_than_announced_are_refused_and_deleted(hub: HubServer) -> None:
    """A download whose SHA-256 is not the announced one raises, and is not kept."""
    hub.announced[NAME] = "a" * 64
    with pytest.raises(ModelError, match="expected was aaaa") as caught:
        weights.pull_weights(MODEL)
    assert f"vscan models pull {MODEL.name}" in caught.value.remedy
    assert weights.find_weights(MODEL) is None


def test_a_digest_of_the_registry_comes_first(hub: HubServer) -> None:
    """Weights that the hub announces rightly are refused where the registry knows another SHA."""
    strict = dataclasses.replace(MODEL, sha256="b" * 64)
    with pytest.raises(ModelError, match="expected was bbbb"):
        weights.pull_weights(strict)


def test_a_changed_byte_on_disk_is_found(hub: HubServer) -> None:
    """`verify` reports weights of which one byte was changed after the pull."""
    path = weights.pull_weights(MODEL)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    report = weights.verify_weights(MODEL)
    assert ("damaged", DIGEST) == (report.state, report.expected)


def test_tokenizer_files_come_along(hub: HubServer) -> None:
    """A model with a tokenizer of its own is there only with all its files."""
    siglip = MODELS["ViT-B-32-SigLIP2-256"]
    for file in (siglip.file, *siglip.extra_files):
        hub.files[f"{siglip.repo}/{file}"] = file.encode()
    assert not weights.is_complete(siglip)
    folder = weights.pull_weights(siglip).parent
    assert weights.is_complete(siglip)
    assert sorted((siglip.file, *siglip.extra_files)) == sorted(p.name for p in folder.iterdir())


def test_a_repository_without_safetensors_says_so(hub: HubServer) -> None:
    """A repository that has only pickled weights is an error that says what to do."""
    other = MODELS["ViT-L-14-datacomp"]
    with pytest.raises(ModelError, match=r"has no file open_clip_model\.safetensors") as caught:
        weights.pull_weights(other)
    assert "pickled" in caught.value.remedy


def test_offline_is_respected(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_HUB_OFFLINE: nothing is asked, and the error names it."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        weights.pull_weights(MODEL)
    assert [] == hub.requests


@pytest.mark.parametrize("model", [m for m in MODELS.values() if m.repo], ids=lambda m: m.name)
def test_absent_weights_say_what_to_run(model: NamedModel) -> None:
    """Absent weights name the command that fetches them, and the way without a network."""
    assert weights.verify_weights(model).state == "absent"
    with pytest.raises(ModelError, match=model.name) as caught:
        weights.require_weights(model)
    assert f"vscan models pull {model.name}" in caught.value.remedy
    assert "--weights FILE" in caught.value.remedy


def test_the_builtin_model_is_held_to_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in weights are `ok` with the digest in SHA256SUMS, `damaged` with another."""
    folder = tmp_path / "builtin"
    folder.mkdir()
    (folder / "open_clip_model.safetensors").write_bytes(CONTENT)
    monkeypatch.setattr(weights, "BUILTIN_DIR", folder)
    assert "unverified" == weights.verify_weights(MODELS[BUILTIN]).state
    sums = folder / "SHA256SUMS"
    sums.write_text(f"{DIGEST}  open_clip_model.safetensors\n", "utf-8")
    assert "ok" == weights.verify_weights(MODELS[BUILTIN]).state
    sums.write_text(f"{'0' * 64}  open_clip_model.safetensors\n", "utf-8")
    assert "damaged" == weights.verify_weights(MODELS[BUILTIN]).state


def test_pulling_the_builtin_model_asks_nobody(hub: HubServer) -> None:
    """`builtin` is in the package: pulling it gives its path and sends no request."""
    assert weights.find_weights(MODELS[BUILTIN]) == weights.pull_weights(MODELS[BUILTIN])
    assert [] == hub.requests
