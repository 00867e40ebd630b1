"""Which addresses may be connected to for a URL that somebody else wrote: public ones.

The check is made where the socket is made, on the address that is connected to: a name that
resolves to another address the second time, a redirect and an odd spelling of an address all end
there.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from vscan.remote.answers import PRIVATE_ADDRESS

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_INSIDE = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure: what each machine asks its host
    ipaddress.ip_network("192.0.0.0/24"),  # IETF protocols; Oracle's metadata
    ipaddress.ip_network("192.88.99.0/24"),  # what was 6to4's relay
    ipaddress.ip_network("3fff::/20"),  # documentation (RFC 9637)
)
"""Not public, whatever Python's `ipaddress` says: not all versions of it know them."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and so is what it wraps.

    Not public: private, loopback, link-local, shared, multicast, reserved, documentation and
    unspecified ones (IANA's special-purpose registries, as Python's `ipaddress` holds them), and
    IPv6 addresses that stand for such an IPv4 address: mapped and compatible (RFC 4291), NAT64
    (RFC 6052), 6to4 (RFC 3056). Nor are addresses by which a provider's machines ask their host.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.is_site_local or ip in _COMPATIBLE:
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    if any(ip in each for each in _INSIDE):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as getaddrinfo gives it: aiohttp's `socket_factory`.

    Raises PermissionError for an address that is not public.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PermissionError(errno.EACCES, f"{address[0]}: {PRIVATE_ADDRESS}")
    return socket.socket(family=family, type=kind, proto=protocol)
