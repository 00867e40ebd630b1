"""Writes a pack to begin with: a commented example, or a copy of another pack under a new name."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from vscan.errors import OutputError, UsageError
from vscan.policies.pack import PolicyPack, parse_pack, read_pack

STARTER = """\
# A policy pack. Check it with `vscan policy lint FILE`, use it with `vscan scan --policy FILE`.
schema = "vscan.pack/1"
name = "my-pack"
# Raise the version whenever the content changes: it stands in every verdict.
version = "1"
title = "My policies"
description = "What this pack is for, and what its thresholds rest on."
# The model that the thresholds below were set on; another model needs its own.
model = "ViT-B-32-datacomp"
# Every prompt is put into each of these; the mean is what counts.
templates = ["{}", "a photo of {}", "a frame of a video showing {}"]
# Ordinary content, against which the prompts of every policy are scored.
neutral = [
  "people talking to the camera",
  "a street with cars",
  "an empty room",
  "a landscape",
  "text on a plain background",
]

[[policy]]
id = "weapons.firearms"
title = "Firearms"
description = "Real firearms, held, aimed or shown. Toys and video games do not fall under it."
# low, medium, high or critical
severity = "high"
# What violates, as a caption of the frame would put it.
prompts = [
  "a person aiming a handgun",
  "a rifle lying on a table",
]
# What looks alike and is allowed: the usual false positives.
contrast = [
  "a toy gun made of bright plastic",
  "a screenshot of a first-person shooter video game",
  "a person holding a power drill",
]
# A segment shorter than this (seconds) is not reported.
min_duration_s = 1.0
# An open segment closes below this share of the lowest threshold.
release = 0.8
# What is recommended where a video matches a violating exemplar: review, escalate or remove.
match_action = "review"

# Scores from 0 to 1. The most severe action whose threshold is reached is recommended.
[policy.thresholds]
review = 0.85
# escalate = 0.95
# remove = 0.99

# A policy without prompts knows its content only from an exemplar index: give the index its
# folder with `vscan scan --index DIR`.
[[policy]]
id = "known.removed"
title = "Content removed before"
description = "Copies of videos that were removed before, whatever they show."
severity = "high"
indexes = ["known"]
match_action = "review"
"""


def write_pack(file: Path, *, name: str | None = None, source: str | None = None) -> PolicyPack:
    """Writes a new pack to `file` and returns it; never overwrites.

    name: of the pack; by default made from the file's. source: a pack to copy, comments and all.
    Raises UsageError for a bad name, PackError for a bad source, OutputError if it cannot write.
    """
    if file.suffix != ".toml":
        raise UsageError(
            f"{file}: the name of a policy pack ends in .toml", remedy=f"write to {file.name}.toml"
        )
    name = name if name is not None else _name_from(file)
    text = STARTER if source is None else _source_text(source)
    content = _renamed(text, name).encode()
    pack = parse_pack(content, file=str(file))
    try:
        with file.open("xb") as output:
            output.write(content)
    except FileExistsError:
        raise OutputError(
            f"{file} is there already", remedy="name another file; nothing is overwritten"
        ) from None
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written: {error.strerror or error}",
            remedy="make the folder first, or name a place that may be written to",
        ) from error
    return pack


def _name_from(file: Path) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-_") or "pack"


def _source_text(source: str) -> str:
    path, content = read_pack(source)
    parse_pack(content, file=str(path))
    return content.decode("utf-8-sig")


def _renamed(text: str, name: str) -> str:
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"the pack cannot be copied: {error}") from error
    document["name"] = name
    return tomlkit.dumps(document)
