"""Modules of open_clip one by one, without the packages that importing open_clip whole brings in.

`import open_clip` takes torchvision, timm and, where it is installed, transformers along: as long
again as torch itself. A plain CLIP network needs none of them. Here a module of open_clip runs
from its own file, under a name of its own, while its imports of those packages are answered as
open_clip is written to take them: as not installed. Nobody else's imports are touched.
"""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from vscan.errors import ModelError

PACKAGE = "vscan_open_clip"
"""What the modules are called in `sys.modules`; an `open_clip` there stays another."""
OPTIONAL = frozenset({"timm", "transformers", "horovod", "huggingface_hub", "safetensors"})
"""Packages that open_clip does without where they are absent."""
_STAND_INS = {"torchvision.ops.misc": SimpleNamespace(FrozenBatchNorm2d=None)}
"""open_clip.utils freezes batch norms with it, in training alone."""

_lock = threading.RLock()


def open_clip_folder() -> Path:
    """Where open_clip's files are; raises ModelError where it is not installed."""
    spec = find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ModelError(
            "open_clip is not installed", remedy="install vscan again: pip install vscan"
        )
    return Path(spec.origin).parent


def open_clip_part(name: str) -> ModuleType:
    """open_clip's module of that name, as `model`, `tokenizer` or `pretrained`.

    What its functions import when they are called is imported as ever. Raises ModelError where
    open_clip is not installed, ImportError where it has no such module.
    """
    with _lock:
        full_name = f"{PACKAGE}.{name}"
        if full_name not in sys.modules:
            try:
                _run(name, full_name)
            except ImportError:
                # An open_clip that cannot do without them after all is imported as it is.
                sys.modules[full_name] = import_module(f"open_clip.{name}")
        return sys.modules[full_name]


def _run(name: str, full_name: str) -> None:
    """Put open_clip's module `name` into sys.modules as `full_name`."""
    path = open_clip_folder() / f"{name}.py"
    spec = spec_from_file_location(full_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"open_clip has no module {name}", name=full_name)
    module, imports = module_from_spec(spec), _PartImports()
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": imports}
    sys.modules[full_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[full_name]
        raise
    imports.body_runs = False


class _PartImports:
    """`__import__` of one module of open_clip: its neighbours are parts too.

    Python looks `__import__` up in a module's own `__builtins__`, so this one serves that module
    alone.
    """

    def __init__(self) -> None:
        self.body_runs = True
        """Whether the module is being imported; what its functions import later is not changed."""

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 -- the name that Python gives it
        locals: Mapping[str, Any] | None = None,  # noqa: A002 -- the name that Python gives it
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if level == 1 and name:
            return open_clip_part(name)
        if self.body_runs:
            if name.partition(".")[0] in OPTIONAL:
                raise ImportError(f"{name} is not imported for a plain network", name=name)
            if name in _STAND_INS:
                return _STAND_INS[name]
        return builtins.__import__(name, globals, locals, fromlist or (), level)
