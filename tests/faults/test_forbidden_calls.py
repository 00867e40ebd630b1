"""What runs code that came as data is nowhere in vscan, and could not come back unnoticed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "bench", "training", "docs", "fuzz")

MODULES = {
    "pickle": "whoever writes a pickle runs code where it is read",
    "_pickle": "it is pickle",
    "cPickle": "it is pickle",
    "cloudpickle": "it is pickle",
    "dill": "it is pickle",
    "joblib": "it pickles",
    "shelve": "it pickles",
    "marshal": "it crashes on what is not its own, and holds code",
    "yaml": "it keeps the last of two equal keys, and builds objects; packs are TOML",
    "multiprocessing": "its pools and queues pickle between processes; see decode/process.py",
}
ATTRIBUTES = {
    "torch.load": "it unpickles; weights are safetensors",
    "torch.save": "it pickles; weights are safetensors",
    "torch.jit.load": "it runs code of the file",
    "torch.hub.load": "it fetches code and runs it",
    "torch.multiprocessing": "it pickles",
    "os.system": "a shell takes a name for a command",
    "os.popen": "a shell takes a name for a command",
    "subprocess.getoutput": "a shell takes a name for a command",
    "subprocess.getstatusoutput": "a shell takes a name for a command",
    "concurrent.futures.ProcessPoolExecutor": "it pickles between processes",
    "pandas.read_pickle": "it unpickles",
}
CALLS = {
    "eval": "it runs what it reads",
    "exec": "it runs what it reads",
    "compile": "it makes code of text",
    "__import__": "modules are named where they are imported",
}
KEYWORDS = {
    ("shell", True): "a shell takes a name for a command",
    ("allow_pickle", True): "numpy unpickles then",
    ("weights_only", False): "torch unpickles then",
    ("trust_remote_code", True): "it fetches code and runs it",
}
EXCEPTED = {
    "bench/copies/making.py": ("multiprocessing", "concurrent.futures.ProcessPoolExecutor"),
    "bench/growth.py": ("multiprocessing",),
    "bench/scheduler/keeper.py": ("multiprocessing",),
    "training/builtin/batches.py": ("multiprocessing",),
}
"""A developer's tools, whose processes pickle among themselves what they made: nothing of it is
read from a file, and neither is shipped."""
ALIASES = {"np": "numpy", "pd": "pandas"}


def forbidden(source: str) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in a Python text that is not to be there."""
    tree = ast.parse(source)
    names = dict(ALIASES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield from _module(node, alias.name)
                yield from _attribute(node, alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from _module(node, module)
            for alias in node.names:
                names[alias.asname or alias.name] = f"{module}.{alias.name}"
                yield from _attribute(node, f"{module}.{alias.name}")
                yield from _module(node, f"{module}.{alias.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _attribute(node, _dotted(node, names))
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _module(node: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    if reason := MODULES.get(name.partition(".")[0]):
        yield _line(node), f"{name}: {reason}"


def _attribute(node: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    for known, reason in ATTRIBUTES.items():
        if name == known or name.startswith(f"{known}."):
            yield _line(node), f"{known}: {reason}"


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield node.lineno, f"{node.func.id}: {CALLS[node.func.id]}"
    for keyword in node.keywords:
        for (name, value), reason in KEYWORDS.items():
            if keyword.arg != name:
                continue
            # What is no constant could be anything.
            if not isinstance(keyword.value, ast.Constant) or keyword.value.value == value:
                yield node.lineno, f"{name}={value}: {reason}"


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`torch.load` for an attribute, under the name that the module has itself; else empty."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value, names)):
        return f"{before}.{node.attr}"
    return ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def files() -> list[Path]:
    """Every Python file that is held to this."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def test_nothing_forbidden() -> None:
    """No file loads what may run code, in whatever spelling."""
    found, excepted = [], set()
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        for line, reason in forbidden(path.read_text("utf-8")):
            what = reason.partition(": ")[0]
            if what in EXCEPTED.get(name, ()):
                excepted.add((name, what))
            else:
                found.append(f"{name}:{line}: {reason}")
    assert [] == found
    assert {(name, what) for name, each in EXCEPTED.items() for what in each} == excepted
    assert not any(name.startswith("src/") for name in EXCEPTED)
    assert len(files()) > 200


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def f():\n    import cloudpickle",
        "import marshal",
        "import shelve",
        "import joblib",
        "import dill",
        "import yaml\nyaml.load(x)",
        "from yaml import safe_load",
        "import multiprocessing",
        "from multiprocessing import Pool",
        "import multiprocessing.pool as pools",
        "import torch.multiprocessing as mp",
        "from torch import multiprocessing",
        "import torch\ntorch.load('a.pt')",
        "import torch as t\nt.load('a.pt', weights_only=True)",
        "from torch import load",
        "import torch\ntorch.save(x, 'a.pt')",
        "import torch\ntorch.hub.load('a', 'b')",
        "import torch\ntorch.jit.load('a')",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "import numpy\nnumpy.load('a', allow_pickle=flag)",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "import subprocess\nsubprocess.Popen(x, shell=flag)",
        "from subprocess import getoutput",
        "import os\nos.system('x')",
        "from os import popen",
        "import pandas as pd\npd.read_pickle('x')",
        "from concurrent.futures import ProcessPoolExecutor",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor()",
        "eval('1')",
        "exec('1')",
        "compile('1', 'a', 'exec')",
        "__import__('os')",
        "model(x, trust_remote_code=True)",
    ],
)
def test_each_is_caught(text: str) -> None:
    """The same search finds every one of them."""
    assert list(forbidden(text))


@pytest.mark.parametrize(
    "text",
    [
        "import re\nre.compile('a')",
        "model.eval()",
        "import numpy as np\nnp.load('a', allow_pickle=False)",
        "import numpy as np\nnp.load('a')",
        "import subprocess\nsubprocess.run(['x'])",
        "import torch\ntorch.compile(model)",
        "import orjson\norjson.loads(x)",
        "from concurrent.futures import ThreadPoolExecutor",
    ],
)
def test_nothing_else_is(text: str) -> None:
    """What only looks alike is left alone."""
    assert [] == list(forbidden(text))
