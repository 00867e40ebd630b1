"""A policy pack: what it holds, how it is named, loaded and digested."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema  # type: ignore[import-untyped,unused-ignore]  # ships no types
import orjson
import pytest
from pydantic import ValidationError

from vscan.errors import PackError, UsageError
from vscan.policies import (
    Action,
    Policy,
    PolicyPack,
    Thresholds,
    load_pack,
    pack_json_schema,
    parse_pack,
)

PACK = b"""\
schema = "vscan.pack/1"
name = "small"
version = "1"
neutral = ["a street"]

[[policy]]
id = "weapons.firearms"
title = "Firearms"
severity = "high"
prompts = ["a gun"]
indexes = ["known", "guns"]
[policy.thresholds]
review = 0.5
remove = 0.9

[[policy]]
id = "copies"
title = "Copies"
severity = "low"
indexes = ["known"]
match_action = "remove"
"""


def parsed(content: bytes = PACK) -> PolicyPack:
    """The pack of this file, or of other content."""
    return parse_pack(content, file="small.toml")


def test_loads_by_path_and_by_name(tmp_path: Path) -> None:
    """A path that ends in .toml, or the name of a shipped pack."""
    path = tmp_path / "small.toml"
    path.write_bytes(PACK)
    assert "small" == load_pack(str(path)).name
    assert "baseline" == load_pack("baseline").name


def test_defaults() -> None:
    """What a policy leaves out has a value that suits most."""
    firearms, copies = parsed().policies
    assert (1.0, 0.8, Action.REVIEW) == (
        firearms.min_duration_s,
        firearms.release,
        firearms.match_action,
    )
    assert Action.REMOVE is copies.match_action
    assert all(template.count("{}") == 1 for template in parsed().templates)


@pytest.mark.parametrize(
    ("score", "action"),
    [
        (0.0, Action.ALLOW),
        (0.4999, Action.ALLOW),
        (0.5, Action.REVIEW),
        (0.8999, Action.REVIEW),
        (0.9, Action.REMOVE),
        (1.0, Action.REMOVE),
    ],
)
def test_action_of_a_score(score: float, action: Action) -> None:
    """The most severe action whose threshold the score reaches; one left out is never chosen."""
    assert action is Thresholds(review=0.5, remove=0.9).action_at(score)


def test_thresholds_of_actions() -> None:
    """Each action knows its threshold, and a segment opens at the lowest and closes below it."""
    policy = parsed().policy("weapons.firearms")
    assert [None, 0.5, None, 0.9] == [policy.thresholds.of(action) for action in Action]
    assert 0.5 == policy.thresholds.lowest
    assert policy.release_score == pytest.approx(0.4)
    assert parsed().policy("copies").release_score is None


def test_what_a_pack_answers() -> None:
    """Policies by id, and the names of all exemplar indexes."""
    pack = parsed()
    assert ("weapons.firearms", "copies") == pack.ids
    assert ("guns", "known") == pack.indexes
    assert "copies" in pack
    assert "copy" not in pack


def test_unknown_policy_names_the_nearest() -> None:
    """A mistyped id is answered with the one that was meant."""
    with pytest.raises(UsageError) as error:
        parsed().policy("weapon.firearms")
    assert "did you mean weapons.firearms?" == error.value.remedy


def test_ref_and_digest() -> None:
    """`name@version#sha256:…`, as it stands in a record."""
    pack = parsed()
    assert pack.ref == f"small@1#{pack.digest}"
    assert 7 + 64 == len(pack.digest)


@pytest.mark.parametrize(
    "same",
    [
        b"# a comment\n" + PACK,
        PACK.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PACK,
        PACK.replace(b'name = "small"\nversion = "1"', b'version = "1"\nname    =   "small"'),
        PACK.replace(b'severity = "high"', b'severity = "high"\nmin_duration_s = 1'),
        PACK.replace(b'"a gun"', b'"  a   gun"'),
    ],
    ids=["comment", "line ends", "byte order mark", "order", "default written out", "white space"],
)
def test_digest_is_of_the_content(same: bytes) -> None:
    """Comments, layout and defaults written out leave the digest as it is."""
    assert parsed().digest == parsed(same).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"review = 0.5", b"review = 0.51"),
        (b'"a gun"', b'"a gun", "a rifle"'),
        (b'"a street"', b'"a road"'),
        (b'match_action = "remove"', b'match_action = "review"'),
        (b'version = "1"', b'version = "2"'),
    ],
)
def test_digest_tells_changes(old: bytes, new: bytes) -> None:
    """Whatever changes a verdict changes the digest."""
    assert parsed().digest != parsed(PACK.replace(old, new)).digest


def test_digest_of_known_content() -> None:
    """The canonical form does not drift: verdicts of years ago still name their pack."""
    assert (
        "sha256:dba50b34f8129f5fa184b4fa0f9aa0d4ce019a6889b50389e6cc9b07968c17ab" == parsed().digest
    )


def test_frozen() -> None:
    """A pack does not change under those who judge by it."""
    with pytest.raises(ValidationError):
        parsed().policies[0].title = "other"


def test_checks_itself_without_a_file() -> None:
    """A policy made in code is held to the same rules."""
    with pytest.raises(ValidationError, match="needs prompts or exemplar indexes"):
        Policy(id="a", title="A", severity="low")
    with pytest.raises(ValidationError, match=r"escalate = 0\.2 lies below review = 0\.5"):
        Policy(
            id="a",
            title="A",
            severity="low",
            prompts=("x",),
            thresholds=Thresholds(review=0.5, escalate=0.2),
        )


def test_missing_file_is_one_problem(tmp_path: Path) -> None:
    """A pack that is not there is a PackError with what to do, as any other fault of a pack."""
    with pytest.raises(PackError, match=r"no policy pack at .*nope\.toml") as error:
        load_pack(str(tmp_path / "nope.toml"))
    assert 1 == len(error.value.problems)


def test_large_file_is_refused(tmp_path: Path) -> None:
    """What is larger than any pack is not read to its end."""
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(PackError, match="larger than 4 MiB"):
        load_pack(str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    """A file that may not be read says so."""
    path = tmp_path / "closed.toml"
    path.touch(mode=0o000)
    with pytest.raises(PackError, match="cannot be read: Permission denied"):
        load_pack(str(path))


def test_schema_document_is_current() -> None:
    """docs/policy-pack.schema.json is what `vscan policy schema` prints."""
    document = Path(__file__).parents[2] / "docs" / "policy-pack.schema.json"
    assert pack_json_schema() == document.read_text("utf-8")


def test_schema_accepts_packs_and_refuses_others() -> None:
    """Editors that hold a pack to the schema agree with vscan."""
    import tomllib

    schema = orjson.loads(pack_json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [] == list(validator.iter_errors(tomllib.loads(PACK.decode())))
    wrong = tomllib.loads(PACK.decode().replace("review = 0.5", "reviw = 0.5"))
    assert 1 == len(list(validator.iter_errors(wrong)))
