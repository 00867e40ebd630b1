"""Events: everything that commands may say on stderr, with its level, meaning and fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True)
class Event:
    """One kind of line on stderr. Its name is stable, its message is for people."""

    level: Level
    meaning: str
    fields: tuple[str, ...] = ()
    """Beside `time`, `level`, `event` and `message`; one that says nothing is null."""
    shown: Literal["always", "terminal", "json"] = "always"
    """Where it is a line: always, of text only in a terminal, or only in JSON."""
    prefix: str = ""
    """Before the message, where it is text."""


EVENTS: dict[str, Event] = {
    "loading": Event(
        "info", "pack, indexes and model are about to be loaded", shown="terminal"
    ),
    "started": Event(
        "info", "everything is loaded, and the first video is about to begin",
        ("command", "vscan", "pack", "model", "workers", "output"), shown="json",
    ),
    "note": Event(
        "warning", "what whoever started the run should know", prefix="note: "
    ),
    "progress": Event(
        "info", "every 30 seconds: how far the run is",
        ("sources", "outcomes", "done_before", "videos_per_s", "wall_s"), shown="json",
    ),
    "source_error": Event(
        "warning", "a video has ended as `error`: uri, code and message of its record",
        ("uri", "code"), shown="json",
    ),
    "no_videos": Event(
        "warning", "a folder without videos", ("folder",), prefix="note: "
    ),
    "folder_unreadable": Event(
        "warning", "a folder that may not be listed", ("folder",), prefix="note: "
    ),
    "urls_alike": Event(
        "warning", "URLs that were passed over: they differ from others only in what records leave"
        " out", ("sources",), prefix="note: "
    ),
    "matches": Event(
        "info", "evidence of the run by signal", ("evidence",)
    ),
    "flood": Event(
        "warning", "an exemplar matched so many videos that it is not believed",
        ("index", "exemplar", "policy", "sources", "of", "quarantined", "remedy"),
        prefix="flood: ",
    ),
    "flood_lines": Event(
        "warning", "what became of lines that were written before a flood was seen", ("amended",)
    ),
    "store_damaged": Event(
        "warning", "tracks of the frame store were not what was written", ("tracks",),
        prefix="note: ",
    ),
    "signal_not_stored": Event(
        "warning", "a signal that a rescan would judge is not in the store of some videos",
        ("signal", "sources"), prefix="note: ",
    ),
    "records_damaged": Event(
        "warning", "records of the frame store too damaged to tell whose", ("records",)
    ),
    "metrics_served": Event(
        "info", "where metrics can be scraped", ("address", "port"), shown="json"
    ),
    "metrics_unwritable": Event(
        "warning", "the metrics file could not be written; the run goes on, and so do the tries",
        ("path",), prefix="note: ",
    ),
    "stopping": Event(
        "warning", "SIGTERM came: nothing new is begun, what is being read may end",
        ("signal", "grace_s"), shown="json",
    ),
    "timings": Event(
        "info", "where the time went (`--timings`)",
        ("videos", "samples", "wall_s", "cpu_s", "model_wall_s", "loading_wall_s"),
    ),
    "ended": Event(
        "info", "every input had its turn: what the run came to",
        ("sources", "outcomes", "done_before", "other_shards", "skipped_files", "output"),
    ),
    "interrupted": Event(
        "warning", "a signal ended the run; what was done is kept", ("exit_code",)
    ),
    "error": Event(
        "error", "what ended the run, and what to do about it", ("kind", "remedy", "exit_code")
    ),
    "exit": Event(
        "info", "the last line of all", ("exit_code",), shown="json"
    ),
    "said": Event("info", "any other line of a command"),
    "log": Event(
        "info", "a message of a library, at the library's own level", ("logger",), shown="json"
    ),
    "python_warning": Event(
        "warning", "a warning of Python or of a library", ("category", "place"), shown="json"
    ),
    "stray": Event(
        "info", "a line that a library, or the parser of options, wrote to stderr itself",
        shown="json",
    ),
    "uncaught": Event(
        "error", "a fault of vscan's own that nothing caught", ("kind", "traceback"),
        shown="json",
    ),
}  # fmt: skip
"""By name; docs/jobs.md has a row for each, which a test checks."""
