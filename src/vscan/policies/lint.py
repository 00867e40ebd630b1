"""Checks policy packs as a careful reader would: every error, and what is allowed but doubtful."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vscan.errors import PackError, PackProblem
from vscan.policies.drift import drifted
from vscan.policies.pack import Policy, PolicyPack, parse_pack, read_pack
from vscan.policies.problems import TomlFile, parse_toml, where
from vscan.toml_lines import KeyPath

MAX_PROMPT_WORDS = 60
"""CLIP reads 77 tokens (Radford et al. 2021, 2.4); 60 words with a template come close to it."""

_Doubt = tuple[KeyPath, str, str]


@dataclass(frozen=True)
class LintReport:
    """What lint found in one pack: the pack itself where it holds, errors, warnings."""

    file: str
    pack: PolicyPack | None
    errors: tuple[PackProblem, ...] = ()
    warnings: tuple[PackProblem, ...] = ()


def lint_pack(name_or_path: str) -> LintReport:
    """Every error and every warning of a pack, in file order. Warnings need a pack that holds."""
    try:
        path, content = read_pack(name_or_path)
        pack = parse_pack(content, file=str(path))
    except PackError as error:
        return LintReport(name_or_path, None, errors=error.problems)
    toml = parse_toml(content, file=str(path))
    return LintReport(str(path), pack, warnings=_warnings(pack, toml))


def _warnings(pack: PolicyPack, toml: TomlFile) -> tuple[PackProblem, ...]:
    doubts = [*_pack_doubts(pack)]
    for number, policy in enumerate(pack.policies):
        for path, message, hint in _policy_doubts(policy):
            doubts.append((("policy", number, *path), message, hint))
        for action, changed in drifted(pack, policy):
            hint = "certify it anew: vscan calibrate"
            doubts.append((("policy", number, "calibration", action), changed, hint))
    doubts += _prompt_doubts(pack)
    warnings = [
        PackProblem(toml.file, toml.lines.line(path), where(path), message, hint)
        for path, message, hint in doubts
    ]
    return tuple(sorted(warnings, key=lambda warning: warning.line))


def _pack_doubts(pack: PolicyPack) -> Iterator[_Doubt]:
    if not pack.description:
        yield ("name",), "the pack has no description", "say what its thresholds rest on"
    prompted = [policy for policy in pack.policies if policy.prompts]
    if prompted and not pack.model:
        hint = 'add model = "…", as in vscan models list'
        yield ("name",), "thresholds are set, and no model is named that they were set on", hint
    if prompted and not pack.neutral:
        hint = "add descriptions of ordinary content"
        yield ("name",), "there are no neutral prompts", hint


def _policy_doubts(policy: Policy) -> Iterator[_Doubt]:
    if not policy.description:
        yield ("id",), "the policy has no description", "say what falls under it, and what does not"
    if policy.prompts and not policy.contrast:
        hint = "name what looks alike and is allowed"
        yield ("prompts",), "the policy has no contrast prompts", hint
    if not policy.prompts and policy.contrast:
        yield ("contrast",), "contrast without prompts has no effect", ""
    if not policy.prompts and policy.thresholds.lowest is not None:
        hint = "matches with exemplars go by match_action"
        yield ("thresholds",), "thresholds without prompts have no effect", hint
    for key in ("review", "escalate", "remove"):
        if getattr(policy.thresholds, key) == 0.0:
            yield ("thresholds", key), "every sample reaches a threshold of 0", ""
    if policy.prompts and policy.id.startswith(("child_safety", "csam", "csae")):
        hint = "remove the prompts, name an exemplar index"
        yield ("prompts",), "child safety is matched through exemplars, never described", hint


def _prompt_doubts(pack: PolicyPack) -> Iterator[_Doubt]:
    """Prompts that stand twice where once was meant, or that the model cannot read whole."""
    frame = max(len(template.split()) - 1 for template in pack.templates)
    violating: dict[str, str] = {}
    neutral = [prompt.casefold() for prompt in pack.neutral]
    yield from _repeated(("neutral",), pack.neutral)
    for number, policy in enumerate(pack.policies):
        for key, prompts in (("prompts", policy.prompts), ("contrast", policy.contrast)):
            path: KeyPath = ("policy", number, key)
            yield from _repeated(path, prompts)
            for item, prompt in enumerate(prompts):
                if (words := len(prompt.split()) + frame) > MAX_PROMPT_WORDS:
                    hint = "the end of it is cut off"
                    yield (*path, item), f"{words} words with their template are too many", hint
        contrast = {prompt.casefold() for prompt in policy.contrast}
        for item, prompt in enumerate(policy.prompts):
            place: KeyPath = ("policy", number, "prompts", item)
            folded = prompt.casefold()
            if folded in contrast:
                yield place, "the prompt is a contrast prompt of the same policy too", ""
            if folded in neutral:
                yield place, "the prompt is a neutral prompt of the pack too", ""
            if (other := violating.setdefault(folded, policy.id)) != policy.id:
                yield place, f"the prompt stands under {other} too", "one sample fires both"


def _repeated(path: KeyPath, prompts: tuple[str, ...]) -> Iterator[_Doubt]:
    folded = [prompt.casefold() for prompt in prompts]
    for item, prompt in enumerate(folded):
        if prompt in folded[:item]:
            yield (*path, item), "the prompt stands here twice", "once is enough"
