"""NCMEC's hash sharing, version 2: XML with `images` and `videos`, entries and tombstones.

Sources: NCMEC, "Hash Sharing Web Service Technical Documentation" (namespace
hashsharing/v2), and facebook/ThreatExchange, `…/exchanges/clients/ncmec/hash_api.py`. One entry has
several fingerprints, each of which is a record here; `deletedImage` and `deletedVideo` withdraw.
`count` and `maxTimestamp` are worked out when writing; the cursor under `paging` is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import times
from vscan.exemplars.formats.guards import record, refuse
from vscan.exemplars.formats.record import HashRecord, Json
from vscan.exemplars.formats.xml_tree import Element, elements, from_json, written

NAME = "ncmec-xml"
NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
MEMBER_ID = "0"
"""Written where an entry has no member: vscan is none."""
_MEDIA = ("image", "video")
_OWN = ("member", "timestamp", "id", "classification", "fingerprints", "feedback")
_NAMES = {"photodna": "pdna", "tmk": "tmk-pdqf"}
_IMAGE_HASHES = ("pdq", "photodna")
ATTRIBUTES = "fingerprint"
"""Name under which `extra` holds a fingerprint's attributes: large ones are given by reference."""


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The fingerprints, entry by entry. Raises ExemplarIndexError naming line and element."""
    for number, (around, element) in enumerate(elements(data, where, depth=3)):
        root, group = around
        if root.tag != "queryResult":
            refuse(where, root.line, f"not a queryResult but {root.tag[:80]!r}")
        media = group.tag.removesuffix("s")
        if media not in _MEDIA:
            continue
        said = element.tag.lower()
        deleted = said.startswith("deleted")
        if said.removeprefix("deleted") != media:
            refuse(where, element.line, f"{element.tag[:80]!r} among {group.tag}")
        yield from _entry(element, where, media=media, deleted=deleted, number=number)


def _entry(
    element: Element, where: str, *, media: str, deleted: bool, number: int
) -> Iterator[HashRecord]:
    for tag in _OWN:
        if sum(each.tag == tag for each in element.children) > 1:
            refuse(where, element.line, f"two of {tag} in one entry")
    member, entry_id = element.child("member"), element.child("id")
    if member is None or not member.attributes.get("id"):
        refuse(where, element.line, "an entry without member id")
    if entry_id is None or not entry_id.text:
        refuse(where, element.line, "an entry without id")
    feedback = element.child("feedback")
    shared: dict[str, Any] = {
        "origin": NAME,
        "media": media,
        "withdrawn": deleted,
        "entry": number,
        "source_id": entry_id.text,
        "member_id": member.attributes["id"],
        "member": member.text,
        "updated": _text(element, "timestamp"),
        "classification": _text(element, "classification"),
        "feedback": () if feedback is None else (feedback.as_json(),),
    }
    more = [each.as_json() for each in element.children if each.tag not in _OWN]
    extra: dict[str, Json] = {"elements": more} if more else {}
    fingerprints = element.child("fingerprints")
    if fingerprints is None or not fingerprints.children:
        yield record(where, element.line, signal_type="", value="", extra=extra, **shared)
        return
    for each in fingerprints.children:
        if each.children:
            refuse(where, each.line, f"{each.tag[:80]}: elements within a fingerprint")
        if not each.text and not each.attributes:
            refuse(where, each.line, f"{each.tag[:80]}: a fingerprint without a value")
        by_reference = {ATTRIBUTES: each.attributes} if each.attributes else {}
        value = each.text.lower() if each.tag.lower() == "pdq" else each.text
        yield record(
            where,
            each.line,
            signal_type=each.tag,
            value=value,
            extra=extra | by_reference,
            **shared,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The document; neighbouring records of one entry become one entry, images come first.

    Records of another format get an id made of their hash, the member MEMBER_ID, and lose what
    this format has no place for. Raises ExemplarIndexError for what XML cannot hold.
    """
    entries: dict[str, list[Element]] = {media: [] for media in _MEDIA}
    for (media, *_), group in groupby(records, key=_same_entry):
        try:
            entries[media].append(_element(media, list(group)))
        except ValueError as error:
            raise ExemplarIndexError(f"{NAME}: {error}") from error
    root = Element("queryResult", {"xmlns": NAMESPACE}, 0)
    for media, held in entries.items():
        if held:
            latest = max(times.epoch_s(_text(each, "timestamp")) or 0.0 for each in held)
            attributes = {"count": str(len(held)), "maxTimestamp": times.iso(repr(latest))}
            root.children.append(Element(media + "s", attributes, 0, children=held))
    try:
        text = written(root)
    except ValueError as error:
        raise ExemplarIndexError(f"{NAME}: {error}") from error
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text.encode()


def _same_entry(record: HashRecord) -> tuple[str, bool, str, str]:
    return (_media(record), record.withdrawn, record.member_id, _entry_id(record))


def _element(media: str, records: list[HashRecord]) -> Element:
    first = records[0]
    ours = first.origin == NAME
    member = Element("member", {"id": first.member_id or MEMBER_ID}, 0, first.member)
    entry = [member]
    updated = first.updated if ours else times.iso(first.updated)
    if updated:
        entry.append(Element("timestamp", {}, 0, updated))
    entry.append(Element("id", {}, 0, _entry_id(first)))
    if ours and first.classification:
        entry.append(Element("classification", {}, 0, first.classification))
    fingerprints = [_fingerprint(each) for each in records if each.signal_type]
    if fingerprints:
        entry.append(Element("fingerprints", {}, 0, children=fingerprints))
    if ours:
        entry += [from_json(each) for each in first.feedback]
        entry += [from_json(each) for each in first.extra.get("elements", [])]
    tag = f"deleted{media.capitalize()}" if first.withdrawn else media
    return Element(tag, {}, 0, children=entry)


def _fingerprint(record: HashRecord) -> Element:
    if record.origin == NAME:
        return Element(record.signal_type, record.extra.get(ATTRIBUTES, {}), 0, record.value)
    return Element(_NAMES.get(record.kind, record.kind), {}, 0, record.value)


def _media(record: HashRecord) -> str:
    if record.media in _MEDIA:
        return record.media
    return "image" if record.kind in _IMAGE_HASHES else "video"


def _entry_id(record: HashRecord) -> str:
    return record.source_id or f"{record.kind}-{record.value[:32]}"


def _text(element: Element, tag: str) -> str:
    child = element.child(tag)
    return "" if child is None else child.text
