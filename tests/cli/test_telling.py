"""What stderr holds with `--log-format json`: one object a line, ours and everybody else's."""

from __future__ import annotations

import ast
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.conftest import Library, Vscan

from vscan.cli.events import EVENTS
from vscan.cli.json_log import JsonLog
from vscan.cli.telling import speak, tell, tell_error
from vscan.engines.ray_quiet import start_quietly
from vscan.errors import StoreError

ROOT = Path(__file__).parents[2]
COMMON = ["time", "level", "event", "message"]
Heard = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def text_again() -> Iterator[None]:
    """Whatever a test has set, stderr is text for the next one."""
    yield
    speak("text")


def events(err: str) -> list[dict[str, Any]]:
    """The objects on stderr: each line is one, with its event's fields and no others."""
    told = [orjson.loads(line) for line in err.splitlines()]
    for each in told:
        assert each["level"] in ("debug", "info", "warning", "error")
        assert [*COMMON, *EVENTS[each["event"]].fields] == list(each)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"])
    times = [datetime.fromisoformat(each["time"]) for each in told]
    assert times == sorted(times)
    return told


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_gives_no_access(form: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever room raised it, and with what URI: the signature stays here, the rest is said."""
    place, sha256 = "az://c/frames?sv=1&sig=cAnArY", "1f" * 32
    speak(form)
    tell_error(StoreError(f"{place}/store.json: damaged: {sha256}", remedy=f"see to {place}"))
    told = capfd.readouterr().err
    assert "cAnArY" not in told
    assert "az://c/frames: damaged: " + sha256 in told
    assert "see to az://c/frames" in told


@pytest.fixture
def heard(capfd: pytest.CaptureFixture[str]) -> Heard:
    """The objects that were written on stderr since it was asked last."""
    return lambda: events(capfd.readouterr().err)


# A scan


def test_every_line_is_an_object(
    vscan: Vscan, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a scan says, from its first line to its last; stdout is as without it."""
    monkeypatch.setattr("vscan.cli.job.PROGRESS_S", 0.02)
    command = ("scan", library.clips, *library.rules)
    ran = vscan(*command, "--log-format", "json", "--timings")
    told = events(ran.err)
    names = [each["event"] for each in told]
    assert ["loading", "started"] == names[:2]
    assert ["timings", "matches", "ended", "exit"] == names[-4:]
    assert {"progress", "source_error"} == set(names[2:-4])
    (failed,) = [each for each in ran.records if each["outcome"] == "error"]
    (error,) = [each for each in told if each["event"] == "source_error"]
    assert (failed["source"]["uri"], *failed["error"].values(), "warning") == tuple(
        error[key] for key in ("uri", "code", "message", "level")
    )
    ended = told[-2]
    assert {"clear": 1, "review": 0, "violation": 1, "error": 1} == ended["outcomes"]
    assert (3, 1, 3) == (ended["sources"], ended["skipped_files"], told[-1]["exit_code"])
    assert ran.records[0]["provenance"]["pack"] == told[1]["pack"]
    plain = vscan(*command)
    assert sorted(plain.out.splitlines()) == sorted(ran.out.splitlines())
    assert [
        "vscan: pdq: 1 match",
        "vscan: 3 videos: 1 violation, 1 clear, 1 error (1 unsupported_format);"
        " 1 other files skipped",
    ] == plain.err.splitlines()


@pytest.mark.parametrize(
    ("options", "event", "text"),
    [
        (("--policy", "none.toml"), "error", "none.toml"),
        (("--shard", "9/3"), "error", "shard"),
        (("--workers", "many"), "stray", "workers"),
        (("--no-such-option",), "stray", "no-such-option"),
    ],
)
def test_errors_are_objects_too(
    vscan: Vscan, library: Library, options: tuple[str, ...], event: str, text: str
) -> None:
    """What ends a run, and what the parser of options does not take."""
    ran = vscan("scan", library.good, *library.rules, "--log-format", "json", *options)
    told = events(ran.err)
    assert any(each["event"] == event and text in each["message"] for each in told)
    assert (2, "exit", 2) == (ran.code, told[-1]["event"], told[-1]["exit_code"])


def test_what_ray_says_as_it_starts(heard: Heard) -> None:
    """What it writes past Python is objects as well, once each; what is told then stays one."""

    class Ray:
        @staticmethod
        def init(**_options: Any) -> None:
            os.write(2, b"[2026-11-30 12:00:00,000 I 1 2] chatter\nno room\nat all\n")
            warnings.warn("soon", FutureWarning, stacklevel=1)

    speak("json")
    start_quietly(Ray())
    said = [(each["event"], each["message"]) for each in heard()]
    assert [("python_warning", "soon"), ("stray", "no room"), ("stray", "at all")] == said


def test_a_rescan(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """It speaks the same way, and scan's and rescan's next run speaks to people again."""
    store = ("--store", tmp_path / "store")
    vscan("scan", library.clips, *library.rules, "--signals", "pdq", *store)
    rules = library.rules[:-2]
    ran = vscan("rescan", *store, *rules, "--log-format", "json", "--metrics-port", "0")
    told = events(ran.err)
    assert ["metrics_served", "started", "source_error", "matches", "ended", "exit"] == [
        each["event"] for each in told
    ]
    assert ("vscan rescan", 3) == (told[1]["command"], ran.code)
    assert "vscan: 3 videos:" in vscan("rescan", *store, *rules).err


# What others write


def test_logging_warnings_and_prints(heard: Heard) -> None:
    """Python's logging at its own level, once, also where a library has a handler of its own or
    keeps its records to itself; warnings; and lines that are simply printed."""
    speak("json")
    own = logging.StreamHandler()
    library = logging.getLogger("vscan-test-library")
    library.addHandler(own)
    try:
        library.warning("throttled %d\ntimes", 3)
        library.propagate = False
        library.error("kept to itself")
        logging.getLogger("botocore").warning("no %s", "such bucket")
        logging.getLogger("botocore").info("below the level")
    finally:
        library.removeHandler(own)
        library.propagate = True
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("will go", FutureWarning, stacklevel=1)
    sys.stderr.write("one ")
    sys.stderr.write("two\n10 %\r20 %\r\n\nwithout an end")
    told = heard()
    assert [
        ("log", "warning", "throttled 3\ntimes"),
        ("log", "error", "kept to itself"),
        ("log", "warning", "no such bucket"),
        ("python_warning", "warning", "will go"),
        ("stray", "info", "one two"),
        ("stray", "info", "10 %"),
        ("stray", "info", "20 %"),
    ] == [(each["event"], each["level"], each["message"]) for each in told]
    assert "vscan-test-library" == told[0]["logger"]
    assert "FutureWarning" == told[3]["category"]
    assert "test_telling.py:" in told[3]["place"]


def test_a_record_that_does_not_hold(heard: Heard) -> None:
    """Its text is told as it is, with the traceback that a record brings along."""
    error = ValueError("at fault")
    JsonLog().log(logging.LogRecord("ray", 50, "f.py", 1, "few %s %s", ("values",), None))
    JsonLog().log(logging.LogRecord("ray", 25, "f.py", 1, "b", (), (ValueError, error, None)))
    assert [("error", "few %s %s"), ("info", "b\nValueError: at fault")] == [
        (each["level"], each["message"]) for each in heard()
    ]


def test_what_nothing_caught(heard: Heard) -> None:
    """A fault in a thread, or in the program itself, is one object with its traceback."""
    speak("json")

    def fails() -> None:
        raise RuntimeError("oh\nno")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    try:
        fails()
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    for each in heard():
        assert ("uncaught", "error", "oh\nno", "RuntimeError") == (
            each["event"], each["level"], each["message"], each["kind"]
        )  # fmt: skip
        assert "in fails" in each["traceback"]


def test_everything_is_given_back() -> None:
    """In text again, nothing listens any more."""
    before = (sys.stderr, sys.excepthook, threading.excepthook, warnings.showwarning)
    handlers = list(logging.getLogger().handlers)
    speak("json")
    assert sys.stderr is not before[0]
    speak("text")
    assert before == (sys.stderr, sys.excepthook, threading.excepthook, warnings.showwarning)
    assert handlers == logging.getLogger().handlers


def test_many_threads_write_whole_lines(heard: Heard) -> None:
    """Lines do not mix, and names that steer a terminal or are no Unicode do no harm."""
    speak("json")
    uri = "evil\x1b[2J\u202e\udcff" + "x" * 9000

    def tells() -> None:
        for _ in range(20):
            tell("source_error", "m", uri=uri, code="internal")

    threads = [threading.Thread(target=tells) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = heard()
    assert 80 == len(told)
    assert {uri.replace("\udcff", "\\udcff")} == {each["uri"] for each in told}


# The table


def told_in_the_code() -> Iterator[tuple[str, str, set[str]]]:
    """File, event and fields of every call that tells one."""
    for path in sorted((ROOT / "src" / "vscan" / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0] if node.args else None
            if name in ("tell", "tell_table", "emit") and isinstance(first, ast.Constant):
                yield path.name, str(first.value), {each.arg or "" for each in node.keywords}


def test_every_event_is_in_the_table() -> None:
    """Each is told somewhere, with its fields and no others; commands write to stderr by no other
    way than this one."""
    told = list(told_in_the_code())
    assert set(EVENTS) == {event for _, event, _ in told}
    for file, event, fields in told:
        assert fields == set(EVENTS[event].fields), f"{file}: {event}"
    for name in ("scan", "rescan", "scan_end", "scan_timings", "writing", "app", "job"):
        text = (ROOT / "src" / "vscan" / "cli" / f"{name}.py").read_text("utf-8")
        assert "file=sys.stderr" not in text, name
    with pytest.raises(ValueError, match="no field colour"):
        tell("said", "m", colour="red")


def test_every_event_is_documented() -> None:
    """Its row on the page names level and fields."""
    page = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    for name, event in EVENTS.items():
        fields = ", ".join(f"`{field}`" for field in event.fields)
        assert f"| `{name}` | {event.level} | {event.meaning} | {fields} |" in page
