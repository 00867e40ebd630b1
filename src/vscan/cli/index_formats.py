"""`vscan index import`, `export` and `compare`: lists of hashes, as partners exchange them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from vscan.cli.index import Folder, Json, login_name, policy_id

FormatName = Literal[
    "vpdq-text",
    "vpdq-json",
    "vpdq-json-legacy",
    "pdq-list",
    "tx-csv",
    "tx-local-file",
    "ncmec-xml",
    "stopncii-json",
    "tat-json",
]
_FORMAT_HELP = (
    "Format of the list: vPDQ of one video in its three forms, PDQ hashes a line, "
    "python-threatexchange's CSV and local_file, NCMEC's XML, StopNCII's and Tech Against "
    "Terrorism's JSON. docs/formats.md says what each one holds."
)
FormatOption = Annotated[FormatName, typer.Option("--format", help=_FORMAT_HELP)]


def import_into_index(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list.")],
    form: FormatOption,
    under: Annotated[
        str,
        typer.Option("--under", metavar="POLICY", help="Policy that its entries are examples of, "
                     "as weapons.firearms."),
    ],
    opinion: Annotated[
        Literal["violating", "benign"] | None,
        typer.Option(help="What they are. Default: what the list says (NEGATIVE_CLASS of tx-csv "
                     "is benign), else violating."),
    ] = None,
    note: Annotated[str, typer.Option(help="Where they are from, or why; kept with each.")] = "",
    by: Annotated[
        str | None, typer.Option(help="Who adds them. Default: the user's login name.")
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Take a partner's list of hashes into an index.

    PDQ hashes are searched from then on, with times as those of a video, without as those of a
    picture. Hashes that cannot be searched (MD5, PhotoDNA, TMK …) are carried, with whatever else
    the list says, and `vscan index export` gives them back. An entry that is there already is
    replaced; a withdrawn one deletes what an earlier list brought. All of a list is taken, or,
    where any of it cannot be read, nothing.

    Example: `vscan index import known hashes.csv --format tx-csv --under ncii`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.interchange import import_list

    items = import_list(
        folder,
        file,
        form=form,
        policy=policy_id(under),
        opinion=opinion,
        note=note,
        added_by=login_name() if by is None else by,
    )
    counts = Counter(item.status for item in items)
    if as_json:
        print_json_lines(items)
    else:
        for item in items:
            also = "" if item.policy in (None, under) else f" (under {item.policy})"
            print_line(f"{item.status} {item.exemplar or '-'} {item.name}{also}")
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    say(f"{len(items)} {'entry' if len(items) == 1 else 'entries'}: {told}")


def export_index(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; replaced whole.")],
    form: FormatOption,
    exemplar: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this exemplar; may be given several times."),
    ] = None,
) -> None:
    """Write an index as a list of hashes for partners.

    Entries that came in this format go back as they came; others are told in its terms, and what
    it has no place for is left out and counted. Benign exemplars are left out where a format
    cannot say that they are benign.

    Example: `vscan index export known hashes.csv --format tx-csv`
    """
    from vscan.cli.index_output import say
    from vscan.interchange import export_list

    done = export_list(folder, file, form=form, exemplars=exemplar or ())
    for reason, count in sorted(done.left_out.items()):
        say(f"{count} left out: {reason}")
    entries = f"{done.items} {'entry' if done.items == 1 else 'entries'}"
    say(f"wrote {entries} ({done.records} hashes) to {file}")


def compare_lists(
    query: Annotated[Path, typer.Argument(metavar="QUERY", help="Frame hashes of a video.")],
    known: Annotated[Path, typer.Argument(metavar="KNOWN", help="Those of a known one.")],
    compat: Annotated[
        Literal["pytx", "cpp"],
        typer.Option(help="Whose rules: python-threatexchange's, or the C++ program's."),
    ] = "pytx",
    form: FormatOption = "vpdq-text",
    as_json: Json = False,
) -> None:
    """Say what Meta's own vPDQ matchers say of two videos' hashes: yes or no.

    For those who must agree with partners. It is not how vscan matches: these matchers ask that
    80 % of the query be known, and so miss a known clip within a longer video.

    Example: `vscan index compare upload.txt known.txt --compat pytx`
    """
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.interchange import compare_lists as compare

    said = compare(query, known, form=form, rules=compat)
    if as_json:
        print_json_lines([said])
        return
    print_line(
        f"{'match' if said.is_match else 'no match'}: {said.query_percent:.2f} % of"
        f" {said.query_hashes} hashes of {query}, {said.compared_percent:.2f} % of"
        f" {said.compared_hashes} of {known}"
    )
