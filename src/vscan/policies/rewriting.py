"""A certified threshold written into a pack, comments and layout kept."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table, Whitespace

from vscan.errors import UsageError
from vscan.policies.certificates import Certificate
from vscan.policies.pack import PolicyPack, parse_pack


def with_certificate(
    content: bytes,
    *,
    file: str,
    policy: str,
    action: str,
    certificate: Certificate,
    version: str | None = None,
) -> bytes:
    """The pack of TOML `content` with that policy's threshold for the action, and the certificate
    under [policy.calibration.ACTION], in place of one that is there.

    version: of the new pack; None: it stays. Raises PackError where the result does not hold, and
    UsageError where it is not the old pack with just that changed.
    """
    before = parse_pack(content, file=file)
    bom = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    try:
        document = tomlkit.parse(content.decode("utf-8-sig"))
        table: Any = next(each for each in document["policy"] if each["id"] == policy)
        if version is not None:
            document["version"] = version
        told = _taken_from_the_end(table)
        _below(table, "thresholds")[action] = certificate.threshold
        calibration = _below(table, "calibration")
        values = _empty(calibration)
        for key, value in certificate.model_dump(mode="json", exclude_none=True).items():
            values[key] = value
        calibration[action] = values
        end = _last(table)
        for item in told:
            end.value.append(None, item)
        text = bom + tomlkit.dumps(document).encode()
    except TOMLKitError as error:
        raise UsageError(
            f"{file}: cannot be written to: {error}", remedy="put the threshold in by hand"
        ) from error
    _prove(before, parse_pack(text, file=file), policy, action, certificate, version)
    return text


def _last(table: Any) -> Any:
    """The last table within, where the text of that table ends."""
    while isinstance(table, Table) and table.value.body:
        below = table.value.body[-1][1]
        if not isinstance(below, Table):
            break
        table = below
    return table


def _taken_from_the_end(table: Any) -> list[Any]:
    """Takes out what follows the last blank line but keys: it is said of the policy that comes
    next, and has to stay in front of it."""
    end = _last(table)
    if not isinstance(end, Table):
        return []
    body = end.value.body
    keyed = max((at for at, (key, _) in enumerate(body) if key is not None), default=-1)
    blank = (at for at in range(keyed + 1, len(body)) if isinstance(body[at][1], Whitespace))
    first = next(blank, len(body))
    taken = [item for _, item in body[first:]]
    del body[first:]
    return taken


def _below(table: Any, name: str) -> MutableMapping[str, Any]:
    """The table of that name in a policy, made where there is none."""
    if name not in table:
        table[name] = _empty(table)
    below: MutableMapping[str, Any] = table[name]
    return below


def _empty(within: Any) -> Any:
    """A table that may stand within that one."""
    if isinstance(within, InlineTable):
        return tomlkit.inline_table()
    return tomlkit.table(is_super_table=True) if "id" in within else tomlkit.table()


def _prove(
    before: PolicyPack,
    after: PolicyPack,
    policy: str,
    action: str,
    certificate: Certificate,
    version: str | None,
) -> None:
    """Raises UsageError where anything but what was asked for has changed."""
    expected = before.model_dump(mode="json")
    for each in expected["policies"]:
        if each["id"] == policy:
            each["thresholds"][action] = certificate.threshold
            held = each["calibration"] or dict.fromkeys(("review", "escalate", "remove"))
            each["calibration"] = {**held, action: certificate.model_dump(mode="json")}
    expected["version"] = version or before.version
    if after.model_dump(mode="json") != expected:
        raise UsageError(
            f"{before.name}: writing the threshold would change more than that",
            remedy="put the threshold in by hand",
        )
