"""An object behind a URI: its name, its size, and what pins its content."""

from __future__ import annotations

from dataclasses import dataclass

from vscan.remote.redacted import redacted


@dataclass(frozen=True, kw_only=True)
class RemoteObject:
    """An object as a service told of it. Its repr holds no credentials; its URI may."""

    uri: str
    """Full, usable for reading; for http(s) with its query. `redacted(uri)` for records."""
    bytes: int | None
    """Its size; None where the service does not say."""
    version: str | None
    """What pins its content: `etag:…`, `generation:…` or `version:…`; None where there is nothing
    to be trusted, as a weak ETag over HTTP."""
    modified: str | None = None
    """When it was last written, as a web server words it; pins nothing, but a change shows."""

    def __repr__(self) -> str:
        name = redacted(self.uri)
        return f"RemoteObject(uri={name!r}, bytes={self.bytes}, version={self.version!r})"

    def differs_from(self, other: RemoteObject) -> bool:
        """Whether both cannot be the same content, by all that both tell."""
        if None not in (self.bytes, other.bytes) and self.bytes != other.bytes:
            return True
        if self.version is not None and other.version is not None:
            return self.version != other.version
        return None not in (self.modified, other.modified) and self.modified != other.modified


def etag_version(told: object) -> str | None:
    """The version that an ETag gives; None for a weak one (RFC 9110, section 8.8.3) or for none."""
    tag = str(told or "").strip()
    if not tag or tag.startswith(("W/", "w/")):
        return None
    return f"etag:{tag.strip(chr(34))}"


def quoted_etag(version: str | None) -> str | None:
    """The ETag of a version, as a condition of a request wants it; None where it has none."""
    if version is None or not version.startswith("etag:"):
        return None
    return f'"{version.removeprefix("etag:")}"'
