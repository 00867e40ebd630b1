"""Writes MODEL_CARD.md from a run's recipe and log and the figures of its evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.builtin.gates import gates

_HEAD = """# Model card: vscan's built-in model

**A demo and test model. It knows drawn pictograms, not photographs. It is never used unless asked
for by name (`--model builtin`), and it is not for moderating anything.**

It lets `vscan demo`, the tests and a first look run the whole journey offline. On real footage it
finds nothing of use: take a model of `vscan models list` for that. Real CLIP weights were not run
where vscan was built: their loading was tested with random weights of the same architecture.
"""

_WHAT = """
## What it is
A CLIP (Radford et al. 2021, arXiv:2103.00020) of 6 M parameters, trained from scratch: image tower
`resnet10t` (timm) at 64 x 64 pixels, squashed, bicubic; text tower of 2 layers, width 128, context
of 16 tokens; the first 4096 entries of open_clip's own vocabulary; 256 dimensions. Half-precision
safetensors, loaded by open_clip's `local-dir:` mechanism. Licence: Apache-2.0.

## What it was trained on
{concepts} glyphs of Noto Color Emoji (SIL Open Font License 1.1) with their Unicode names
(emojibase-data, MIT) and synonyms written for the policies, composited at random size, place and
angle on procedural backgrounds. **No photograph and no video went into training or calibration.**
Words that no caption contained (`known_words.txt` lists those that did) mean nothing to it.

## How it was made
```
{command}
```
{run}

One command trains, calibrates the demo pack's thresholds, measures and writes this card. Scenes are
a pure function of seed and number and rates follow steps, so a longer run is the same command with
more `--steps`. Needs `apt-get install fonts-noto-color-emoji` and `npm`.
"""

_LIMITS = """
## Limits
- Objects below a quarter of the frame are often missed, and so are several objects at once.
- Only this font's drawings: other emoji fonts, clip art and photographs are foreign to it.
- Thresholds of the demo pack belong to this model and to procedural scenes.
- A score is no probability: see docs/prompt-scores.md.
- Its cosines say how alike two pictures are in colour, layout and pictograms; between photographs
  they were not studied.
"""


def _table(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _figures(found: dict[str, Any]) -> str:
    shown, like = found["zero_shot"], found["likeness"]
    sizes = [key for key in shown if key.startswith("top1_0")]
    lowest = ", ".join(f"{name} {value:.2f}" for name, value in shown["lowest"].items())
    policies = [
        ["policy", "AUC", "threshold (review)", "recall", "alone, 0.4-0.7", "empty", "others"]
    ]
    for name, row in found["policies"].items():
        rates = (f"{row[key]:.1%}" for key in ("empty_flagged", "others_flagged"))
        recall = (f"{row[key]:.2f}" for key in ("recall", "recall_alone_0.4-0.7"))
        policies.append([name, f"{row['auc']:.3f}", f"{row['threshold']:.3f}", *recall, *rates])
    promises = [["promise", "figure", "bound", ""]] + [
        [g.what, f"{g.value:g}", ("≥ " if g.at_least else "≤ ") + f"{g.bound:g}",
         "met" if g.met else "**missed**"]
        for g in gates(found)
    ]  # fmt: skip
    changes = [["copy", "mean", "5th percentile"]] + [
        [name, f"{like[name]['mean']:.3f}", f"{like[name]['p5']:.3f}"]
        for name in like
        if name != "other_scenes"
    ]
    speed = found["speed"]
    parts = [
        "## Figures",
        f"Measured with `python -m training.builtin.evaluate --final` on {found['machine']};"
        f" seed {found['seed']}, which tuning never used, on backgrounds that training never saw."
        " Size is the object's side as a share of the square root of the frame's area.",
        _table(promises),
        f"### Zero-shot, {shown['concepts']} concepts",
        _table([["size", "top-1"]] + [[key[5:], f"{shown[key]:.3f}"] for key in sizes]),
        f"Over all {shown['all_concepts']} concepts, 0.25-0.7: {shown['top1_all_concepts']:.3f}."
        f" Lowest: {lowest}.",
        "### Policies of the demo pack",
        "Recall on objects of 0.25-0.7, two in five beside a harmless one; `alone` on single"
        " objects of 0.4-0.7; flagged frames of empty scenes, and of scenes with other objects.",
        _table(policies),
        "### Cosines with copies, and between scenes",
        _table(changes),
        f"Different scenes: mean {like['other_scenes']['mean']:.3f}, 95th percentile"
        f" {like['other_scenes']['p95']:.3f}.",
        "### Images a second (forward pass, fp32, reported only)",
        f"{speed['builtin_64px']:g} against {speed['vit_b_32_random_weights_224px']:g} of ViT-B-32"
        f" with random weights, {speed['threads']} threads, same run: {speed['ratio']:g} times.",
    ]
    if "real_video" in found:
        video = found["real_video"]
        fired = ", ".join(f"{name} {share:.1%}" for name, share in video["fired"].items())
        parts += [
            "### Real videos, which it was not made for",
            f"{video['frames']} frames of {video['videos']} public test videos, in neither training"
            " nor calibration. A first count on them led to more neutral and contrast prompts and"
            " to stricter thresholds for every policy, so this figure is no blind one. Frames on"
            f" which a policy reached review: {fired}.",
        ]
    return "\n\n".join(parts)


def write_card(
    folder: Path, found: dict[str, Any], *, concepts: int, command: str, run: dict[str, Any]
) -> None:
    """Write ``folder``/MODEL_CARD.md; ``run`` holds the recipe, the minutes and the machine."""
    recipe = run["recipe"]
    told = (
        f"{recipe['steps']} steps of {2 * recipe['scenes']} pictures, seed {recipe['seed']},"
        f" {run['minutes']:.0f} minutes on {run['machine']}"
        f" ({run['threads']} threads{run['note']}). All numbers of the recipe:\n"
        f"`{json.dumps(recipe)}`\n\nWeights: SHA-256 `{run['sha256']}`."
    )
    text = _HEAD + _WHAT.format(concepts=concepts, command=command, run=told)
    text += "\n" + _figures(found) + "\n" + _LIMITS
    (folder / "MODEL_CARD.md").write_text(text, "utf-8")
