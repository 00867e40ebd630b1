"""Writes the pages that are made from the code: command reference and JSON Schemas.

python -m docs.generate            write them
python -m docs.generate --check    fail if one of them is not what the code says
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

HERE = Path(__file__).parent


def verdict_schema() -> str:
    """JSON Schema of one verdict line, from the dataclasses that write it."""
    import vscan.verdicts
    from vscan.verdicts import Verdict

    schema = _schema_of(Verdict, vscan.verdicts)
    # Left out of a line where they say nothing (Verdict.as_dict).
    schema["required"] = [key for key in schema["required"] if key != "error"]
    left_out = {
        "ExemplarEvidence": vscan.verdicts.UNUSED,
        "Suppressed": ("reason",),
        "SourceRecord": ("version",),
        "Samples": ("streams",),
    }
    for name, unused in left_out.items():
        part = schema["$defs"][name]
        part["required"] = [key for key in part["required"] if key not in unused]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def run_schema() -> str:
    """JSON Schema of a run summary, from the dataclasses that write it."""
    import vscan.runs
    import vscan.tallies
    import vscan.verdicts
    from vscan.runs import RunSummary

    schema = _schema_of(RunSummary, vscan.runs, vscan.tallies, vscan.verdicts)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def parts_schema() -> str:
    """JSON Schema of a worker's manifest of verdict parts, from the dataclasses that write it."""
    import vscan.verdicts
    from vscan.store import verdict_manifest

    schema = _schema_of(verdict_manifest.PartsManifest, verdict_manifest, vscan.verdicts)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema_of(record: type, *modules: ModuleType) -> dict[str, Any]:
    """The schema of a dataclass; those that it is made of are in `modules`."""
    from pydantic import TypeAdapter

    each: Any
    for each in (value for module in modules for value in vars(module).values()):
        if dataclasses.is_dataclass(each):
            # The fields' docstrings become the schema's descriptions.
            setattr(each, "__pydantic_config__", {"use_attribute_docstrings": True})  # noqa: B010 -- a hook that dataclasses do not declare
    schema = TypeAdapter(record).json_schema(mode="serialization")
    return _closed({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Every object's fields are all there are, and all are written."""
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
            part["required"] = list(part["properties"])
    return schema


def backtest_schema() -> str:
    """JSON Schema of a backtest's report, from the dataclasses that write it."""
    from vscan.metrics.backtest.report import backtest_json_schema

    return backtest_json_schema()


def metrics_schema() -> str:
    """JSON Schema of enforcement figures, from the dataclasses that write them."""
    from vscan.metrics import figures
    from vscan.metrics.enforcement import consistency, drift, rulings, sampled
    from vscan.metrics.enforcement import report as enforcement_report
    from vscan.metrics.enforcement.report import Metrics

    rooms = (enforcement_report, figures, rulings, sampled, consistency, drift)
    schema = _schema_of(Metrics, *rooms)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def calibration_schema() -> str:
    """JSON Schema of a calibration's report, from the dataclasses that write it."""
    from vscan.metrics.thresholds.report import calibration_json_schema

    return calibration_json_schema()


def pick_schema() -> str:
    """JSON Schema of one pick, from the dataclass that writes it."""
    from vscan.metrics.picking.record import pick_json_schema

    return pick_json_schema()


def policy_pack_schema() -> str:
    """JSON Schema of a policy pack, for editors that check TOML."""
    from vscan.policies import pack_json_schema

    return pack_json_schema()


def commands() -> str:
    """Every command and option, as `--help` tells it."""
    from vscan.cli.app import app

    root = typer.main.get_command(app)
    lines = ["# Commands", "", "Made from the program itself by `make docs`.", ""]
    for names, command in _walk(root, ("vscan",)):
        lines += [f"## `{' '.join(names)}`", "", _prose(command.help or ""), ""]
        for parameter in command.params:
            if parameter.name == "help" or getattr(parameter, "hidden", False):
                continue
            lines.append(_option(parameter))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield names, command
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from _walk(below, (*names, name))


def _prose(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _option(parameter: Any) -> str:
    name = ", ".join(f"`{opt}`" for opt in (*parameter.opts, *parameter.secondary_opts))
    if getattr(parameter, "param_type_name", "") == "argument":
        name = f"`{parameter.metavar or str(parameter.name).upper()}`"
    default = getattr(parameter, "default", None)
    shown = default not in (None, False, (), [], "") and not callable(default)
    tail = f" Default: `{default}`." if shown else ""
    return f"- {name}: {' '.join((getattr(parameter, 'help', '') or '').split())}{tail}"


def codes() -> str:
    """Every error and warning code of a record."""
    from vscan.errors import ERROR_CODES, WARNING_CODES

    lines = ["# Codes in a record", "", "Made from the program itself by `make docs`."]
    for title, table in (("`error.code`", ERROR_CODES), ("`warnings`", WARNING_CODES)):
        lines += ["", f"## {title}", "", "| code | means |", "|---|---|"]
        lines += [f"| `{code}` | {meaning} |" for code, meaning in table.items()]
    return "\n".join(lines) + "\n"


PAGES = {
    "codes.md": codes,
    "verdict-schema.json": verdict_schema,
    "run-schema.json": run_schema,
    "parts-schema.json": parts_schema,
    "backtest-schema.json": backtest_schema,
    "metrics-schema.json": metrics_schema,
    "calibration-schema.json": calibration_schema,
    "pick-schema.json": pick_schema,
    "policy-pack.schema.json": policy_pack_schema,
    "commands.md": commands,
}


def main() -> int:
    """Write every page, or with --check name those that have drifted."""
    drifted = []
    for name, make in PAGES.items():
        page = HERE / name
        text = make()
        if "--check" in sys.argv[1:]:
            if not page.is_file() or page.read_text("utf-8") != text:
                drifted.append(name)
        else:
            page.write_text(text, "utf-8")
    for name in drifted:
        print(f"docs/{name} is not what the code says: run `make docs`", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
