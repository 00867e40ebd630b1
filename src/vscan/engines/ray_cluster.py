"""A Ray cluster as a run uses it: a local Ray of its own, or a connection to one that is there."""

from __future__ import annotations

import atexit
import contextlib
import importlib.metadata
import logging
import os
import platform
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from vscan.embeddings.precision import Compute, choose_compute
from vscan.errors import UsageError, VscanError
from vscan.remote import one_line

_log = logging.getLogger(__name__)

STORE_BYTES = 512 << 20
"""A local Ray's shared memory: pictures on their way to the model, a few hundred at a time."""
PLACEMENT_S = 600.0
"""How long a cluster may take to give what is asked for: a node may have to be started first."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
"""Environment of Ray, where the user has not said otherwise: it reports home to nobody, and does
not write into the terminal what concerns nobody there."""
CHATTER = re.compile(rb"\[[-0-9:, ]+ I ")
"""How a line of Ray's log begins that only informs."""
CONNECT_S = 10.0
"""How long the head of a cluster may take to answer."""
SOCKET_ROOM = 60
"""Characters that a folder's name may have for Ray's sockets in it to have names short enough."""


class Cluster:
    """Where a run's actors are. `close` gives everything back; a cluster that was there stays."""

    def __init__(self, *, is_local: bool, owned: bool, folder: Path | None) -> None:
        self.is_local = is_local
        """Whether it is this machine alone."""
        self._owned = owned
        self._folder = folder
        self._closed = False
        atexit.register(self.close)

    @classmethod
    def connect(cls, address: str | None, *, cores: int) -> Self:
        """Starts a local Ray with room for `cores` actors, or joins the cluster at `address`.

        address: `auto` or HOST:PORT, as of `ray.init`; None: a local Ray, unless this process is
        connected already: then that is used, and stays. Raises UsageError where Ray is not
        installed or cannot be started, where there is no such cluster, or where it runs other
        versions of Python, Ray or vscan.
        """
        ray = _quiet_ray(address)
        if ray.is_initialized():
            return cls(is_local=False, owned=False, folder=None)._checked()
        if address is not None:
            with _told(f"no Ray cluster can be used at {address}", _joining(address)):
                _reachable(address)
                _init(ray, address=address)
            return cls(is_local=False, owned=True, folder=None)._checked()
        folder = Path(tempfile.mkdtemp(prefix="vscan-ray-", dir=_short_folder()))
        cluster = cls(is_local=True, owned=True, folder=folder)
        remedy = "free memory and disk space, or use --engine local"
        try:
            with _told("Ray cannot be started on this machine", remedy):
                _init(
                    ray,
                    address="local",
                    num_cpus=cores,
                    object_store_memory=STORE_BYTES,
                    include_dashboard=False,
                    _temp_dir=str(folder),
                )
        except BaseException:
            cluster.close()
            raise
        return cluster

    def close(self) -> None:
        """Ends a local Ray, or leaves the cluster; may be called again."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if self._owned:
            import ray

            ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def resources(self) -> Mapping[str, float]:
        """What the cluster has now, as `CPU` and `GPU`."""
        import ray

        module: Any = ray
        found: dict[str, float] = module.cluster_resources()
        return found

    def compute(self, device: str, precision: str) -> Compute:
        """The device and precision that the model's actors will have, as chosen where they run.

        `auto` takes a GPU where the cluster has one now. Raises ModelError, as choose_compute does,
        and UsageError where no node is given within PLACEMENT_S.
        """
        if device.startswith("cuda:"):
            raise UsageError(
                f"--device {device} with --engine ray: which GPU an actor gets is for Ray to say",
                remedy="use --device cuda",
            )
        if self.is_local:
            return choose_compute(device, precision)
        on_gpu = device == "cuda" or (device == "auto" and self.resources().get("GPU", 0.0) >= 1)
        chosen: Compute = self.ask(choose_compute, device, precision, num_gpus=1 if on_gpu else 0)
        return chosen

    def ask(self, asked: Callable[..., Any], *told: Any, num_gpus: int = 0) -> Any:
        """What a function of vscan answers on some node of the cluster."""
        import ray

        task = ray.remote(asked).options(num_cpus=1, num_gpus=num_gpus, max_retries=3)
        wanted = "a node with a GPU" if num_gpus else "a CPU"
        return self.wait_for(task.remote(*told), wanted)

    def wait_for(self, reference: Any, wanted: str) -> Any:
        """What a reference holds. Raises UsageError where the cluster has not `wanted` in time."""
        import ray

        ready, _ = ray.wait([reference], timeout=PLACEMENT_S)
        if not ready:
            raise UsageError(
                f"the Ray cluster gave {wanted} to no actor within {PLACEMENT_S:.0f} s",
                remedy="see `ray status`; ask for less: --workers, --model-actors, --device cpu",
            )
        with _told("a worker of the Ray cluster cannot be used", INSTALL):
            return ray.get(reference)

    def _checked(self) -> Self:
        """Raises UsageError where its workers have not this version of vscan."""
        try:
            ours, theirs = _version(), self.ask(_version)
            if ours != theirs:
                raise UsageError(
                    f"the Ray cluster's workers have vscan {theirs}, this is {ours}", remedy=INSTALL
                )
        except BaseException:
            self.close()
            raise
        return self


INSTALL = "use one image or environment, with vscan[ray] in it, for the driver and every node"


def _version() -> str:
    """Of vscan, where this runs."""
    return importlib.metadata.version("vscan")


def _joining(address: str) -> str:
    if address == "auto":
        return "start one (`ray start --head`), name its HOST:PORT, or leave --ray-address out"
    return "check with `ray status --address HOST:PORT`; inside the cluster use auto"


def _quiet_ray(address: str | None) -> Any:
    """The module, imported so that it writes to stderr only what is an error."""
    if address is not None and address.startswith("ray://"):
        raise UsageError(
            f"{address}: Ray Data does not run through Ray Client",
            remedy="run vscan in the cluster: `ray job submit -- vscan scan --engine ray"
            " --ray-address auto …`, or a RayJob (docs/clusters.md)",
        )
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(
            f"--engine ray needs Ray Data, which is not installed here ({error.name})",
            remedy="pip install 'vscan[ray]'",
        ) from error
    for logger in ("ray", "ray.data"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    _keep_off_stdout()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray


def _keep_off_stdout() -> None:
    """Ray prints on stdout that a process died and is started again, whatever it is told about
    logs (2.60: `listen_error_messages`); there verdicts are. It goes to vscan's log instead."""
    from ray._private import worker

    module: Any = worker

    def logged(data: Mapping[str, Any], ignore_prefix: bool = False) -> None:
        for line in data.get("lines", ()):
            _log.info("Ray: %s", line)

    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = logged


def _init(ray: Any, **options: Any) -> None:
    with _own_signals(), _without_chatter():
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)


def _reachable(address: str) -> None:
    """Raises OSError where nothing listens there: Ray would try for minutes, and then abort."""
    told = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
    host, _, port = told.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """A block in which what Ray's own code writes to stderr is kept, and only its warnings and
    errors are shown at the end: it tells about its log level where it is asked to be silent."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            kept.seek(0)
            os.write(2, b"".join(line for line in kept if not CHATTER.match(line)))


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """A block that leaves the signal handlers as they are: ray.init takes SIGTERM for itself."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


@contextlib.contextmanager
def _told(what: str, remedy: str) -> Iterator[None]:
    """A block whose surprises are told as `what`, with their cause in one line."""
    import ray

    try:
        yield
    except VscanError:
        raise
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, VscanError):
            raise error.cause from None
        raise UsageError(f"{what}: {one_line(error.cause or error)}", remedy=remedy) from error
    except Exception as error:
        if "Version mismatch" in str(error):
            ours = f"Python {platform.python_version()} and Ray {ray.__version__}"
            raise UsageError(
                f"{what}: it runs other versions than this one's {ours}", remedy=INSTALL
            ) from error
        raise UsageError(f"{what}: {one_line(error)}", remedy=remedy) from error


def _short_folder() -> str:
    """The system's folder for what does not last; /tmp where its name is too long for sockets."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= SOCKET_ROOM - len("/vscan-ray-12345678") else "/tmp"  # noqa: S108
