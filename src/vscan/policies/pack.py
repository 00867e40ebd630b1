"""A policy pack as a value that checks itself, and how it is loaded."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from vscan.at_hand import content_at_hand
from vscan.errors import PackError, PackProblem, UsageError
from vscan.policies.actions import Action, Severity
from vscan.policies.certificates import Calibration, Certificate
from vscan.policies.checks import Contradiction, pack_contradictions, policy_contradictions
from vscan.policies.fields import (
    ActionWord,
    IndexName,
    PolicyId,
    Prompt,
    Prompts,
    Score,
    Slug,
    Table,
    Template,
    Text,
    Version,
)
from vscan.policies.problems import CONTRADICTION, pack_problems, parse_toml
from vscan.remote.objects import is_remote
from vscan.remote.redacted import redacted
from vscan.shipped import locate

MAX_PACK_BYTES = 4 << 20
DEFAULT_TEMPLATES = (
    "{}",
    "a photo of {}",
    "a frame of a video showing {}",
    "a blurry photo of {}",
    "a close-up photo of {}",
)
"""Prompts are scored as the mean of these, as in Radford et al. 2021 (arXiv 2103.00020), 3.1.4."""


class Thresholds(Table):
    """Scores from which each action is recommended; those left out are never recommended."""

    review: Score | None = None
    """Score 0..1 from which a person should look."""
    escalate: Score | None = None
    """Score 0..1 from which a specialist should look; not below `review`."""
    remove: Score | None = None
    """Score 0..1 from which removal is recommended; not below `escalate`."""

    def of(self, action: Action) -> float | None:
        """Score 0..1 from which `action` is recommended; None where it never is."""
        return {
            Action.REVIEW: self.review,
            Action.ESCALATE: self.escalate,
            Action.REMOVE: self.remove,
        }.get(action)

    @property
    def lowest(self) -> float | None:
        """The lowest threshold, 0..1, where a segment opens; None where there is none."""
        return min(
            (t for t in (self.review, self.escalate, self.remove) if t is not None), default=None
        )

    def action_at(self, score: float) -> Action:
        """The most severe action whose threshold `score` (0..1) reaches; ALLOW where none is."""
        reached = [a for a in Action if (t := self.of(a)) is not None and score >= t]
        return max(reached, default=Action.ALLOW)


class Policy(Table):
    """One rule: what it looks for, how sure it must be, and what it then recommends."""

    id: PolicyId
    """Lower_snake words joined by dots, as `weapons.firearms`; unique in its pack."""
    title: Prompt
    """Name of the policy as people read it."""
    description: Text = ""
    """What falls under it and what does not, for the people who decide."""
    severity: Severity
    """How grave a violation is."""
    prompts: Prompts = ()
    """Descriptions of what violates, as a caption would put them."""
    contrast: Prompts = ()
    """Descriptions of what looks alike and does not violate."""
    indexes: Annotated[tuple[IndexName, ...], Field(strict=False)] = ()
    """Names of exemplar indexes; `--index` binds them to folders at scan time."""
    min_duration_s: Annotated[float, Field(ge=0.0)] = 1.0
    """Seconds that a segment lasts at least."""
    release: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Share of the lowest threshold at which an open segment closes (hysteresis)."""
    match_action: ActionWord = Action.REVIEW
    """Action recommended where a part of a video matches a violating exemplar."""
    thresholds: Thresholds = Thresholds()
    """Scores from which each action is recommended."""
    calibration: Calibration | None = None
    """What was certified of the thresholds on labelled videos; takes no part in judging."""

    @model_validator(mode="after")
    def _hold_together(self) -> Policy:
        _raise_first(policy_contradictions(self.model_dump(exclude_none=True)))
        return self

    @property
    def release_score(self) -> float | None:
        """Score 0..1 below which an open segment closes; None where there is no threshold."""
        lowest = self.thresholds.lowest
        return None if lowest is None else lowest * self.release


class PolicyPack(Table):
    """A versioned set of policies with the prompts and templates that they share."""

    schema_id: Literal["vscan.pack/1"] = Field(alias="schema")
    """Version of this format."""
    name: Slug
    """Short name, as in a verdict's provenance."""
    version: Version
    """Version of the pack's content, in quotes, as "2026.11"."""
    title: Text = ""
    """Name of the pack as people read it."""
    description: Text = ""
    """What the pack is for and what its thresholds rest on."""
    model: Prompt | None = None
    """Name of the model that the thresholds were set on."""
    templates: Annotated[tuple[Template, ...], Field(strict=False, min_length=1)] = (
        DEFAULT_TEMPLATES
    )
    """Sentences around every prompt, each with exactly one {}."""
    neutral: Prompts = ()
    """Descriptions of ordinary content, against which every policy's prompts are scored."""
    min_coverage: Score | None = None
    """Share 0..1 of a video's planned samples below which it is never `clear`; 0.95 if left out."""
    policies: Annotated[tuple[Policy, ...], Field(strict=False, min_length=1, alias="policy")]
    """The policies, in the order of the file."""

    @model_validator(mode="after")
    def _hold_together(self) -> PolicyPack:
        _raise_first(pack_contradictions(self.model_dump(exclude_none=True, by_alias=True)))
        return self

    @cached_property
    def digest(self) -> str:
        """`sha256:…` of the content with its defaults; comments, layout, order of keys and
        certificates, which judge nothing, aside."""
        rules = self.model_dump(
            mode="json", by_alias=True, exclude={"policies": {"__all__": {"calibration"}}}
        )
        content = _without_empty(rules)
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return f"sha256:{hashlib.sha256(canonical).hexdigest()}"

    @property
    def ref(self) -> str:
        """`name@version#sha256:…`, as it stands in a verdict's provenance."""
        return f"{self.name}@{self.version}#{self.digest}"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the policies, in the order of the file."""
        return tuple(policy.id for policy in self.policies)

    @property
    def indexes(self) -> tuple[str, ...]:
        """Names of all exemplar indexes that policies name, sorted."""
        return tuple(sorted({name for policy in self.policies for name in policy.indexes}))

    def __contains__(self, policy_id: str) -> bool:
        return policy_id in self.ids

    def policy(self, policy_id: str) -> Policy:
        """The policy of that id. Raises UsageError, naming the nearest id, if there is none."""
        for policy in self.policies:
            if policy.id == policy_id:
                return policy
        near = difflib.get_close_matches(policy_id, self.ids, n=1)
        raise UsageError(
            f"pack {self.name} has no policy {policy_id!r}",
            remedy=f"did you mean {near[0]}?" if near else f"it has: {', '.join(self.ids)}",
        )


def load_pack(name: str) -> PolicyPack:
    """The pack that ships under a name (`baseline`), or that a path or URI of a `.toml` file holds.

    Raises PackError with every problem found, each with its file, line, key and a hint.
    """
    if is_remote(name):
        return parse_pack(_content_behind(name), file=redacted(name))
    path, content = read_pack(name)
    return parse_pack(content, file=str(path))


def _content_behind(uri: str) -> bytes:
    try:
        return content_at_hand(uri, limit=MAX_PACK_BYTES)
    except UsageError as error:
        told = error.message.removeprefix(f"{redacted(uri)}: ")
        problem = PackProblem(redacted(uri), 0, "", told, error.remedy)
        raise PackError((problem,)) from None


def read_pack(name_or_path: str) -> tuple[Path, bytes]:
    """Where a pack lies, and its bytes. Raises PackError where it cannot be found or read."""

    def problem(message: str, hint: str = "") -> PackError:
        return PackError((PackProblem(name_or_path, 0, "", message, hint),))

    try:
        path = locate("policies", name_or_path)
        with path.open("rb") as file:
            content = file.read(MAX_PACK_BYTES + 1)
    except UsageError as error:
        raise problem(error.message, error.remedy) from None
    except OSError as error:
        raise problem(f"cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_PACK_BYTES:
        raise problem(f"is larger than {MAX_PACK_BYTES >> 20} MiB, which no policy pack is")
    return path, content


def parse_pack(content: bytes, *, file: str) -> PolicyPack:
    """The pack that TOML `content` holds; `file` names it in problems. Raises PackError."""
    toml = parse_toml(content, file=file)
    try:
        return PolicyPack.model_validate(toml.values)
    except ValidationError as error:
        raise PackError(pack_problems(error, toml, _KEYS)) from None


def pack_json_schema() -> str:
    """JSON Schema (2020-12) of a pack, as text; what must hold between keys is not in it."""
    schema = PolicyPack.model_json_schema(by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode() + "\n"


def _keys(table: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in table.model_fields.items())


_KEYS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): _keys(PolicyPack),
    ("policy",): _keys(Policy),
    ("policy", "thresholds"): _keys(Thresholds),
    ("policy", "calibration"): _keys(Calibration),
    **{("policy", "calibration", action): _keys(Certificate) for action in _keys(Calibration)},
}


def _raise_first(contradictions: Sequence[Contradiction]) -> None:
    for one in contradictions:
        raise PydanticCustomError(CONTRADICTION, "{message}", {"message": one.message})


def _without_empty(value: Any) -> Any:
    """A key that a later version adds, and a pack does not use, leaves the digest as it was."""
    if isinstance(value, dict):
        kept = {key: _without_empty(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in (None, "", [], {})}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value
