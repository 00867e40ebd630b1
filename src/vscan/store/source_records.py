"""What a frame store knows of one URI: content, probe, coverage, tracks, or why it was not read.

A record is a JSON object that ends with the SHA-256 of what stands before, so that a flipped byte
is noticed and the record is parsed but once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from vscan.media import ReadReport, VideoInfo
from vscan.store.layout import is_key, is_sha256, source_path
from vscan.store.readings import info_object, info_of, report_object, report_of, texts_by_name
from vscan.store.specs import SIGNALS, TrackSpec
from vscan.verdicts import ErrorRecord

SOURCE_SCHEMA = "vscan.source/1"
_URI = re.compile(rb'"uri":("(?:[^"\\]|\\.)*")')
_BEFORE_DIGEST, _AFTER_DIGEST = b',"digest":"', b'"}\n'
_ENDING_BYTES = len(_BEFORE_DIGEST) + 64 + len(_AFTER_DIGEST)


@dataclass(frozen=True, kw_only=True)
class StoredSource:
    """What is known of one URI."""

    uri: str
    """As in the verdict's record: `names.record_uri`."""
    sha256: str | None
    md5: str | None
    bytes: int | None
    meta: Mapping[str, Any]
    """What the input list said of it."""
    info: VideoInfo | None
    """None where it could not be read, as `report`."""
    report: ReadReport | None
    """Without `cost_s`, which is not kept."""
    tracks: Mapping[str, str]
    """Signal to the key of its track."""
    specs: Mapping[str, Mapping[str, str]]
    """Signal to what its track was made by; also what was asked for where it could not be read."""
    error: ErrorRecord | None
    """Why it could not be read, as in the verdict."""
    version: str | None = None
    """As in the verdict's record."""


@dataclass(frozen=True)
class DamagedSource:
    """A source record that is not what was written."""

    name: str
    """The file, below the store's folder."""
    problem: str
    is_readable: bool = True
    """False where the system or the service would not give it: it may be whole."""
    uri: str | None = None
    """Whose record it was, where that can still be read: the file's name proves it."""


def uri_in(data: bytes, name: str) -> str | None:
    """The URI that a damaged record in a file of that name still tells; None where it does not."""
    found = _URI.search(data)
    if found is None:
        return None
    try:
        uri = orjson.loads(found.group(1))
    except orjson.JSONDecodeError:
        return None
    return uri if source_path(uri) == name else None


def encode_source(record: StoredSource) -> bytes:
    """The file of a record. Raises ValueError where its tracks and specs do not fit each other, and
    TypeError for what JSON cannot hold."""
    if not record.tracks.keys() <= record.specs.keys() or any(
        TrackSpec(signal, record.specs[signal]).key != key for signal, key in record.tracks.items()
    ):
        raise ValueError(f"keys that are not those of the specs: {record.tracks}, {record.specs}")
    if record.tracks and record.sha256 is None:
        raise ValueError("tracks of an unknown content")
    body = orjson.dumps(
        {
            "schema": SOURCE_SCHEMA,
            "uri": record.uri,
            "sha256": record.sha256,
            "md5": record.md5,
            "bytes": record.bytes,
            "meta": dict(record.meta),
            "info": None if record.info is None else info_object(record.info),
            "report": None if record.report is None else report_object(record.report),
            "tracks": dict(record.tracks),
            "specs": {signal: dict(made_by) for signal, made_by in record.specs.items()},
            "error": record.error,
            **({} if record.version is None else {"version": record.version}),
        }
    )
    digest = hashlib.sha256(body).hexdigest().encode()
    return body[:-1] + _BEFORE_DIGEST + digest + _AFTER_DIGEST


def decode_source(data: bytes, name: str) -> StoredSource:
    """The record in a file of that name. Raises ValueError that says what is wrong with it."""
    body, ending = data[:-_ENDING_BYTES] + b"}", data[-_ENDING_BYTES:]
    digest = hashlib.sha256(body).hexdigest().encode()
    if ending != _BEFORE_DIGEST + digest + _AFTER_DIGEST:
        raise ValueError("its content is not that of its digest")
    try:
        fields = orjson.loads(body)
        if fields["schema"] != SOURCE_SCHEMA:
            raise ValueError(f"it is of another version: {fields['schema']!r}")
        record = _source(fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not what vscan writes: {error}") from error
    if source_path(record.uri) != name:
        raise ValueError("it is the record of another URI")
    return record


def _source(fields: Any) -> StoredSource:
    tracks = texts_by_name(fields["tracks"])
    specs = {signal: texts_by_name(made_by) for signal, made_by in fields["specs"].items()}
    error = fields["error"]
    record = StoredSource(
        uri=fields["uri"],
        sha256=fields["sha256"],
        md5=fields["md5"],
        bytes=fields["bytes"],
        meta=fields["meta"],
        info=None if fields["info"] is None else info_of(fields["info"]),
        report=None if fields["report"] is None else report_of(fields["report"]),
        tracks=tracks,
        specs=specs,
        error=None if error is None else ErrorRecord(code=error["code"], message=error["message"]),
        version=fields.get("version"),
    )
    right = isinstance(record.uri, str) and isinstance(record.meta, dict)
    right = right and (record.sha256 is None or is_sha256(record.sha256))
    right = right and (record.md5 is None or isinstance(record.md5, str))
    right = right and (record.bytes is None or isinstance(record.bytes, int))
    right = right and (record.version is None or isinstance(record.version, str))
    right = right and tracks.keys() <= specs.keys() and specs.keys() <= set(SIGNALS)
    right = right and (not tracks or record.sha256 is not None)
    if not right or not all(map(is_key, tracks.values())):
        raise ValueError("it is not what vscan writes")
    return record
