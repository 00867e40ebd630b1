"""The options of commands that scan, rescan or plan, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

# fmt: off
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        help="Video files, folders (searched in depth) or globs; - reads names from stdin.",
        metavar="PATHS…",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o",
        help="Append verdicts to this JSONL file, skipping what it already holds for the same "
        "content and configuration. Default: stdout.",
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(
        help="A list of inputs: one name a line, NUL-separated names, or JSON lines with a "
        "`uri` whose other fields are passed on as `source.meta`."
    ),
]
Policy = Annotated[
    str,
    typer.Option(help="Policy pack: a shipped one (`vscan policy list`) or a .toml file."),
]
Index = Annotated[
    list[str] | None,
    typer.Option(help="Folder of an exemplar index to match against. May be repeated."),
]
Model = Annotated[
    str | None,
    typer.Option(help="Model for the embeddings (`vscan models list`), or an open_clip "
                 "architecture together with --weights. Default: ViT-B-32-datacomp."),
]
Weights = Annotated[
    str | None, typer.Option(help="Local .safetensors file with the weights of --model.")
]
Device = Annotated[
    str, typer.Option(help="Where the model runs: auto, cpu, cuda, cuda:N or mps.")
]
Precision = Annotated[
    str, typer.Option(help="How it computes: auto, fp32, bf16 or fp16.")
]
Sampling = Annotated[
    str,
    typer.Option(help="Which frames are looked at: fps:N, every:N (every Nth frame), "
                 "keyframes, or adaptive: keyframes first, then more where a policy fires or "
                 "nearly does."),
]
MaxGap = Annotated[
    float | None,
    typer.Option(metavar="S",
                 help="With keyframes or adaptive: seconds between samples at most; where "
                 "keyframes are further apart, frames between them are looked at. Default: 2 "
                 "for adaptive, none for keyframes."),
]
Decode = Annotated[
    Literal["exact", "fast"],
    typer.Option(help="fast: take only frames that others refer to (a few frames later at "
                 "most) and leave the loop filter out between keyframes: less work, pictures "
                 "that differ a little (docs/speed.md)."),
]
Signals = Annotated[
    str | None,
    typer.Option(help="Signals to measure, with commas: embedding, pdq, keypoints. Default: "
                 "what the pack and the indexes need; with --store embedding and pdq as well."),
]
Store = Annotated[
    str | None,
    typer.Option(help="Frame store, a folder or URI: what is measured is kept there, and what "
                 "is there is not decoded again. `vscan rescan` judges anew from it.",
                 metavar="DIR|URI"),
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where the work runs: this process and its readers, or Ray (the extra "
                 "vscan[ray]), on this machine or a cluster (docs/clusters.md)."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(metavar="auto|HOST:PORT",
                 help="With --engine ray: the cluster to run on. Default: a Ray on this machine, "
                 "which ends with the scan."),
]
ModelActors = Annotated[
    int,
    typer.Option(min=1,
                 help="With --engine ray: copies of the model, each with a GPU of its own where "
                 "the cluster has some."),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Videos read at the same time; with --engine ray, reading actors at most. "
                 "Default: one per core."),
]
Timeout = Annotated[
    float | None,
    typer.Option(help="Seconds a video may keep its reader busy before it is given up as an "
                 "error, as --limit timeout_s. Default: 60 and the video's own length."),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE",
                 help="What reading one video may cost, beyond which it is an error: "
                 "timeout_s, cpu_s, memory_bytes, max_pixels, max_side, max_duration_s, "
                 "max_streams or threads, as memory_bytes=2G, max_duration_s=4h or "
                 "max_pixels=36M (docs/limits.md). May be repeated."),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start --output over instead of resuming it.")
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N",
                 help="Only share I of N of the inputs, as 2/5, for array jobs: each source is "
                 "in exactly one, by its URI. `vscan verdicts merge` joins the outputs."),
]
Summary = Annotated[
    Path | None,
    typer.Option(help="Where the run summary goes. Default: verdicts.run.json beside "
                 "verdicts.jsonl; none for stdout."),
]
FloodShare = Annotated[
    float,
    typer.Option(help="Share of the run's videos beyond which an exemplar that matches them "
                 "(20 at least) is set aside and put into quarantine; 0: never."),
]
FailOn = Annotated[
    Literal["review", "violation"] | None,
    typer.Option(help="Exit with 1 if any video's outcome is this or graver."),
]
Timings = Annotated[
    bool,
    typer.Option("--timings", help="Tell at the end, on stderr, where the time went: CPU "
                 "seconds by step, samples a second, how busy the cores were."),
]
# fmt: on
