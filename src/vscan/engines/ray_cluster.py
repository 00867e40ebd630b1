"""A Ray cluster as a run uses it: a local Ray of its own, or a connection to one that is there."""

from __future__ import annotations

import atexit
import contextlib
import importlib.metadata
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from vscan.embeddings.precision import Compute, choose_compute
from vscan.engines.ray_quiet import quiet_ray, start_quietly
from vscan.errors import UsageError, VscanError

STORE_BYTES = 512 << 20
"""A local Ray's shared memory: pictures on their way to the model, a few hundred at a time."""
PLACEMENT_S = 600.0
"""How long a cluster may take to give what is asked for: a node may have to be started first."""
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
        if address is not None and address.startswith("ray://"):
            raise UsageError(
                f"{address}: a scan does not run through Ray Client",
                remedy="run vscan in the cluster: `ray job submit -- vscan scan --engine ray"
                " --ray-address auto …`, or a RayJob (docs/clusters.md)",
            )
        ray = quiet_ray()
        if ray.is_initialized():
            return cls(is_local=False, owned=False, folder=None)._checked()
        if address is not None:
            with _told(f"no Ray cluster can be used at {address}", _joining(address)):
                _reachable(address)
                start_quietly(ray, address=address)
            return cls(is_local=False, owned=True, folder=None)._checked()
        folder = Path(tempfile.mkdtemp(prefix="vscan-ray-", dir=_short_folder()))
        cluster = cls(is_local=True, owned=True, folder=folder)
        remedy = "free memory and disk space, or use --engine local"
        try:
            with _told("Ray cannot be started on this machine", remedy):
                start_quietly(
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


def plainly(error: BaseException) -> str:
    """What an error of Ray says, on one line: of a traceback of another process its end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and any(line.startswith(("Traceback", "ray::")) for line in lines[:-1]):
        return lines[-1][:300]
    return (lines[0] if lines else type(error).__name__)[:300]


def _joining(address: str) -> str:
    if address == "auto":
        return "start one (`ray start --head`), name its HOST:PORT, or leave --ray-address out"
    return "check with `ray status --address HOST:PORT`; inside the cluster use auto"


def _reachable(address: str) -> None:
    """Raises OSError where nothing listens there: Ray would try for minutes, and then abort."""
    told = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
    host, _, port = told.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()


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
        raise UsageError(f"{what}: {plainly(error.cause or error)}", remedy=remedy) from error
    except Exception as error:
        if "Version mismatch" in str(error):
            ours = f"Python {platform.python_version()} and Ray {ray.__version__}"
            raise UsageError(
                f"{what}: it runs other versions than this one's {ours}", remedy=INSTALL
            ) from error
        raise UsageError(f"{what}: {plainly(error)}", remedy=remedy) from error


def _short_folder() -> str:
    """The system's folder for what does not last; /tmp where its name is too long for sockets."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= SOCKET_ROOM - len("/vscan-ray-12345678") else "/tmp"  # noqa: S108
