"""The `vscan` program: gathers the commands, and turns errors into messages and exit codes."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from vscan.cli.local_paths import refuse_uris
from vscan.cli.telling import LogFormatName, speak, tell, tell_error
from vscan.errors import InterruptedRunError, VscanError

# Before numpy is loaded: its products here are small, and threads that wait for the next one take
# the cores from readers and model.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


MOST_OF_HELP = 200
"""Letters that are said of each command."""


class _ClosedOutputError(Exception):
    """Whoever read our output has gone."""


class _Commands(TyperGroup):
    """Hands a closed pipe and Ctrl-C to `main`, where typer would end with codes of its own.

    Its help is plain text: to import what draws the panels takes longer than all the rest.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # typer would show panels, or nothing
            typer.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.rich_markup_mode = None
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=MOST_OF_HELP))
                    for name, command in commands
                    if command is not None and not command.hidden
                ]
            )

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ClosedOutputError from error
        except KeyboardInterrupt as error:
            raise InterruptedRunError(signal.SIGINT) from error


app = typer.Typer(
    name="vscan",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Scan videos against content policies.

    Samples frames of each video, embeds them with CLIP, compares them with exemplars of known
    content and with the prompts of a policy pack, and writes one JSON line per video: what was
    found, when, and why.

    A first look that needs no download: `vscan demo`.
    A first scan: `vscan scan FOLDER -o verdicts.jsonl`, then `vscan show verdicts.jsonl`.

    Exit codes: 0 every input has its line; 1 `--fail-on` met; 2 usage, configuration or output
    unusable; 3 some inputs are `error`; 4 more of them than `--max-errors` tolerates; 130 and 143
    interrupted.
    """,
)


def _version(wanted: bool) -> None:
    if wanted:
        from vscan import __version__

        typer.echo(f"vscan {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_version,
                     is_eager=True),
    ] = False,
) -> None:  # fmt: skip
    """Options that stand before any command."""


def _register() -> None:
    from vscan.cli.calibrate import calibrate as calibrate_policy
    from vscan.cli.demo import demo
    from vscan.cli.doctor import doctor
    from vscan.cli.explain import explain
    from vscan.cli.index import index_app
    from vscan.cli.index_calibrate import calibrate
    from vscan.cli.index_formats import compare_lists, export_index, import_into_index
    from vscan.cli.index_life import confirm, deconfirm, merge, remove, update
    from vscan.cli.index_look import list_exemplars, stats, verify
    from vscan.cli.index_look import show as show_exemplar
    from vscan.cli.index_search import search
    from vscan.cli.metrics import metrics
    from vscan.cli.models import models_app
    from vscan.cli.pick import pick
    from vscan.cli.plan import plan
    from vscan.cli.policy import policy_app
    from vscan.cli.report import report
    from vscan.cli.rescan import rescan
    from vscan.cli.review import review_app
    from vscan.cli.review_log import export_decisions, import_decisions
    from vscan.cli.review_log import verify as verify_decisions
    from vscan.cli.review_serve import serve
    from vscan.cli.scan import scan
    from vscan.cli.show import show
    from vscan.cli.store import store_app
    from vscan.cli.train import train_app
    from vscan.cli.verdict_export import export as export_verdicts
    from vscan.cli.verdicts import verdicts_app

    app.command("scan")(scan)
    app.command("rescan")(rescan)
    app.command("plan")(plan)
    app.command("show")(show)
    app.command("explain")(explain)
    app.command("report")(report)
    for name, command in (
        ("list", list_exemplars),
        ("show", show_exemplar),
        ("search", search),
        ("calibrate", calibrate),
        ("update", update),
        ("remove", remove),
        ("confirm", confirm),
        ("deconfirm", deconfirm),
        ("merge", merge),
        ("verify", verify),
        ("stats", stats),
    ):
        index_app.command(name)(command)
    index_app.command("import")(import_into_index)
    index_app.command("export")(export_index)
    index_app.command("compare")(compare_lists)
    review_app.command("verify")(verify_decisions)
    review_app.command("import")(import_decisions)
    review_app.command("export")(export_decisions)
    verdicts_app.command("export")(export_verdicts)
    review_app.command("serve")(serve)
    app.add_typer(index_app, name="index")
    app.add_typer(policy_app, name="policy")
    app.add_typer(models_app, name="models")
    app.add_typer(store_app, name="store")
    app.add_typer(verdicts_app, name="verdicts")
    app.add_typer(review_app, name="review")
    app.command("metrics")(metrics)
    app.command("calibrate")(calibrate_policy)
    app.command("pick")(pick)
    app.add_typer(train_app, name="train")
    app.command("doctor")(doctor)
    app.command("demo")(demo)
    refuse_uris(app)


_register()


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedRunError(number)


def main() -> NoReturn:
    """Run the program: every error vscan knows is a message on stderr, never a traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    # Before options are read, so that what is wrong with them is told in that form, too.
    speak(_form(sys.argv[1:]))
    code = _exit_code()
    tell("exit", f"exit code {code}", exit_code=code)
    sys.exit(code)


def _form(arguments: list[str]) -> LogFormatName:
    pairs = itertools.pairwise(arguments)
    asked = ("--log-format", "json") in pairs or "--log-format=json" in arguments
    return "json" if asked else "text"


def _exit_code() -> int:
    """That of the command, once its error is told."""
    try:
        app(prog_name="vscan")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except InterruptedRunError as error:
        tell("interrupted", str(error), exit_code=error.exit_code)
        return error.exit_code
    except _ClosedOutputError:
        # `| head` has seen enough: nothing is wrong, and nobody is left to tell. Python would
        # complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except VscanError as error:
        tell_error(error)
        return error.exit_code
    except OSError as error:
        # What no room foresaw of the system: still a message, with the file where there is one.
        tell_error(VscanError(str(error)))
        return VscanError.exit_code
    return 0
