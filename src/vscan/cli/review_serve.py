"""`vscan review serve`: the local web page on which a reviewer decides."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def serve(
    log: Annotated[
        Path,
        typer.Argument(metavar="LOG", help="The decision log; it is made where there is none."),
    ],
    verdicts: Annotated[
        Path,
        typer.Argument(metavar="VERDICTS", help="The verdict file to review, as `vscan scan -o` "
                       "writes it; its videos are looked for under the names it has."),
    ],
    reviewer: Annotated[str, typer.Option(help="Who rules: a name or a number.")],
    market: Annotated[
        str | None,
        typer.Option(help="The market that is decided for. Default: `market` of the input list."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="PACK", help="The policy pack, a name or a file, whose titles and "
                     "descriptions are shown."),
    ] = None,
    index: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="An exemplar index, whose exemplars can be looked at "
                     "where their files are still there. May be repeated."),
    ] = None,
    second: Annotated[
        bool,
        typer.Option("--second", help="Second looks: cases that somebody else has decided, whose "
                     "ruling is not shown."),
    ] = False,
    picks: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Review these cases instead, in the order of the file: "
                     "JSON lines of schema vscan.pick/1."),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Labels, as CSV or JSON lines: some of these items are "
                     "mixed in unmarked, and their decisions logged as gold."),
    ] = None,
    gold_share: Annotated[
        float, typer.Option(help="Share of the queue that is gold items, 0 to 0.5.")
    ] = 0.05,
    break_after: Annotated[
        float,
        typer.Option(metavar="MINUTES", min=0.0, help="Propose a break after so many minutes; 0: "
                     "never."),
    ] = 30.0,
    context: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.0, max=3600.0, help="What is played before and after "
                     "a segment."),
    ] = 3.0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0: one that is free.")
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Only print the address; open no browser.")
    ] = False,
) -> None:  # fmt: skip
    """Serve a page on this machine, on which a reviewer decides by keyboard.

    It asks for what is flagged and not decided yet, the most severe first. Pictures are blurred,
    grey and silent until they are asked for. Every decision is on the disk before the page goes on.
    Prints the address, which is good once, in one browser; Ctrl-C ends it. Needs the extra
    `review`.

    Example: `vscan review serve decisions.db verdicts.jsonl --reviewer ana --policy demo`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_line
    from vscan.errors import UsageError
    from vscan.policies.pack import load_pack
    from vscan.review.opening import Wanted, open_session

    try:
        from vscan.review.serving import serve as served
        from vscan.review.web import PageSettings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "starlette", "uvicorn"):
            raise
        raise UsageError(
            f"the page needs {error.name}, which is not installed",
            remedy="install it: pip install 'vscan[review]'",
        ) from error
    from vscan.review.materials import Materials

    settings = PageSettings(
        break_after_min=break_after,
        second=second,
        pack=None if policy is None else load_pack(policy),
    )
    materials = Materials(index or (), context_s=context)
    opened = open_session(
        Wanted(
            log=log, verdicts=verdicts, reviewer=reviewer, market=market, second=second,
            picks=picks, gold=gold, gold_share=gold_share,
        )
    )  # fmt: skip
    server = served(opened.session, materials, port=port, settings=settings)
    for note in opened.notes:
        say(note)
    print_line(server.address)
    if not no_open:
        _open(server.address)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        materials.close()
        turn = opened.session.turn()
        say(f"{turn.decided} of {turn.total} cases decided; every one is in {log}")


def _open(address: str) -> None:
    """Opens a browser where there is a screen; one in the terminal would take it over."""
    import webbrowser

    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform != "linux" or screen:
        webbrowser.open(address)
