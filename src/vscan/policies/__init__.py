"""Policy packs: policies with their prompts, exemplar indexes, thresholds and actions, from TOML.

    pack = load_pack("baseline")            # a shipped pack by name, or a path to a .toml file
    policy = pack.policy("weapons.firearms")
    policy.thresholds.action_at(0.91)       # Action.REVIEW

docs/policies.md tells how to write one.
"""

from vscan.policies.actions import SEVERITIES, Action, Severity
from vscan.policies.lint import LintReport, lint_pack
from vscan.policies.pack import (
    Policy,
    PolicyPack,
    Thresholds,
    load_pack,
    pack_json_schema,
    parse_pack,
)

__all__ = [
    "SEVERITIES",
    "Action",
    "LintReport",
    "Policy",
    "PolicyPack",
    "Severity",
    "Thresholds",
    "lint_pack",
    "load_pack",
    "pack_json_schema",
    "parse_pack",
]
