"""The targets by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fuzz.target import Target
from fuzz.targets.containers import Containers
from fuzz.targets.frame_stores import FrameStores
from fuzz.targets.indexes import Indexes
from fuzz.targets.input_lists import InputLists
from fuzz.targets.interchange import Interchange
from fuzz.targets.packs import Packs
from fuzz.targets.reader_talk import ReaderTalk
from fuzz.targets.verdict_lines import VerdictLines

TARGETS: Mapping[str, Callable[[], Target]] = {
    "containers": Containers,
    "reader-talk": ReaderTalk,
    "verdict-lines": VerdictLines,
    "packs": Packs,
    "indexes": Indexes,
    "frame-stores": FrameStores,
    "interchange": Interchange,
    "input-lists": InputLists,
}
