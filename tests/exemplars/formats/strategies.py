"""Hash records as each format can hold them, for round trips by property."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.formats.tx_csv import CATEGORIES

HEX64 = st.text("0123456789abcdef", min_size=64, max_size=64)
MD5 = st.text("0123456789abcdefABCDEF", min_size=32, max_size=32)
QUALITY = st.integers(0, 100)
ANY_TIME = st.floats(0, 1e9, allow_nan=False)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Z"]), max_size=12)
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Z"]), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECT = st.dictionaries(WORD.map(lambda word: "x" + word), JSON, max_size=3)
NUMBER_TEXT = st.integers(0, 1 << 40).map(str) | st.floats(1, 1e12).map(repr) | ANY_TEXT

Records = st.SearchStrategy[list[HashRecord]]


def _frames(origin: str, times: st.SearchStrategy[float], numbered: bool) -> Records:
    frame = st.builds(
        HashRecord,
        origin=st.just(origin),
        signal_type=st.just("pdq"),
        value=HEX64,
        quality=QUALITY,
        time_s=times,
        frame=st.integers(0, 10**9) if numbered else st.none(),
    )
    return st.lists(
        frame, max_size=5, unique_by=lambda each: each.frame if numbered else each.value
    )


def _lists(origin: str, **fields: st.SearchStrategy[object]) -> Records:
    return st.lists(st.builds(HashRecord, origin=st.just(origin), **fields), max_size=5)


def _tx(origin: str, **fields: st.SearchStrategy[object]) -> Records:
    def typed(signal_type: str, value: st.SearchStrategy[str]) -> Records:
        return _lists(origin, signal_type=st.just(signal_type), value=value, **fields)

    joined = '["' + "a" * 64 + ',100,1.23e+02"]'
    return st.one_of(
        typed("pdq", HEX64), typed("video_md5", MD5), typed("vpdq", st.just(joined)),
        typed("unheard_of", WORD),
    )  # fmt: skip


def _element(tag: str, depth: int = 2) -> st.SearchStrategy[object]:
    said: dict[str, st.SearchStrategy[object]] = {
        "attributes": st.dictionaries(
            st.sampled_from(["type", "guid"]), ANY_XML, min_size=1, max_size=2
        ),
        "text": LINE.filter(bool),
    }
    if depth:
        said["children"] = st.lists(_element("members", depth - 1), min_size=1, max_size=2)
    return st.fixed_dictionaries({"tag": st.just(tag)}, optional=said)


ANY_XML = st.text(
    st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\ufffe\uffff").filter(
        lambda one: one in "\t\n\r" or one >= " "
    ),
    max_size=12,
)


@st.composite
def _ncmec(draw: st.DrawFn) -> list[HashRecord]:
    """Entries of several fingerprints, images before videos, tombstones among them."""
    records = []
    for number in range(draw(st.integers(0, 4))):
        shared: dict[str, Any] = {
            "origin": "ncmec-xml",
            "entry": number,
            "media": "image" if number < 2 else "video",
            "withdrawn": draw(st.booleans()),
            "source_id": f"{number}{draw(WORD)}",
            "member_id": str(draw(st.integers(1, 999))),
            "member": draw(LINE),
            "updated": draw(st.sampled_from(["", "2017-10-24T15:00:00Z"])),
            "classification": draw(st.sampled_from(["", "A1", "B2"])),
            "feedback": tuple(draw(st.lists(_element("feedback"), max_size=1))),
        }
        elements = draw(st.lists(_element("categorizations"), max_size=2))
        shared["extra"] = {"elements": elements} if elements else {}
        kinds = draw(st.lists(st.sampled_from(["md5", "pdq", "pdna", "tmk-pdqf"]), max_size=3))
        records += [] if kinds else [HashRecord(**shared)]
        for kind in kinds:
            value = draw({"md5": MD5, "pdq": HEX64}.get(kind, WORD))
            records.append(HashRecord(signal_type=kind, value=value, **shared))
    return records


RECORDS: dict[str, Records] = {
    "vpdq-text": _frames(
        "vpdq-text", st.integers(0, 10**9).map(lambda ms: ms / 1000), numbered=True
    ),
    "vpdq-json": _frames("vpdq-json", ANY_TIME, numbered=False),
    "vpdq-json-legacy": _frames("vpdq-json-legacy", ANY_TIME, numbered=True),
    "pdq-list": _lists(
        "pdq-list",
        signal_type=st.just("pdq"),
        value=HEX64,
        quality=st.none() | QUALITY,
        extra=st.just({}) | LINE.filter(
            lambda text: bool(text.strip()) and "quality=" not in text
        ).map(lambda text: {"metadata": text}),
    ),
    "tx-csv": _tx(
        "tx-csv",
        collab=ANY_TEXT,
        category=st.sampled_from(("", *CATEGORIES)),
        tags=st.lists(WORD, max_size=3).map(tuple),
    ),
    "tx-local-file": _tx("tx-local-file"),
    "ncmec-xml": _ncmec(),
    "stopncii-json": st.one_of(
        *(
            _lists(
                "stopncii-json",
                signal_type=st.just(signal_type),
                value=value,
                status=st.just(status),
                withdrawn=st.just(status in ("Withdrawn", "Deleted")),
                updated=NUMBER_TEXT,
                feedback=st.lists(OBJECT, max_size=2).map(tuple),
                extra=OBJECT,
            )
            for signal_type, value in (("ImagePDQ", HEX64), ("VideoMD5", MD5), ("Odd", WORD))
            for status in ("Active", "Withdrawn", "")
        )
    ),
    "tat-json": st.one_of(
        *(
            _lists(
                "tat-json",
                signal_type=st.just(algorithm),
                value=value,
                classification=ANY_TEXT,
                media=st.sampled_from(["mp4", "gif", ""]),
                withdrawn=st.booleans(),
                updated=NUMBER_TEXT,
                created=NUMBER_TEXT,
                source_id=NUMBER_TEXT,
                extra=OBJECT,
            )
            for algorithm, value in (("PDQ", HEX64), ("MD5", MD5), ("TLSH", WORD))
        )
    ),
}  # fmt: skip
"""By format: lists that it holds without loss."""
