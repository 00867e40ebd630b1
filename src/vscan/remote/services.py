"""Which provider serves a URI: each is made once, with its session and its credentials."""

from __future__ import annotations

import functools
import os
import threading

from vscan.remote.azure import AzureService
from vscan.remote.gcs import GcsService
from vscan.remote.http import HttpService
from vscan.remote.memory import MemoryService
from vscan.remote.places import Place, place_of
from vscan.remote.s3 import S3Service
from vscan.remote.service import Service
from vscan.remote.systems import EXTRAS, file_system, scheme_of


class Services:
    """The providers that a run talks to. Thread-safe."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._lock = threading.Lock()
        self._made: dict[str, Service] = {}

    def at(self, uri: str) -> tuple[Service, Place]:
        """The provider of a URI, and where the URI points.

        Raises UsageError where the scheme is unknown, its extra is not installed, or the library
        finds no account to connect to.
        """
        scheme = scheme_of(uri) or ""
        extra = EXTRAS.get(scheme, scheme)
        place = Place(uri, "", "", uri) if extra == "http" else place_of(uri)
        # The account may be part of an Azure URI; elsewhere the credentials of this machine hold.
        key = f"{extra} {place.root.rpartition('@')[2]}" if extra == "azure" else extra
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(extra, place)
            return self._made[key], place

    def _make(self, extra: str, place: Place) -> Service:
        match extra:
            case "s3":
                return S3Service(place.root)
            case "gcs":
                return GcsService(place.root)
            case "azure":
                return AzureService(place.root)
            case "http":
                return HttpService(place.uri, allow_private=self._allow_private)
            case "memory":
                return MemoryService("memory://")
        file_system(place.uri)
        raise AssertionError("an unknown scheme is refused where it is opened")


def shared_services(*, allow_private: bool = False) -> Services:
    """The providers that looking and listing share, in this process."""
    return _shared(os.getpid(), allow_private)


@functools.cache
def _shared(_process: int, allow_private: bool) -> Services:
    return Services(allow_private=allow_private)


def forget_services() -> None:
    """What was made is made anew when it is wanted: the environment has changed."""
    _shared.cache_clear()
