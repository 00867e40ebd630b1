"""`vscan index import`, `export` and `compare` as a person uses them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from tests.conftest import Vscan

from vscan.cli.index_formats import FormatName
from vscan.exemplars.formats.registry import FORMATS

HASH = "0a" * 32
CSV = (
    "signal_type,signal_str,collab,category,tags\n"
    f"pdq,{HASH},c,POSITIVE_CLASS,\nvideo_md5,{'0' * 32},c,,\n"
)


@pytest.fixture(name="known")
def make_index(tmp_path: Path, vscan: Vscan) -> Path:
    """An index of PDQ alone with one CSV list in it."""
    (tmp_path / "list.csv").write_text(CSV, "utf-8")
    assert 0 == vscan("index", "create", tmp_path / "known", "--no-embedding").code
    return tmp_path / "known"


def test_every_format_can_be_named() -> None:
    """The choices of --format are the formats there are."""
    assert tuple(FORMATS) == get_args(FormatName)


def test_import_list_and_export(known: Path, tmp_path: Path, vscan: Vscan) -> None:
    """What was taken is told entry by entry, listed, and written again."""
    source = tmp_path / "list.csv"
    arguments = ("index", "import", known, source, "--format", "tx-csv", "--under")
    done = vscan(*arguments, "ncii", "--by", "ann")
    assert 0 == done.code
    first, second = done.out.decode().splitlines()
    assert first.startswith("added ex_")
    assert f"carried - {source}#md5:{'0' * 16}" == second
    assert "2 entries: 1 added, 1 carried" in done.err

    again = vscan(*arguments, "other", "--json")
    assert ["present", "present"] == [each["status"] for each in again.records]
    assert ["ncii", None] == [each["policy"] for each in again.records]
    assert "(under ncii)" in vscan(*arguments, "other").out.decode()

    (listed,) = vscan("index", "list", known, "--json").records
    assert ("ncii", "ann", None) == (listed["policy"], listed["added_by"], listed["sha256"])

    out = tmp_path / "out"
    done = vscan("index", "export", known, out, "--format", "tx-csv")
    assert ((0, b""), CSV) == ((done.code, done.out), out.read_text("utf-8"))
    assert "wrote 2 entries (2 hashes)" in done.err
    done = vscan("index", "export", known, out, "--format", "pdq-list", "--exemplar", listed["id"])
    assert (0, f"{HASH}\n") == (done.code, out.read_text("utf-8"))


def test_what_is_left_out_is_counted(known: Path, tmp_path: Path, vscan: Vscan) -> None:
    """Hashes for which a format has no place are not written, and said to be missing."""
    vscan("index", "import", known, tmp_path / "list.csv", "--format", "tx-csv", "--under", "a")
    done = vscan("index", "export", known, tmp_path / "out", "--format", "pdq-list")
    assert "1 left out: of hashes that pdq-list does not hold" in done.err


def test_a_bad_list_is_named_with_its_line(known: Path, tmp_path: Path, vscan: Vscan) -> None:
    """Exit code 2, file, line and cause on stderr, and no traceback."""
    bad = tmp_path / "bad.txt"
    bad.write_text(f"{HASH}\nxyz\n", "utf-8")
    done = vscan("index", "import", known, bad, "--format", "pdq-list", "--under", "a")
    assert (2, b"") == (done.code, done.out)
    assert f"{bad}:2: a hash of type pdq is 64 hexadecimal digits" in done.err
    assert "nothing was taken" in done.err


def test_compare(tmp_path: Path, vscan: Vscan) -> None:
    """Yes or no with both percentages, as a line or as JSON."""
    file = tmp_path / "a.txt"
    file.write_text(f"0,100,{HASH},0.000\n", "utf-8")
    done = vscan("index", "compare", file, file, "--compat", "cpp")
    assert (0, True) == (done.code, done.out.startswith(b"match: 100.00 % of 1 hashes"))
    (said,) = vscan("index", "compare", file, file, "--json").records
    assert (True, 100.0, 1) == (said["is_match"], said["compared_percent"], said["query_hashes"])
