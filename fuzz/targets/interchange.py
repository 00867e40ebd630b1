"""Damaged lists of partners: refused whole, or what they say goes round unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.exemplars.formats.strategies import RECORDS
from tests.test_interchange import SAMPLES

from fuzz.mutators import Rng, mutated, mutated_json_bytes
from fuzz.target import Case, Files, WrongAnswerError, files_below, lay
from vscan.errors import ExemplarIndexError, OutputError, UsageError
from vscan.exemplars.checking import verify
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.formats.registry import FORMATS
from vscan.exemplars.writer import create_index
from vscan.interchange import export_list, import_list

LISTS = 12
"""Of each format, drawn from what it can hold."""


class Interchange(Files):
    """Lists of every format, drawn by hypothesis and mutated, into an index and out again."""

    name = "interchange"
    about = "a damaged list is refused and changes nothing, or what it says goes round unchanged"

    def __init__(self) -> None:
        self._lists: list[tuple[str, bytes]] = []
        self._empty: dict[str, bytes] = {}

    def prepare(self, folder: Path) -> None:
        """Draws the lists, and makes an empty index."""
        for form in FORMATS:
            self._lists += [(form, text) for text in drawn(form)]
            self._lists.append((form, SAMPLES[form].encode()))
        create_index(folder / "known", name="known", model=None)
        self._empty = files_below(folder / "known")

    def case(self, rng: Rng) -> Case:
        """One list; its name is the format."""
        form, data = self._lists[int(rng.integers(len(self._lists)))]
        is_json = data.lstrip()[:1] in (b"{", b"[")
        if is_json and rng.random() < 0.6:
            return {form: mutated_json_bytes(rng, data)}
        return {form: mutated(rng, data)}

    def check(self, case: Case, folder: Path) -> str:
        """Read, written and read again; imported, verified and exported."""
        ((form, data),) = case.items()
        self._goes_round(form, data)
        lay(self._empty, folder / "known")
        lay(case, folder / "lists")
        try:
            import_list(folder / "known", folder / "lists" / form, form=form, policy="a")
        except UsageError as refused:
            if isinstance(refused, OutputError):
                raise
            if files_below(folder / "known") != self._empty:
                raise WrongAnswerError("a list that was refused changed the index") from refused
            return "refused"
        if problems := verify(folder / "known"):
            raise WrongAnswerError(f"the index does not hold any more: {problems}")
        try:
            export_list(folder / "known", folder / "out", form=form)
        except UsageError:
            return "imported"
        return "imported, exported"

    def _goes_round(self, form: str, data: bytes) -> None:
        known = FORMATS[form]
        try:
            records: list[HashRecord] = list(known.read(data, "list"))
            written = known.write(records)
        except ExemplarIndexError:
            return
        if form == "vpdq-text":  # whose times have three decimals
            records = [
                each if each.time_s is None else replace(each, time_s=float(f"{each.time_s:.3f}"))
                for each in records
            ]
        if list(known.read(written, "list")) != records:
            raise WrongAnswerError("what was read is not what is read after writing it")


def drawn(form: str) -> list[bytes]:
    """Lists that the format can hold, always the same ones."""
    texts: list[bytes] = []

    @seed(1)
    @settings(
        max_examples=LISTS, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(RECORDS[form])
    def collect(records: list[HashRecord]) -> None:
        texts.append(FORMATS[form].write(records))

    collect()
    return texts
