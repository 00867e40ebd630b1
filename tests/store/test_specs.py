"""The key of a spec says what made a track, and nothing about the order in which that was told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.store.layout import TrackName, is_leftover, is_source_path, parse_track_path, source_path
from vscan.store.specs import SIGNALS, TrackSpec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MADE_BY = st.dictionaries(TEXT, TEXT, min_size=1, max_size=5)


@given(made_by=MADE_BY, signal=st.sampled_from(SIGNALS), order=st.randoms(use_true_random=False))
def test_order_does_not_matter(made_by: dict[str, str], signal: str, order: object) -> None:
    """The same values in another order have the same key, of 16 hexadecimal digits."""
    names = list(made_by)
    order.shuffle(names)  # type: ignore[attr-defined]  # hypothesis's Random
    key = TrackSpec(signal, {name: made_by[name] for name in names}).key
    assert key == TrackSpec(signal, made_by).key
    assert 16 == len(key)
    assert int(key, 16) >= 0


@given(made_by=MADE_BY, changed=st.data(), other=TEXT)
def test_every_value_matters(made_by: dict[str, str], changed: st.DataObject, other: str) -> None:
    """A changed value, a changed name, one more, one less, or another signal is another key."""
    key = TrackSpec("pdq", made_by).key
    name = changed.draw(st.sampled_from(sorted(made_by)))
    less = {each: value for each, value in made_by.items() if each != name}
    for other_made_by in (
        made_by | {name: other},
        made_by | {name + other: made_by[name]},
        less | {name + other: made_by[name]},
        less,
    ):
        assert (key == TrackSpec("pdq", other_made_by).key) == (made_by == other_made_by)
    assert key != TrackSpec("embedding", made_by).key


def test_only_signals_that_are_stored() -> None:
    """Digests of whole files are no tracks."""
    with pytest.raises(ValueError, match="md5"):
        TrackSpec("md5", {})


@given(
    sha256=st.binary(min_size=32, max_size=32),
    signal=st.sampled_from(SIGNALS),
    key=st.binary(min_size=8, max_size=8),
    part=st.none() | st.integers(0, 1_000_000),
)
def test_names_of_tracks(sha256: bytes, signal: str, key: bytes, part: int | None) -> None:
    """A track's path says what its name does, and nothing else is taken for one."""
    name = TrackName(sha256.hex(), signal, key.hex(), part)
    assert name == parse_track_path(name.path)
    assert parse_track_path(name.path.upper()) is None
    assert parse_track_path(f"../{name.path}") is None
    folder, _, file = name.path.rpartition("/")
    assert is_leftover(f"{folder}/.{file[:100]}.ab_12xyz")
    assert not is_leftover(name.path)


def test_a_track_in_a_wrong_folder_is_none() -> None:
    """The folder is the beginning of the content's digest."""
    path = TrackName("ab" * 32, "pdq", "0" * 16).path
    assert parse_track_path(path.replace("frames/ab/", "frames/cd/")) is None


@pytest.mark.parametrize(
    ("sha256", "signal", "key"),
    [
        ("AB" * 32, "pdq", "0" * 16),
        ("../" * 21 + "a", "pdq", "0" * 16),
        ("ab" * 32, "../pdq", "0" * 16),
        ("ab" * 32, "pdq", "0" * 15),
    ],
)
def test_a_name_cannot_lead_elsewhere(sha256: str, signal: str, key: str) -> None:
    """What is no digest, signal or key makes no path."""
    with pytest.raises(ValueError, match="no"):
        TrackName(sha256, signal, key)


def test_names_of_source_records() -> None:
    """Any URI has a name of its own that leads nowhere else."""
    paths = {source_path(uri) for uri in ("", "a", "../a", "s3://b/c", "bytes:\\xff", "ü\n")}
    assert 6 == len(paths)
    assert all(map(is_source_path, paths))
    assert not is_source_path(next(iter(paths)).replace(".json", ".jsonl"))
