"""What gives access is in no name and no text, and a name stays when it is signed anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.remote.redacted import redacted, scrubbed
from vscan.remote.remote_object import RemoteObject

CANARY = "cAnArY/9+secret=="


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("clips/a.mp4?sig=1", "clips/a.mp4?sig=1"),
        ("file:///clips/a.mp4?sig=1#x", "file:///clips/a.mp4?sig=1#x"),
        ("https://me:secret@host.org:8080/a%20b.mp4#t=3", "https://host.org:8080/a%20b.mp4"),
        ("https://me:se/cr?et@host.org/a", "https://host.org/a"),
        ("HTTPS://host.org:80/a@b:c", "HTTPS://host.org:80/a@b:c"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("https://h/a?b=2&a=1&&c", "https://h/a?b=2&a=1&c"),
        ("https://h/a?", "https://h/a"),
        ("https://h/a?author=2&monkey=3&design=4&sv=5", "https://h/a?author=2&monkey=3&design=4&sv=5"),
        ("https://h/a?id=aaaaaaaaaaaaaaaaaaaa", "https://h/a?id=sha256-42492da06234"),
        ("https://h/a?bbbbbbbbbbbbbbbbbbbbbbbbb", "https://h/a?sha256-11b512b5ee65"),
        ("s3://key:secret@bucket/a?versionId=3HL4kqtJvjVBH40Nrjfkd", "s3://bucket/a?versionId=3HL4kqtJvjVBH40Nrjfkd"),
        ("gs://bucket/a?b&&c#d", "gs://bucket/a?b&&c#d"),
        ("az://container@account.dfs.core.windows.net/a", "az://container@account.dfs.core.windows.net/a"),
        ("abfs://c@a.dfs.core.windows.net/v?sv=2024&sp=r&sig=x", "abfs://c@a.dfs.core.windows.net/v"),
        ("abfs://c:key@a.dfs.core.windows.net/v", "abfs://a.dfs.core.windows.net/v"),
        ("ftp://me:secret@host.org/a", "ftp://host.org/a"),
    ],
)  # fmt: skip
def test_redacted(uri: str, expected: str) -> None:
    """Users, passwords, signatures and fragments go; what names the object stays."""
    assert (expected, expected) == (redacted(uri), redacted(expected))


SIGNED = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2Fx&X-Amz-Date=2&X-Amz-Expires=9"
    "&X-Amz-SignedHeaders=host&X-Amz-Security-Token={}&x-amz-signature={}",
    "AWSAccessKeyId={}&Signature={}&Expires=1",
    "Policy={}&Signature={}&Key-Pair-Id={}",
    "X-Goog-Algorithm=a&X-Goog-Credential={}&X-Goog-Signature={}",
    "GoogleAccessId={}&Expires=1&Signature={}",
    "sv=2024-11-04&ss=b&srt=co&sp=rl&se=2030&st=2029&spr=https&sip=1.1.1.1&sig={}",
    "skoid={}&sktid=1&skt=2&ske=3&sks=b&skv=4&sr=b&%73ig={}",
    "access_token={}", "accessToken={}", "apikey={}", "api-key={}", "auth={}", "password={}",
    "PASSWD={}", "client_secret={}", "sessionid={}", "session={}", "key={}", "jwt={}", "sig={}",
    "credential={}", "authToken={}", "hdnts={}", "authkey={}",
]  # fmt: skip


@pytest.mark.parametrize("query", SIGNED)
def test_signed_anew(query: str) -> None:
    """A URL has the same name whatever it is signed with, and the name tells nothing of it."""
    first = redacted(f"https://h/a.mp4?v=1&{query.replace('{}', 'one')}")
    then = redacted(f"https://h/a.mp4?{query.replace('{}', CANARY)}&v=1")
    assert "https://h/a.mp4?v=1" == first == then
    assert CANARY not in scrubbed(f"GET 'https://h/a.mp4?{query.replace('{}', CANARY)}' (403)")


@given(st.text(max_size=60), st.sampled_from(["https", "s3", "az", "gs", "ftp", "x"]))
def test_redacting_twice(text: str, scheme: str) -> None:
    """Is the same as once, whatever the URI; and nothing raises."""
    once = redacted(f"{scheme}://{text}")
    assert once == redacted(once)
    scrubbed(text)


def test_long_values_stay_apart() -> None:
    """Two objects that differ in a long parameter have two names."""
    first, second = (redacted(f"https://h/a?id={letter * 40}") for letter in "ab")
    assert first != second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "403, message='Forbidden', url='https://h/a?X-Amz-Signature=cAnArY&v=1'",
            "403, message='Forbidden', url='https://h/a?v=1'",
        ),
        ("(URL('https://u:cAnArY@h/it's(1).mp4?sig=cAnArY'))", "(URL('https://h/it's(1).mp4'))"),
        ('<https://u:cAnArY@h/a>, "s3://k:cAnArY@b/k"', '<https://h/a>, "s3://b/k"'),
        ("https://h/b','https://u:cAnArY@h/c", "https://h/b','https://h/c"),
        ("/a?X-Amz-Signature=cAnArY&v=1 HTTP/1.1", "/a?X-Amz-Signature=[removed]&v=1 HTTP/1.1"),
        ("{'Authorization': 'AWS4-HMAC cAnArY'}", "{'Authorization': [removed]"),
        ("AccountName=a;AccountKey=cAnArY==;B=c", "AccountName=a;AccountKey=[removed];B=c"),
        ("SharedAccessSignature=sv=1&sig=cAnArY", "SharedAccessSignature=[removed]&sig=[removed]"),
        ("no user AKIAcAnArYcAnArY0001 known", "no user [removed] known"),
        ("token Bearer cAnArY.cAnArY failed", "token Bearer [removed] failed"),
        ("sent eyJhbGciOiJIcAnArY.eyJzdWIi.c2ln", "sent [removed]"),
        ("the key cAnArYcAnArYcAnArYcAnArYcAnArYcAnArY+/01==", "the key [removed]"),
        (
            "-----BEGIN PRIVATE KEY-----\ncAnArY\n-----END PRIVATE KEY----- is not one",
            "[removed] is not one",
        ),
        ("Connect call failed ('10.0.0.1', 443)", "Connect call failed ('10.0.0.1', 443)"),
    ],
)
def test_scrubbed(text: str, expected: str) -> None:
    """URIs in quotes and parentheses, headers, keys and tokens; what else is said stays."""
    assert expected == scrubbed(text)
    assert "cAnArY" not in expected


def test_an_object_shown() -> None:
    """The repr of an object, as an assertion or a log shows it, holds no signature."""
    shown = repr(RemoteObject(uri=f"https://h/a?sig={CANARY}", bytes=1, version=None))
    assert "RemoteObject(uri='https://h/a', bytes=1, version=None)" == shown
