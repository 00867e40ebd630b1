"""`vscan policy`: list, show, begin, check and compare policy packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vscan.cli.policy_backtest import backtest
from vscan.cli.tables import print_json_lines, print_line, print_table, safe, write_text

if TYPE_CHECKING:
    from vscan.errors import PackProblem
    from vscan.policies import LintReport, Policy, PolicyPack

policy_app = typer.Typer(
    name="policy",
    help="""List, show, begin, check and backtest policy packs.

    A policy pack is a TOML file of policies: what each looks for (prompts, exemplar indexes), how
    sure it must be (thresholds), and what it then recommends. Packs that ship with vscan are named
    (baseline); packs of your own are given as a path that ends in .toml.
    """,
    no_args_is_help=True,
)
policy_app.command("backtest")(backtest)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
Pack = Annotated[
    str,
    typer.Argument(help="A shipped pack by name (baseline), or a path to a .toml file."),
]


@policy_app.command("list")
def list_packs(as_json: Json = False) -> None:
    """List the policy packs that ship with vscan."""
    from vscan.policies import load_pack
    from vscan.shipped import shipped

    packs = [load_pack(name) for name in shipped("policies")]
    if as_json:
        print_json_lines(_pack_object(pack) for pack in packs)
        return
    print_table(
        ("name", "version", "policies", "model", "title"),
        ((p.name, p.version, str(len(p.policies)), p.model or "-", p.title) for p in packs),
    )


@policy_app.command()
def show(
    pack: Pack,
    policy_id: Annotated[
        str | None, typer.Argument(help="One policy of the pack, as weapons.firearms.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the policies of a pack, or all of one policy.

    Examples: vscan policy show baseline; vscan policy show baseline weapons.firearms
    """
    from vscan.policies import load_pack

    loaded = load_pack(pack)
    policies = [loaded.policy(policy_id)] if policy_id is not None else list(loaded.policies)
    if as_json:
        print_json_lines({"pack": loaded.ref, **one.model_dump(mode="json")} for one in policies)
    elif policy_id is not None:
        _show_policy(loaded, policies[0])
    else:
        _show_pack(loaded)


@policy_app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The pack to write; its name ends in .toml.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the pack; by default that of the file.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PACK", help="Begin with a copy of this pack."),
    ] = None,
) -> None:
    """Write a commented pack to begin with; it passes lint as it is.

    Nothing is ever overwritten. Example: vscan policy new mine.toml --from baseline
    """
    from vscan.policies.starter import write_pack

    pack = write_pack(file, name=name, source=source)
    shown = safe(str(file))
    typer.echo(f"wrote {shown}: pack {pack.name}, policies: {len(pack.policies)}", err=True)
    typer.echo(f"edit it, then check it with: vscan policy lint {shown}", err=True)


@policy_app.command()
def lint(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Packs to check: paths, or names of shipped ones."),
    ],
    as_json: Json = False,
) -> None:
    """Check packs: every error with file, line, key and a hint; doubts as warnings.

    Exit code 0 where no pack has an error (warnings are allowed), 2 otherwise.
    """
    from vscan.policies import lint_pack

    reports = [lint_pack(file) for file in files]
    if as_json:
        print_json_lines(
            _problem_object(level, problem)
            for report in reports
            for level, problems in (("error", report.errors), ("warning", report.warnings))
            for problem in problems
        )
    else:
        for report in reports:
            _print_report(report)
    if any(report.errors for report in reports):
        raise typer.Exit(2)


@policy_app.command()
def schema() -> None:
    """Print the JSON Schema of a pack, for editors that complete and check TOML."""
    from vscan.policies import pack_json_schema

    write_text(pack_json_schema())


def _show_pack(pack: PolicyPack) -> None:
    print_line(f"{pack.title or pack.name} ({pack.name}@{pack.version})")
    if pack.description:
        print_line(pack.description)
    print_line(f"digest {pack.digest}; thresholds set on {pack.model or 'no named model'}")
    print_line(f"templates {len(pack.templates)}, neutral prompts {len(pack.neutral)}")
    print_line()
    print_table(
        ("policy", "severity", "prompts", "contrast", "thresholds", "indexes", "on match"),
        (
            (
                policy.id,
                policy.severity,
                str(len(policy.prompts)),
                str(len(policy.contrast)),
                _thresholds(policy),
                ", ".join(policy.indexes) or "-",
                str(policy.match_action),
            )
            for policy in pack.policies
        ),
    )


def _show_policy(pack: PolicyPack, policy: Policy) -> None:
    print_line(f"{policy.title} ({policy.id}, pack {pack.name}@{pack.version})")
    if policy.description:
        print_line(policy.description)
    print_line()
    print_table(
        ("key", "value"),
        (
            ("severity", policy.severity),
            ("thresholds", _thresholds(policy)),
            ("release", f"{policy.release:g} of the lowest threshold"),
            ("min_duration_s", f"{policy.min_duration_s:g}"),
            ("indexes", ", ".join(policy.indexes) or "-"),
            ("match_action", str(policy.match_action)),
            *_certificates(policy),
        ),
    )
    if policy.prompts:
        print_line()
        texts = [("prompt", text) for text in policy.prompts]
        texts += [("contrast", text) for text in policy.contrast]
        print_table(("kind", "text"), texts)


def _certificates(policy: Policy) -> list[tuple[str, str]]:
    held = () if policy.calibration is None else policy.calibration.certificates()
    return [
        (
            f"calibration.{action}",
            f"{each.threshold:g}: {each.target} at least {each.at_least:g} with confidence"
            f" {each.confidence:g}, on {each.labels} labels",
        )
        for action, each in held
    ]


def _thresholds(policy: Policy) -> str:
    given = policy.thresholds.model_dump(exclude_none=True)
    return ", ".join(f"{action} {value:g}" for action, value in given.items()) or "-"


def _print_report(report: LintReport) -> None:
    for problem in report.errors:
        print_line(f"error: {problem}")
    for warning in report.warnings:
        print_line(f"warning: {warning}")
    if report.pack is None:
        print_line(f"{report.file}: not usable, errors: {len(report.errors)}")
        return
    prompts = sum(len(p.prompts) + len(p.contrast) for p in report.pack.policies)
    print_line(
        f"{report.file}: ok, policies: {len(report.pack.policies)}, prompts: {prompts}, "
        f"warnings: {len(report.warnings)}"
    )


def _pack_object(pack: PolicyPack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "digest": pack.digest,
        "title": pack.title,
        "description": pack.description,
        "model": pack.model,
        "policies": list(pack.ids),
        "indexes": list(pack.indexes),
    }


def _problem_object(level: str, problem: PackProblem) -> dict[str, Any]:
    return {
        "level": level,
        "file": problem.file,
        "line": problem.line or None,
        "where": problem.where,
        "message": problem.message,
        "hint": problem.hint,
    }
