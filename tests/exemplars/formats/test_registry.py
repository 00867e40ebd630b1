"""Every format: what is written is read back, and whatever is read ends in records or an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exemplars.formats.strategies import RECORDS
from vscan.errors import ExemplarIndexError, UsageError
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.formats.registry import FORMATS, format_named

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_format_is_tested() -> None:
    """A format has its round trip here."""
    assert list(RECORDS) == list(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
@FEW
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    """Reading what a format wrote gives the same records, field by field and in order."""
    form, records = FORMATS[name], data.draw(RECORDS[name])
    written = form.write(records)
    assert records == list(form.read(written, "list"))
    assert written == form.write(form.read(written, "list"))


@pytest.mark.parametrize("name", FORMATS)
@FEW
@given(data=st.data())
def test_damaged_files_are_refused_or_read(name: str, data: st.DataObject) -> None:
    """A list with bytes changed, cut or put in is read, or refused with the file's name."""
    form = FORMATS[name]
    intact = form.write(data.draw(RECORDS[name]))
    start = data.draw(st.integers(0, len(intact)))
    stop = data.draw(st.integers(start, len(intact)))
    damaged = intact[:start] + data.draw(st.binary(max_size=8)) + intact[stop:]
    try:
        for each in form.read(damaged, "some.list"):
            assert isinstance(each, HashRecord)
    except ExemplarIndexError as refused:
        assert "some.list" in refused.message


@pytest.mark.parametrize("name", FORMATS)
@FEW
@given(junk=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_junk_is_refused_or_holds_nothing(name: str, junk: bytes) -> None:
    """Whatever the bytes, reading ends in records or in ExemplarIndexError."""
    try:
        list(FORMATS[name].read(junk, "junk"))
    except ExemplarIndexError as refused:
        assert refused.message.startswith("junk")


def test_an_unknown_format_names_those_there_are() -> None:
    """A wrong name is a usage error with the right ones."""
    with pytest.raises(UsageError) as refused:
        format_named("xlsx")
    assert "tx-csv" in refused.value.remedy


def test_what_formats_take() -> None:
    """Its own records always, those of other lists where it has a place for the hash."""
    photodna = HashRecord(origin="ncmec-xml", signal_type="pdna", value="abc")
    withdrawn = HashRecord(origin="tat-json", signal_type="MD5", value="a" * 32, withdrawn=True)
    taking = {name for name, form in FORMATS.items() if form.takes(photodna)}
    assert {"tx-csv", "tx-local-file", "ncmec-xml"} == taking
    taking = {name for name, form in FORMATS.items() if form.takes(withdrawn)}
    assert {"ncmec-xml", "stopncii-json", "tat-json"} == taking
    assert not FORMATS["tx-csv"].takes(HashRecord(origin="ncmec-xml"))
