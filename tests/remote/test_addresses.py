"""Only public addresses are connected to, in whatever spelling."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.remote.fault_proxy import Changed, FaultProxy, Held, Reply, Status, serving
from vscan.errors import SourceError
from vscan.remote import addresses
from vscan.remote.addresses import is_public, public_socket
from vscan.remote.fetching import Fetching
from vscan.remote.objects import look_at


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",  # noqa: S104 -- not bound to
        "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1",
        "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "::ffff:a00:1", "::127.0.0.1", "::8.8.8.8", "64:ff9b::a00:1", "64:ff9b::169.254.169.254",
        "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "3fff::1",
        "168.63.129.16", "192.0.0.192", "::ffff:168.63.129.16", "", "localhost",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    """Nor is a socket made for them."""
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PermissionError, match="not public"):
        public_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
     "2002:808:808::1"],
)  # fmt: skip
def test_public(address: str) -> None:
    """What anybody may reach."""
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with public_socket((family, socket.SOCK_STREAM, 0, "", (address, 80))) as made:
        assert family == made.family


def test_private_addresses(
    files: dict[str, Held], web: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the address that is connected to: of a literal, of a name, of a name that
    resolves to another one the second time, behind a redirect. Never tried again."""
    port = web.url.rpartition(":")[2]
    names = {
        "public.example": [["93.184.215.14"]],
        "private.example": [["127.0.0.1"]],
        "rebinding.example": [["93.184.215.14"], ["127.0.0.1"]],
        "both.example": [["127.0.0.1", "::1"]],
    }
    asked: list[str] = []

    async def resolve(self: Any, host: str, port: int = 0, family: int = 0) -> list[Any]:
        asked.append(host)
        answers = names[host]
        return [
            {"hostname": host, "host": each, "port": port, "proto": 0, "flags": 0,
             "family": socket.AF_INET6 if ":" in each else socket.AF_INET}
            for each in (answers.pop(0) if len(answers) > 1 else answers[0])
        ]  # fmt: skip

    connected: list[Any] = []

    async def connect(self: Any, made: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError(111, "nobody is there")

    for resolver in (aiohttp.resolver.ThreadedResolver, aiohttp.resolver.AsyncResolver):
        monkeypatch.setattr(resolver, "resolve", resolve)
    fetching = Fetching(attempts=2)
    for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "private.example", "both.example"):
        with pytest.raises(SourceError, match="(?s)not public.*--allow-private-hosts") as caught:
            fetching.fetch(f"http://{host}:{port}/a", tmp_path / "a")
        assert "permission_denied" == caught.value.code
    with pytest.raises(PermissionError, match="not public"):
        look_at(f"{web.url}/a")
    assert ([], 0) == (web.seen, fetching.retries)

    loop_class = type(_loop())
    with monkeypatch.context() as patch:
        patch.setattr(loop_class, "sock_connect", connect)
        with pytest.raises(SourceError, match="nobody|Cannot connect") as caught:
            fetching.fetch(f"http://public.example:{port}/a", tmp_path / "a")
        assert "fetch_failed" == caught.value.code
        assert {"93.184.215.14"} == {address[0] for address in connected}
        # Else a name is looked up again only after some seconds.
        patch.setattr("aiohttp.connector._DNSCacheTable.__contains__", lambda *_: False)
        rebound = Fetching(attempts=2)
        with pytest.raises(SourceError, match="127.0.0.1: .* not public") as caught:
            rebound.fetch(f"http://rebinding.example:{port}/a", tmp_path / "a")
    assert ("permission_denied", 1) == (caught.value.code, rebound.retries)
    assert 2 == asked.count("rebinding.example")
    assert [] == web.seen


def _loop() -> Any:
    from fsspec.asyn import get_loop

    return get_loop()


def as_if_public(web: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port of this server counts as one of a public address; no other does."""
    port = int(web.url.rpartition(":")[2])

    def public(info: tuple[Any, ...]) -> socket.socket:
        if info[4][1] == port:
            return socket.socket(info[0], info[1], info[2])
        return addresses.public_socket(info)

    monkeypatch.setattr("vscan.remote.http.public_socket", public)


def test_a_redirect_to_a_private_address(
    files: dict[str, Held], web: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first host may be public; what it leads to is looked at as well."""
    with FaultProxy(serving(files)) as inner:
        web.fault(Status(302, {"Location": f"{inner.url}/a"}))
        as_if_public(web, monkeypatch)
        with pytest.raises(SourceError, match="not public"):
            Fetching().fetch(f"{web.url}/a", tmp_path / "a")
        assert (1, 0) == (len(web.seen), len(inner.seen))


def test_proxies_of_the_environment(
    web: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would connect for us, to wherever: they are used only where private hosts are allowed."""
    as_if_public(web, monkeypatch)
    monkeypatch.setenv("http_proxy", web.url)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(SourceError, match="not public"):
        Fetching().fetch("http://10.0.0.1/a", tmp_path / "a")
    assert [] == web.seen
    web.fault(Changed(lambda reply: Reply(404)), times=9)
    with pytest.raises(SourceError) as caught:
        Fetching(allow_private=True).fetch("http://10.0.0.1/a", tmp_path / "a")
    assert ("not_found", "http://10.0.0.1/a") == (caught.value.code, web.seen[0].path)
