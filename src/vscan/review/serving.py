"""The page's server: one process, 127.0.0.1, until it is told to stop."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from types import FrameType

import uvicorn

from vscan.errors import UsageError
from vscan.review.materials import Materials
from vscan.review.session import ReviewSession
from vscan.review.web import PageSettings, make_app

HOST = "127.0.0.1"
END_S = 2
"""Seconds that answers under way have when the server ends."""


class _Server(uvicorn.Server):
    """Ends what is read in the background as soon as it is told to stop: it waits for answers."""

    def __init__(self, config: uvicorn.Config, materials: Materials) -> None:
        super().__init__(config)
        self._materials = materials

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._materials.close()
        super().handle_exit(sig, frame)


@dataclass(frozen=True)
class Served:
    """A server that listens, and has yet to answer: connections wait."""

    address: str
    """With its token: good once, for one browser."""
    server: uvicorn.Server
    listener: socket.socket

    def run(self) -> None:
        """Answer until a signal says stop; a KeyboardInterrupt follows where that was Ctrl-C."""
        with self.listener:
            self.server.run(sockets=[self.listener])


def serve(
    session: ReviewSession, materials: Materials, *, port: int, settings: PageSettings
) -> Served:
    """Listens on a port of this machine, 0 for a free one. Raises UsageError where it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {port} of {HOST} cannot be had: {error.strerror}",
            remedy="give another --port, or leave it out for a free one",
        ) from error
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        make_app(session, materials, token, port, settings),
        access_log=False,
        log_level="warning",
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=END_S,
    )
    return Served(f"http://{HOST}:{port}/?token={token}", _Server(config, materials), listener)
