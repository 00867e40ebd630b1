"""The options of commands that scan, rescan or plan, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

# fmt: off
Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        help="Video files, folders (searched in depth) or globs, on this machine or as s3://, "
        "gs://, az:// and https:// URIs; - reads names from stdin.",
        metavar="PATHS|URIS…",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE|DIR/|URI",
        help="Append verdicts to this JSONL file, skipping what it already holds for the same "
        "content and configuration, and replacing older lines of the same URIs. A folder that ends "
        "in a slash, or a URI, takes them as parts; `vscan verdicts merge` makes one file of them. "
        "Default: stdout.",
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(
        help="A list of inputs (a file, a URI, or - for stdin): one name a line, NUL-separated "
        "names, or JSON lines with a "
        "`uri` whose other fields are passed on as `source.meta`."
    ),
]
Policy = Annotated[
    str,
    typer.Option(help="Policy pack: a shipped one (`vscan policy list`), or a .toml file or URI."),
]
Index = Annotated[
    list[str] | None,
    typer.Option(help="Folder or URI of an exemplar index to match against. May be repeated."),
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
    bool, typer.Option("--fresh", help="Start --output over instead of resuming it; of "
                       "parts, with --shard, only this shard's.")
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
                 "verdicts.jsonl, runs/ below a folder of parts; none for stdout."),
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
ScratchFolder = Annotated[
    str | None,
    typer.Option("--scratch", metavar="DIR",
                 help="Folder in which objects behind URIs are while they are read. Default: "
                 "in the system's temporary one (TMPDIR)."),
]
ScratchBytes = Annotated[
    str | None,
    typer.Option("--scratch-bytes", metavar="SIZE",
                 help="That they may take there together, as 64G; those that come next wait. "
                 "Default: 16G, or half of what is free."),
]
AllowPrivateHosts = Annotated[
    bool,
    typer.Option("--allow-private-hosts",
                 help="Let http(s) URIs lead to addresses of private networks and of this machine, "
                 "which are refused otherwise."),
]
LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option(help="What stderr holds: text for people, or one JSON object a line, each with a "
                 "stable `event`, and nothing else (docs/jobs.md)."),
]
MetricsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE",
                 help="Keep metrics of the run in this file, in Prometheus's text format, written "
                 "anew every 15 seconds (docs/jobs.md)."),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(metavar="PORT", min=0, max=65535,
                 help="Serve the same metrics over HTTP while the run lasts; 0: any free port."),
]
MetricsAddress = Annotated[
    str, typer.Option(metavar="ADDR", help="Address that --metrics-port is opened at.")
]
MaxErrors = Annotated[
    int | None,
    typer.Option(metavar="N", min=0,
                 help="End the run with exit code 4 once more than N of its videos are `error`; "
                 "0 tolerates none. What was done is kept. Default: any number."),
]
Grace = Annotated[
    float,
    typer.Option(metavar="S", min=0.0, max=86400.0,
                 help="Seconds that videos being read have to end after SIGTERM, while no other is "
                 "begun; 0: none."),
]
# fmt: on
