"""`vscan models`: which models have a name, fetching their weights, checking them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vscan.cli.tables import print_json_lines, print_line, print_table

if TYPE_CHECKING:
    from vscan.embeddings.registry import NamedModel
    from vscan.embeddings.weights import WeightsReport

models_app = typer.Typer(
    name="models",
    help="""List, fetch and check the models that turn frames and prompts into vectors.

    A scan never downloads: `vscan models pull` does, once, into the Hugging Face cache (HF_HOME).
    Weights of your own need no name here: `vscan scan --model ARCHITECTURE --weights
    FILE.safetensors` loads any open_clip architecture.
    """,
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]


@models_app.command("list")
def list_models(
    as_json: Json = False,
    architectures: Annotated[
        bool,
        typer.Option(
            "--architectures", help="List instead the open_clip architectures that --weights takes."
        ),
    ] = False,
) -> None:
    """List the named models: licence, size, what each is for, and whether it is here.

    The model marked * is the default. A licence marked ! is not permissive: read it first.
    """
    if architectures:
        _list_architectures(as_json)
        return
    from vscan.embeddings.registry import DEFAULT_MODEL, MODELS

    if as_json:
        print_json_lines(_model_object(model) for model in MODELS.values())
        return
    print_table(
        ("model", "licence", "size", "dim", "here", "for"),
        (
            (
                f"{model.name} *" if model.name == DEFAULT_MODEL else model.name,
                model.licence if model.permissive else f"{model.licence} !",
                f"{model.bytes / 1e6:.0f} MB",
                str(model.dim),
                "yes" if _model_object(model)["present"] else "-",
                model.purpose,
            )
            for model in MODELS.values()
        ),
    )


@models_app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A model of `vscan models list`.")],
    as_json: Json = False,
) -> None:
    """Fetch a model's weights from the Hugging Face hub, and verify them.

    A broken download goes on where it stopped. HF_HOME says where files are kept, HF_ENDPOINT
    names a mirror, HF_HUB_OFFLINE forbids the network.

    Example: vscan models pull ViT-B-32-datacomp
    """
    from vscan.embeddings.registry import named_model
    from vscan.embeddings.weights import pull_weights, verify_weights

    model = named_model(name)
    if not model.permissive:
        print(f"{model.name}: licence {model.licence} is not permissive", file=sys.stderr)
    path = pull_weights(model)
    if as_json:
        print_json_lines([_report_object(verify_weights(model))])
    else:
        print_line(str(path))


@models_app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(help="A model of `vscan models list`; all that are here if none."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the SHA-256 of weights on this machine with what it should be.

    Exit code 0 where all are as they should be, 2 where one is damaged or the named one is absent.
    `unverified` means that nobody has said what its SHA-256 should be.
    """
    from vscan.embeddings.registry import MODELS, named_model
    from vscan.embeddings.weights import find_weights, require_weights, verify_weights
    from vscan.errors import ModelError

    if name is not None:
        require_weights(named_model(name))
        chosen = [named_model(name)]
    else:
        chosen = [model for model in MODELS.values() if find_weights(model) is not None]
    reports = [verify_weights(model) for model in chosen]
    if as_json:
        print_json_lines(_report_object(report) for report in reports)
    else:
        print_table(
            ("model", "state", "SHA-256", "file"),
            ((r.model, r.state, r.sha256 or "-", str(r.path or "-")) for r in reports),
        )
    damaged = [report for report in reports if report.state == "damaged"]
    if damaged:
        first = damaged[0]
        raise ModelError(
            f"{first.path}: the weights of {first.model} are damaged or were exchanged: SHA-256"
            f" {first.sha256}, expected {first.expected}",
            remedy=f"delete that file and run `vscan models pull {first.model}`",
        )


def _list_architectures(as_json: bool) -> None:
    from vscan.embeddings.architectures import architecture_names

    if as_json:
        print_json_lines({"architecture": name} for name in architecture_names())
        return
    for name in architecture_names():
        print_line(name)


def _model_object(model: NamedModel) -> dict[str, Any]:
    from vscan.embeddings.registry import DEFAULT_MODEL
    from vscan.embeddings.weights import find_weights, is_complete

    path = find_weights(model)
    return {
        "model": model.name,
        "architecture": model.architecture,
        "tag": model.tag or None,
        "repo": model.repo or None,
        "licence": model.licence,
        "permissive": model.permissive,
        "bytes": path.stat().st_size if path is not None else model.bytes,
        "dim": model.dim,
        "image_size": [model.preprocessing.width, model.preprocessing.height],
        "needs": model.needs or None,
        "sha256": model.sha256,
        "present": path is not None and is_complete(model),
        "path": str(path) if path is not None else None,
        "default": model.name == DEFAULT_MODEL,
        "purpose": model.purpose,
    }


def _report_object(report: WeightsReport) -> dict[str, Any]:
    return {
        "model": report.model,
        "state": report.state,
        "path": None if report.path is None else str(report.path),
        "sha256": report.sha256,
        "expected": report.expected,
    }
