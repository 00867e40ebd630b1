"""Which objects there are: one looked at, or those below a prefix, page by page."""

from __future__ import annotations

import os
from collections.abc import Iterator

from vscan.errors import UsageError
from vscan.remote.answers import answer_of, remote_error
from vscan.remote.places import Place, Selection, selection_of
from vscan.remote.remote_object import RemoteObject as RemoteObject
from vscan.remote.retrying import ATTEMPTS, retried, waited_for
from vscan.remote.service import Page, Service
from vscan.remote.services import shared_services
from vscan.remote.systems import EXTRAS, scheme_of


def is_remote(name: str) -> bool:
    """Whether a name is a URI of a provider, and no local file of that name is there."""
    scheme = scheme_of(name)
    return (scheme in EXTRAS or scheme == "memory") and not os.path.lexists(name)


def look_at(uri: str, *, allow_private: bool = False) -> RemoteObject | None:
    """The object of that name, taken literally; None: there is a folder (prefix) instead.

    allow_private: as in `Fetching`, for http(s). Raises FileNotFoundError where there is neither,
    PermissionError, OSError after all retries, and UsageError as `Services.at` does.
    """
    service, place = shared_services(allow_private=allow_private).at(uri)
    try:
        return waited_for(looked(service, place))
    except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
        raise remote_error(error) from None


async def looked(service: Service, place: Place, attempts: int = ATTEMPTS) -> RemoteObject | None:
    """As `look_at`, on fsspec's loop; raises what the service's library raises."""
    folders = place.root != ""  # a web server has none
    if not folders or (place.key and not place.key.endswith("/")):
        try:
            return await retried(lambda: service.head(place), attempts=attempts)
        except Exception as error:
            if answer_of(error).kind != "absent" or not folders:
                raise
    folder = place.key.rstrip("/")
    selection = Selection(f"{folder}/" if folder else "")
    page = await retried(lambda: service.page(place, selection, None), attempts=attempts)
    if folder and not page.objects:
        raise FileNotFoundError("there is no object of this name, and no folder")
    return None


def list_objects(uri: str, *, allow_private: bool = False) -> Iterator[RemoteObject]:
    """Everything below a prefix in depth, or what matches where the key is a pattern.

    Page by page, in the service's order; markers of folders are left out. Patterns as in
    `places.selection_of`. Raises UsageError for a web server and a pattern that cannot be used,
    and FileNotFoundError, PermissionError and OSError as `look_at`, while it goes on.
    """
    service, place = shared_services(allow_private=allow_private).at(uri)
    return _listed(service, place, selection_of(place))


def _listed(service: Service, place: Place, selection: Selection) -> Iterator[RemoteObject]:
    token: str | None = None
    while True:
        page = _page(service, place, selection, token)
        for each in page.objects:
            if selection.holds(each.uri.removeprefix(f"{place.root}/")):
                yield each
        token = page.following
        if token is None:
            return


def _page(service: Service, place: Place, selection: Selection, token: str | None) -> Page:
    try:
        return waited_for(retried(lambda: service.page(place, selection, token)))
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
        raise remote_error(error) from None
