"""Fetches one large file of the Hugging Face hub into the hub's cache, resumable across runs.

huggingface_hub resumes within one call and throws a part away when the call ends. Weights are
large and people press Ctrl-C, so the part is kept beside the hub's blobs and the next call goes on
from it; the whole file then becomes the blob, and huggingface_hub itself files it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit


def fetch_resumably(repo: str, file: str, cache: Path) -> Path:
    """The cached path of `file` in `repo`; asks the hub for its newest version, with progress.

    Raises what huggingface_hub raises, and OSError where the disk refuses.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name

    # Public by its documentation, though not listed for type checkers.
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        WeakFileLock,
        build_hf_headers,
    )

    url = hf_hub_url(repo, file)
    found = get_hf_file_metadata(url)
    if found.etag is not None and found.size is not None:
        blobs = cache / repo_folder_name(repo_id=repo, repo_type="model") / "blobs"
        blob, part = blobs / found.etag, blobs / f"{found.etag}.part"
        blobs.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(blobs / f"{found.etag}.lock"):
            if not blob.exists():
                # A token is for the hub alone, not for wherever it sends us.
                elsewhere = urlsplit(found.location).netloc != urlsplit(url).netloc
                headers = build_hf_headers(token=False if elsewhere else None)
                part.touch()
                with part.open("r+b") as target:
                    if target.seek(0, 2) > found.size:
                        target.seek(0)
                        target.truncate()
                    http_get(
                        found.location,
                        target,
                        resume_size=target.tell(),
                        headers=headers,
                        expected_size=found.size,
                        displayed_filename=f"{repo}/{file}",
                    )
                part.replace(blob)
    return Path(hf_hub_download(repo, file, cache_dir=cache))
