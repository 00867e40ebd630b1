"""Damaged policy packs: problems with their lines, or a pack whose every number holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomlkit

from fuzz.mutators import Rng, mutated, mutated_json
from fuzz.target import Case, Files, WrongAnswerError, lay
from vscan.errors import PackError
from vscan.policies import PolicyPack, lint_pack, parse_pack
from vscan.shipped import shipped

NAME = "pack.toml"
SCORES = (0.0, 0.5, 0.95, 1.0)


class Packs(Files):
    """The shipped packs, mutated as text and as what they say."""

    name = "packs"
    about = "a damaged pack is refused with its problems, or what it says holds together"

    def __init__(self) -> None:
        self._texts: list[bytes] = []

    def prepare(self, folder: Path) -> None:
        """Reads the shipped packs."""
        self._texts = [path.read_bytes() for path in shipped("policies").values()]

    def case(self, rng: Rng) -> Case:
        """A value, key or table is another, or bytes are."""
        text = self._texts[int(rng.integers(len(self._texts)))]
        if rng.random() < 0.5:
            told = mutated_json(rng, tomllib.loads(text.decode()))
            try:
                return {NAME: tomlkit.dumps(told).encode()}
            except (TypeError, ValueError, AttributeError):
                pass  # no TOML: null, or not a table
        return {NAME: mutated(rng, text)}

    def check(self, case: Case, folder: Path) -> str:
        """Parsed, and linted as `vscan policy lint` does."""
        lay(case, folder)
        try:
            pack = parse_pack(case[NAME], file=NAME)
        except PackError as refused:
            if not refused.problems or not all(each.message for each in refused.problems):
                raise WrongAnswerError("refused without a problem") from refused
            return "refused"
        _holds(pack)
        if parse_pack(case[NAME], file=NAME).digest != pack.digest:
            raise WrongAnswerError("read twice, it has two digests")
        lint_pack(str(folder / NAME))
        return "read"


def _holds(pack: PolicyPack) -> None:
    for policy in pack.policies:
        limits = policy.thresholds
        given = [
            each for each in (limits.review, limits.escalate, limits.remove) if each is not None
        ]
        if given != sorted(given) or not all(0.0 <= each <= 1.0 for each in given):
            raise WrongAnswerError(f"{policy.id}: thresholds {given}")
        actions = [limits.action_at(score) for score in SCORES]
        if actions != sorted(actions):
            raise WrongAnswerError(f"{policy.id}: a higher score is a milder action: {actions}")
