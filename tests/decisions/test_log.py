"""The log: appended by many, killed at any time, never changed, and checked by its chain."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.decisions.made import decision
from vscan.decisions.chain import verify
from vscan.decisions.exchange import export_file, import_lines
from vscan.decisions.log import DecisionLog
from vscan.decisions.log_file import BEFORE_THE_FIRST
from vscan.errors import DecisionError, DecisionLogError, UsageError

APPEND = """
import sys
from pathlib import Path
from tests.decisions.made import decision
from vscan.decisions.log import DecisionLog
path, name, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with DecisionLog(path, create=True) as log:
    for number in range(most):
        log.append(decision(f"{name}_{number}"))
        print(f"{name}_{number}", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log goes."""
    return tmp_path / "decisions.db"


def filled(path: Path, count: int = 5) -> str:
    """A log of d_0, d_1, …; its head."""
    with DecisionLog(path, create=True) as log:
        for number in range(count):
            log.append(decision(f"d_{number}"))
        return log.head


def problem(path: Path, *, head: str | None = None) -> str | None:
    """What `verify` finds."""
    with DecisionLog(path) as log:
        return verify(log, head=head).problem


def tamper(path: Path, *statements: str) -> None:
    """SQL on the file of a log, by somebody who first takes its triggers away."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        triggers = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        found = triggers.fetchall()
        for name, _ in found:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, sql in found:
            raw.execute(sql)


def adding(path: Path, name: str, most: int) -> subprocess.Popen[str]:
    """A process that appends, and prints each id once it is acknowledged."""
    arguments = [sys.executable, "-c", APPEND, str(path), name, str(most)]
    root = Path(__file__).parents[2]  # from where what the tests make can be imported
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=root)


def test_round_trip(path: Path) -> None:
    """What was appended is read back in order, by verdict and by id; the head is the last hash.

    The file is in WAL mode with synchronous FULL (2), for no test can cut the power.
    """
    told = [decision("d_1"), decision("d_2", verdict="v_2"), decision("d_3", policy=None)]
    with DecisionLog(path, create=True) as log:
        assert BEFORE_THE_FIRST == log.head
        heads = [log.append(each) for each in told]
    with DecisionLog(path) as log:
        assert told == list(log.decisions())
        assert [told[0], told[2]] == list(log.of_verdict("v_1"))
        assert (told[1], None) == (log.get("d_2"), log.get("d_9"))
        assert (3, heads[-1], None) == (
            (found := verify(log)).rows, found.head, found.problem
        )  # fmt: skip
        with log.reading() as raw:
            pragmas = [raw.execute(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")]
            assert ["wal", 2] == [each.fetchone()[0] for each in pragmas]
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["decisions.db"] == [each.name for each in path.parent.iterdir()]


def test_killed_while_it_appends(path: Path) -> None:
    """SIGKILL loses no decision that was acknowledged, and leaves a chain that goes on."""
    process = adding(path, "k", 100_000)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    told += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    assert -signal.SIGKILL == process.wait()
    with DecisionLog(path) as log:
        kept = [each.id for each in log.decisions()]
        log.append(decision("after"))
    assert told == kept[: len(told)]
    assert len(kept) - len(told) in (0, 1)
    assert problem(path) is None


def test_two_processes_make_one_chain(path: Path) -> None:
    """Two that make the log and append at the same time lose nothing and do not fork it."""
    both = [adding(path, name, 60) for name in ("a", "b")]
    for each in both:
        each.communicate()
    assert [0, 0] == [each.returncode for each in both]
    with DecisionLog(path) as log:
        kept = [each.id for each in log.decisions()]
        assert 120 == verify(log).rows
    for name in ("a", "b"):
        assert [f"{name}_{n}" for n in range(60)] == [k for k in kept if k.startswith(name)]
    assert problem(path) is None


CHANGE = "UPDATE decisions SET decision = replace(decision, 'uphold', 'escalate') WHERE seq = 3"
RECHAINED = f"{CHANGE.partition(' WHERE')[0]}, hash = '{'0' * 64}' WHERE seq = 3"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ((CHANGE,), "row 3 was changed"),
        ((RECHAINED,), "row 3 was changed"),
        (("DELETE FROM decisions WHERE seq = 3",), "row 3 is missing"),
        (("DELETE FROM decisions WHERE seq = 1",), "row 1 is missing"),
        (
            (
                "DELETE FROM decisions WHERE seq = 3",
                "UPDATE decisions SET seq = seq - 1 WHERE seq > 3",
            ),
            "row 3 does not follow row 2",
        ),
        (
            (
                "UPDATE decisions SET seq = 99 WHERE seq = 2",
                "UPDATE decisions SET seq = 2 WHERE seq = 4",
                "UPDATE decisions SET seq = 4 WHERE seq = 99",
            ),
            "row 2 does not follow row 1",
        ),
        (("DROP INDEX decisions_by_verdict",), "the schema is not what vscan made"),
        (("UPDATE decisions SET previous = x'ff00' WHERE seq = 2",), "row 2 was changed"),
    ],
)
def test_what_was_done_to_the_file(path: Path, statements: tuple[str, ...], told: str) -> None:
    """The first row that was changed, removed or moved is named."""
    filled(path)
    assert problem(path) is None
    tamper(path, *statements)
    assert str(problem(path)).startswith(told)


def test_guards_that_are_gone(path: Path) -> None:
    """Triggers that were taken away are told even where every row still holds."""
    filled(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER decisions_are_not_changed")
    assert "the schema is not what vscan made: decisions_are_not_changed" == problem(path)


def test_rows_cut_off_the_end(path: Path) -> None:
    """Only a head that was written down shows that the last rows are gone; growing keeps it."""
    head = filled(path)
    with DecisionLog(path) as log:
        log.append(decision("later"))
    assert problem(path, head=head) is None
    tamper(path, "DELETE FROM decisions WHERE seq >= 5")
    assert problem(path) is None
    assert f"no row has the head {head}" in str(problem(path, head=head))
    with pytest.raises(UsageError, match="is no hash"):
        problem(path, head="f00")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET hash = ''",
        "DELETE FROM decisions",
        "REPLACE INTO decisions (seq, decision, previous, hash)"
        " SELECT 2, decision, previous, hash FROM decisions WHERE seq = 1",
        "REPLACE INTO decisions (seq, decision, previous, hash)"
        " SELECT 6, decision, previous, hash FROM decisions WHERE seq = 1",
    ],
)
def test_the_file_refuses_changes(path: Path, statement: str) -> None:
    """UPDATE, DELETE and REPLACE by any program are aborted by the file's own triggers."""
    filled(path)
    with (
        closing(sqlite3.connect(path)) as raw,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        raw.execute(statement)
    assert problem(path) is None


def test_what_a_decision_is_about(path: Path) -> None:
    """A decision follows one that is there, on the same case, of a kind it can follow."""
    second = {"kind": "second", "about": "d_0", "reviewer": "bo"}
    with DecisionLog(path, create=True) as log:
        log.append(decision("d_0"))
        for told, fields in {
            "is not in the log": {**second, "about": "d_7"},
            "rules on v_1 under weapons": {**second, "policy": "drugs"},
            "is by ana as well": {**second, "reviewer": "ana"},
        }.items():
            with pytest.raises(DecisionError, match=told):
                log.append(decision("d_1", **fields))
        log.append(decision("d_1", **second))
        with pytest.raises(DecisionError, match="second cannot follow d_1"):
            log.append(decision("d_2", **{**second, "about": "d_1"}))
        with pytest.raises(DecisionError, match="in the log already"):
            log.append(decision("d_1"))
        assert 2 == verify(log).rows


def test_import_and_export(path: Path, tmp_path: Path) -> None:
    """An exported log imports as the same chain; a second time nothing is added."""
    head, out = filled(path), tmp_path / "out.jsonl"
    with DecisionLog(path) as log:
        assert 5 == export_file(log, out)
    lines = out.read_bytes().splitlines(keepends=True)
    with DecisionLog(tmp_path / "copy.db", create=True) as copy:
        first, again = (import_lines(copy, lines, name="out.jsonl") for _ in range(2))
        assert (5, 0, head) == (first.added, first.known, first.head)
        assert (0, 5, head) == (again.added, again.known, again.head)
        for bad, told in (
            (b"{}\n", "out.jsonl:2: not a decision"),
            (decision("d_3", note="other").to_line(), "out.jsonl:2: the log holds another"),
        ):
            with pytest.raises(DecisionError, match=told):
                import_lines(copy, [decision("new").to_line(), bad], name="out.jsonl")
            assert (None, head) == (copy.get("new"), copy.head)


def test_files_that_are_no_log(path: Path, tmp_path: Path) -> None:
    """Absent, foreign, of another version, damaged: each is a clear error, and stays as it is."""
    with pytest.raises(DecisionLogError, match="no such decision log"):
        DecisionLog(path)
    path.write_bytes(b"")
    with pytest.raises(DecisionLogError, match="not a decision log"):
        DecisionLog(path, create=True)
    path.write_bytes(b"plain text, and some more of it to fill a page\n" * 100)
    with pytest.raises(DecisionLogError, match="not a decision log"):
        DecisionLog(path, create=True)
    other = tmp_path / "other.db"
    filled(other, 400)
    whole = other.read_bytes()
    with closing(sqlite3.connect(other)) as raw:
        raw.execute("PRAGMA user_version = 2")
    with pytest.raises(DecisionLogError, match="of version 2, this vscan reads 1"):
        DecisionLog(other)
    other.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(DecisionLogError, match="damaged"), DecisionLog(other) as log:
        verify(log)
