"""The shipped job files: each parses, and its commands are ones that vscan takes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from vscan.cli.app import app

ROOT = Path(__file__).parents[1]
JOBS = ROOT / "configs" / "jobs"
NAMES = ("aws-batch.json", "indexed-job.yaml", "ray-job.yaml", "slurm.sbatch")
VSCAN = """\
#!/bin/sh
echo "$@" > "$TOLD"
trap 'exit 143' TERM
if [ "$ENDS" = waits ]; then while :; do sleep 0.05; done; fi
exit "$ENDS"
"""


def documents(name: str) -> list[Any]:
    """The documents of a YAML file."""
    yaml: Any = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((JOBS / name).read_text("utf-8")))


def script(name: str) -> str:
    """What of a job file a shell runs."""
    text = (JOBS / name).read_text("utf-8")
    if name == "aws-batch.json":
        return str(json.loads(text)["containerProperties"]["command"][2])
    if name == "indexed-job.yaml":
        (job,) = documents(name)
        return str(job["spec"]["template"]["spec"]["containers"][0]["command"][2])
    if name == "ray-job.yaml":
        return str(documents(name)[1]["spec"]["entrypoint"])
    return text


def ran(commands: str, tmp_path: Path, ends: str) -> subprocess.Popen[bytes]:
    """A script, with something that ends in that way in the place of vscan."""
    program = tmp_path / "vscan"
    program.write_text(VSCAN, "utf-8")
    program.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TOLD": str(tmp_path / "told"),
        "ENDS": ends, "SHARDS": "20", "AWS_BATCH_JOB_ARRAY_INDEX": "7", "JOB_COMPLETION_INDEX": "7",
    }  # fmt: skip
    return subprocess.Popen(["sh", "-c", commands], env=environment)


def options(name: str) -> Iterator[str]:
    """The options that its vscan command is given."""
    text = script(name).replace("\\\n", " ")
    (command,) = re.findall(r"vscan scan ([^;&\n]*)", text)
    yield from (word for word in shlex.split(command) if word.startswith("-") and len(word) > 1)


@pytest.mark.parametrize("name", NAMES)
def test_their_options_exist(name: str) -> None:
    """Every option of every `vscan scan` in them is one of the command's."""
    scan = typer.main.get_command(app).commands["scan"]  # type: ignore[attr-defined]
    known = {flag for each in scan.params for flag in each.opts}
    used = set(options(name))
    assert used <= known
    assert {"--from-file", "--policy", "-o"} <= used
    assert ("--shard" in used) == (name != "ray-job.yaml")


def test_there_are_no_others() -> None:
    """Each file is shown on the page, and none is left out here."""
    assert set(NAMES) == {path.name for path in JOBS.iterdir()}
    page = (ROOT / "docs" / "clusters.md").read_text("utf-8")
    for name in NAMES:
        assert f"configs/jobs/{name}" in page


@pytest.mark.parametrize("name", ["aws-batch.json", "indexed-job.yaml", "ray-job.yaml"])
@pytest.mark.parametrize(("ends", "code"), [("0", 0), ("3", 0), ("2", 2), ("4", 4)])
def test_exit_codes(name: str, ends: str, code: int, tmp_path: Path) -> None:
    """Done with errors is done; what no retry mends reaches the scheduler as it is; shards are
    counted from 1."""
    assert code == ran(script(name), tmp_path, ends).wait()
    if name != "ray-job.yaml":
        assert "--shard 8/20" in (tmp_path / "told").read_text("utf-8")


@pytest.mark.parametrize(("ends", "code"), [("0", 0), ("3", 0), ("2", 2), ("137", 137)])
def test_exit_codes_by_way_of_ray(ends: str, code: int, tmp_path: Path) -> None:
    """`ray job submit` hands the entry point to one more shell, in quotes of its own making: a run
    that failed must not look done for it."""
    submitted = subprocess.list2cmdline(shlex.split(script("ray-job.yaml")))
    assert code == ran(submitted, tmp_path, ends).wait()


@pytest.mark.parametrize("name", ["aws-batch.json", "indexed-job.yaml"])
def test_sigterm_is_handed_on(name: str, tmp_path: Path) -> None:
    """The scheduler's SIGTERM reaches vscan, and 143 the scheduler."""
    shell = ran(script(name), tmp_path, "waits")
    while not (tmp_path / "told").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    shell.send_signal(signal.SIGTERM)
    assert shell.wait(20) == 143


def test_slurm_script() -> None:
    """It is one that bash can read, its shares are as many as its tasks, it requeues what was
    stopped, and has the signal sent."""
    path = JOBS / "slurm.sbatch"
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    text = script("slurm.sbatch")
    # Not SLURM_ARRAY_TASK_COUNT: one task that is submitted again must scan the share it had.
    assert "$SLURM_ARRAY_TASK_ID/$SHARDS" in text
    assert re.search(r"^SHARDS=20$", text, re.MULTILINE)
    told = dict(re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", text, re.MULTILINE))
    assert ("1-20", "TERM@120", "") == (told["array"], told["signal"], told["requeue"])
    assert re.search(r"^  143\) scontrol requeue", text, re.MULTILINE)


def test_shares_are_as_many_as_indexes() -> None:
    """An Indexed Job has one index for each share, and a claim for each volume."""
    (job,) = documents("indexed-job.yaml")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    shards = {each["name"]: each["value"] for each in container["env"]}["SHARDS"]
    assert ("Indexed", str(job["spec"]["completions"])) == (job["spec"]["completionMode"], shards)
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["volumes"]}
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert [1, 2, 4, 130] == rules[1]["onExitCodes"]["values"]
    assert rules[1]["onExitCodes"]["containerName"] == container["name"]


def test_batch_retries_what_may_pass() -> None:
    """At most five rules, as AWS Batch takes; 1, 2 and 4 end the attempt, all else is retried."""
    definition = json.loads((JOBS / "aws-batch.json").read_text("utf-8"))
    rules = definition["retryStrategy"]["evaluateOnExit"]
    assert len(rules) <= 5
    ends = [rule["onExitCode"] for rule in rules if rule["action"] == "EXIT"]
    assert ["1", "2", "4"] == ends
    assert {"action": "RETRY", "onReason": "*"} == rules[-1]
    container = definition["containerProperties"]
    volumes = {each["name"] for each in container["volumes"]}
    assert volumes == {each["sourceVolume"] for each in container["mountPoints"]}


def test_the_ray_cluster_holds_the_run() -> None:
    """One image and service account for all nodes, places for the actors that the command asks
    for, none on the head, and the version of Ray that is pinned."""
    account, job = documents("ray-job.yaml")
    spec = job["spec"]["rayClusterSpec"]
    groups = {each["groupName"]: each for each in spec["workerGroupSpecs"]}
    pods = [spec["headGroupSpec"]["template"]["spec"]]
    pods += [each["template"]["spec"] for each in groups.values()]
    assert len({pod["containers"][0]["image"] for pod in pods}) == 1
    assert {account["metadata"]["name"]} == {pod["serviceAccountName"] for pod in pods}
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    words = shlex.split(shlex.split(job["spec"]["entrypoint"])[2])
    limits = {
        name: each["template"]["spec"]["containers"][0]["resources"]["limits"]
        for name, each in groups.items()
    }
    readers = groups["readers"]["replicas"] * int(limits["readers"]["cpu"])
    gpus = groups["models"]["replicas"] * int(limits["models"]["nvidia.com/gpu"])
    assert readers == int(words[words.index("--workers") + 1])
    assert gpus == int(words[words.index("--model-actors") + 1])
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert f"ray=={spec['rayVersion']}" in lock
