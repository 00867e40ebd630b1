"""The one door to stderr: lines for people, or with `--log-format json` one object an event.

tell("note", "policy a.b cannot fire")
tell("source_error", "no file of that name", uri="a.mp4", code="not_found")
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from vscan.cli.events import EVENTS

if TYPE_CHECKING:
    from vscan.cli.json_log import JsonLog
    from vscan.errors import VscanError

LogFormatName = Literal["text", "json"]
_json: JsonLog | None = None


def speak(form: LogFormatName) -> None:
    """Settle how everything is told from now on, what other libraries write included."""
    global _json
    if _json is not None:
        _json.remove()
        _json = None
    if form == "json":
        from vscan.cli.json_log import JsonLog

        _json = JsonLog()
        _json.install()


def tell(event: str, message: str, **fields: Any) -> None:
    """Say one thing on stderr. event: one of EVENTS, whose fields `fields` are.

    Text is escaped, and `remedy` stands on a line of its own.
    """
    from vscan.cli.tables import safe

    known = EVENTS[event]
    if foreign := fields.keys() - set(known.fields):
        raise ValueError(f"event {event!r} has no field {', '.join(sorted(foreign))}")
    if _json is not None:
        _json.emit(event, message.strip(), **(dict.fromkeys(known.fields) | fields))
        return
    if known.shown == "json" or (known.shown == "terminal" and not sys.stderr.isatty()):
        return
    print(f"vscan: {known.prefix}{safe(message)}", file=sys.stderr)
    if remedy := fields.get("remedy"):
        print(f"vscan:   {safe(remedy)}", file=sys.stderr)


def say(text: str) -> None:
    """One escaped line on stderr, of a command that has no events of its own."""
    tell("said", text)


def tell_table(event: str, lines: list[str], message: str, **fields: Any) -> None:
    """Say it as lines of a table, and where it is JSON as one object."""
    if _json is not None:
        tell(event, message, **fields)
    else:
        print("\n".join(lines), file=sys.stderr)


def tell_error(error: VscanError) -> None:
    """Say what ended a command; names in it cannot steer the terminal, and give no access."""
    from vscan.cli.tables import safe
    from vscan.remote.redacted import with_uris_redacted

    message, remedy = with_uris_redacted(error.message), with_uris_redacted(error.remedy)
    if _json is not None:
        kind, code = type(error).__name__, error.exit_code
        tell("error", message, kind=kind, remedy=remedy or None, exit_code=code)
        return
    lines = [safe(line) for line in message.splitlines()]
    lines += [safe(line) for line in remedy.splitlines()]
    print("\n  ".join([f"vscan: error: {lines[0] if lines else ''}", *lines[1:]]), file=sys.stderr)
