"""Where a named model's weights are, how they get there, and whether they are the right ones.

Named models live in the Hugging Face hub's own cache (HF_HOME and HF_HUB_CACHE are honoured), so
that other tools share the download. That cache names a large file by the SHA-256 the hub gave for
it; this name is the digest recorded at the first pull, and loading and `verify` hold the file to
it. A SHA-256 known to the registry comes before it. The built-in model's digest is in the package.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vscan.embeddings.hub_download import fetch_resumably
from vscan.embeddings.registry import BUILTIN, SAFETENSORS_NAME, NamedModel
from vscan.errors import ModelError

BUILTIN_DIR = Path(__file__).parent / "builtin"
_DIGEST = re.compile(r"[0-9a-f]{64}")

WeightsState = Literal["ok", "absent", "damaged", "unverified"]
"""`unverified`: the file is there, and nobody has said what its SHA-256 should be."""


@dataclass(frozen=True)
class WeightsReport:
    """What a check of one model's weights found."""

    model: str
    state: WeightsState
    path: Path | None = None
    sha256: str | None = None
    """Of the file as it is; None where there is none."""
    expected: str | None = None
    """As the registry, the hub or the package says; None where nobody does."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal. Raises ModelError if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"{path}: the weights cannot be read: {error.strerror or error}",
            remedy="check that the file is there and that you may read it",
        ) from error


def hub_cache() -> Path:
    """The folder in which the hub's files are kept on this machine."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def find_weights(model: NamedModel) -> Path | None:
    """The model's weights on this machine, or None. Never asks the network."""
    if model.name == BUILTIN:
        path = BUILTIN_DIR / SAFETENSORS_NAME
        return path if path.is_file() else None
    return _cached(model, model.file)


def _cached(model: NamedModel, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model.repo, file, cache_dir=hub_cache())
    return Path(found) if isinstance(found, str) else None


def is_complete(model: NamedModel) -> bool:
    """Whether every file that the model needs is on this machine."""
    return find_weights(model) is not None and all(
        _cached(model, file) is not None for file in model.extra_files
    )


def require_weights(model: NamedModel) -> Path:
    """The model's weights on this machine; raises ModelError that says how to get them."""
    path = find_weights(model)
    if path is not None:
        return path
    if model.name == BUILTIN:
        raise ModelError(
            f"the built-in model's weights are missing from the package ({BUILTIN_DIR})",
            remedy="install vscan again; its wheel holds them",
        )
    raise ModelError(
        f"the weights of {model.name} are not on this machine",
        remedy=f"run `vscan models pull {model.name}` (about {model.bytes / 1e6:.0f} MB,"
        f" {model.licence}); without a network, copy {model.file} of {model.repo} here from a"
        f" machine that has one and add `--model {model.name} --weights FILE`",
    )


def expected_sha256(model: NamedModel, path: Path) -> str | None:
    """The SHA-256 that the weights at `path` should have, or None where nobody has said."""
    if model.sha256 is not None:
        return model.sha256
    if model.name == BUILTIN:
        return _builtin_digest(path.name)
    digest = _blob(path).name
    return digest if _DIGEST.fullmatch(digest) else None


def _blob(path: Path) -> Path:
    """What a name in the hub's cache points to, one step on: the hub may share blobs further."""
    return path.parent / path.readlink() if path.is_symlink() else path


def _builtin_digest(file: str) -> str | None:
    sums = BUILTIN_DIR / "SHA256SUMS"
    if not sums.is_file():
        return None
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition(" ")
        if name.strip().lstrip("*") == file and _DIGEST.fullmatch(digest):
            return digest
    return None


def verify_weights(model: NamedModel) -> WeightsReport:
    """Compare the SHA-256 of the model's weights with the expected one. Reads the whole file."""
    path = find_weights(model)
    if path is None:
        return WeightsReport(model.name, "absent")
    expected, found = expected_sha256(model, path), sha256_of(path)
    state: WeightsState = "ok" if found == expected else "damaged"
    return WeightsReport(
        model.name, "unverified" if expected is None else state, path, found, expected
    )


def pull_weights(model: NamedModel) -> Path:
    """Fetch what the model needs into the hub's cache, with progress on stderr, and verify it.

    A broken download goes on where it stopped when pulled again. Raises ModelError where the hub
    cannot be reached, does not have the file, or sends other bytes than it announced (they are
    deleted).
    """
    if model.name == BUILTIN:
        return require_weights(model)
    with _hub_errors(model):
        from huggingface_hub import constants, errors, hf_hub_download

        if constants.HF_HUB_OFFLINE and not is_complete(model):
            raise errors.OfflineModeIsEnabled
        path = fetch_resumably(model.repo, model.file, hub_cache())
        for file in model.extra_files:
            hf_hub_download(model.repo, file, cache_dir=hub_cache())
    report = verify_weights(model)
    if report.state == "damaged":
        _blob(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise ModelError(
            f"{model.repo}/{model.file}: the bytes that came have SHA-256 {report.sha256},"
            f" expected was {report.expected}; they are deleted",
            remedy=f"run `vscan models pull {model.name}` again; if it happens twice, the source"
            " or something on the way changes the file",
        )
    return path


@contextmanager
def _hub_errors(model: NamedModel) -> Iterator[None]:
    """Where huggingface_hub's errors become ModelError."""
    from huggingface_hub import errors

    # httpx for huggingface_hub 1, httpx2 for 2: its own import of the class fits either.
    transport_error = errors.HTTPError  # type: ignore[attr-defined]  # imported there, not listed
    from_elsewhere = (
        f"without a network, copy {model.file} here from a machine that has one and use"
        f" `--model {model.name} --weights FILE`"
    )
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(
            f"{model.name} was not pulled: HF_HUB_OFFLINE forbids the network",
            remedy=f"unset HF_HUB_OFFLINE, or {from_elsewhere}",
        ) from error
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{model.repo} asks for an account that has accepted its terms",
            remedy="accept them on the hub, put a token into HF_TOKEN and pull again",
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise ModelError(
            f"{model.repo} has no file {model.file}",
            remedy="vscan reads no pickled weights; docs/models.md says how to turn a .bin into"
            " .safetensors on a machine that you trust with it",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise ModelError(
            f"the hub knows no repository {model.repo}",
            remedy=f"check HF_ENDPOINT if you use a mirror, or {from_elsewhere}",
        ) from error
    except (errors.LocalEntryNotFoundError, transport_error, OSError) as error:
        cause = str(error.__cause__ or error).strip().splitlines() or ["no reason given"]
        raise ModelError(
            f"{model.name} could not be pulled from {model.repo}: {cause[0]}",
            remedy="check the network, the proxy and HF_ENDPOINT and run it again (what came is"
            f" kept); or {from_elsewhere}",
        ) from error
