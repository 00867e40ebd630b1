"""URIs without what gives access: as they may stand in a record, a log or an error."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote_plus

_NO_PORT = re.compile(r"[^\[@/?#\\]*:(?!\d*(?:[/?#\\]|$))[^@/?#\\]*[/?#\\].*@", re.DOTALL)
LONG_VALUE = 20
"""A parameter's value of so many characters or more stands as a part of its SHA-256."""
STRUCK = "[removed]"
"""Stands in a text where a credential stood."""

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AZURE = ("az", "abfs", "abfss")
_STORES = ("s3", "s3a", "gs", "gcs", "memory")
"""Their keys may hold `?`, `&` and `#`: only what signs is taken out of them."""
_SIGNS = re.compile(
    r"(?:x-amz-|x-goog-|x-oss-|x-cos-|x-ms-).*"
    r"|signature|expires|key-pair-id|policy|googleaccessid|awsaccesskeyid|ossaccesskeyid"
    r"|hdne[at]s?|hdnts|hdntl|hmac|jwt|bearer|sas"
)
"""Parameters that sign a URL: AWS SigV4 and V2, CloudFront, Google Cloud Storage, Akamai."""
_SECRET_WORD = re.compile(
    r"tokens?|keys?|apikey|accesskey|secrets?|passw(?:or)?d|passphrase|pwd|pass|auth"
    r"|authorization|authentication|credentials?|session|sessionid|sid|sig|signature|signed"
)
_SECRET_END = re.compile(
    r".*(?:token|secret|password|passwd|signature|credentials?|session|sessionid|apikey"
    r"|(?:access|auth|sign|signing|api|secret|private|public|account|session|user)key(?:id)?)"
    r"|auth[a-z]*(?:key|code|id|data)"
)
_SAS = re.compile(
    r"s[verptirs]|sig|spr|sip|sdd|srt|srh|srq|sk(?:oid|tid|[esvt])|skdutid|scid|ses"
    r"|s[adu]u?oid|rsc[cdelt]"
)
"""Of an Azure shared access signature (SAS), where the parameter `sig` is there too."""


def redacted(uri: str) -> str:
    """A URI without user, password, signature and other credentials; a plain path as it is.

    Of http(s) the fragment goes as well, parameters that do not sign stay in their order, and a
    value of 20 characters or more becomes `sha256-` and 12 hexadecimal digits. So a URL that is
    signed anew keeps its name. The same again for what was redacted already.
    """
    match = _URI.match(uri)
    if match is None:
        return uri
    scheme = match.group(1).lower()
    if scheme == "file":
        return uri
    rest = uri[match.end() :]
    if _NO_PORT.match(rest):
        # No host has such a port: it is a password, with a slash or another odd sign in it.
        rest = rest.rpartition("@")[2]
    end = next((at for at, character in enumerate(rest) if character in "/?#\\"), len(rest))
    authority, rest = rest[:end], rest[end:]
    user, at, host = authority.rpartition("@")
    if at and not (scheme in _AZURE and ":" not in user and "@" not in user):
        authority = host
    store = scheme in _STORES or scheme in _AZURE
    if not store:
        rest = rest.partition("#")[0]
    path, mark, query = rest.partition("?")
    kept = _kept(query, hashing=not store) if mark else ""
    if not kept and (query or not store):
        mark = ""
    return f"{match.group()}{authority}{path}{mark}{kept}"


def _kept(query: str, *, hashing: bool) -> str:
    """What of a query does not give access."""
    parameters = query.split("&")
    names = [_name(each) for each in parameters]
    sas = "sig" in names
    kept = [
        _hashed(each) if hashing else each
        for name, each in zip(names, parameters, strict=True)
        if (each or not hashing) and not (_gives_access(name) or (sas and _SAS.fullmatch(name)))
    ]
    return "&".join(kept)


def _name(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0]).strip()


def _gives_access(name: str) -> bool:
    lower = name.lower()
    if _SIGNS.fullmatch(lower) or _SECRET_END.fullmatch(re.sub(r"[^a-z]", "", lower)):
        return True
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()
    return any(_SECRET_WORD.fullmatch(word) for word in re.split(r"[^a-z]+", apart))


def _hashed(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        name, value = "", name
    if len(value) < LONG_VALUE:
        return parameter
    digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{name}{equals}sha256-{digest[:12]}"


_IN_TEXT = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,30}://(?:(?![A-Za-z][A-Za-z0-9+.-]*://)[^\s\"<>])*"
)
_SECRETS = [
    (re.compile(pattern, re.IGNORECASE), kept)
    for pattern, kept in (
        (r"(?s)-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|$)", ""),
        (r"((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]\s*)[^\r\n]*", r"\1\2"),
        (r"\b(bearer|basic|sharedkey(?:lite)?|negotiate)\s+[A-Za-z0-9._~+/=:-]{6,}", r"\1 "),
        (
            r"([\w-]*(?:accountkey|accesskey|access_key|apikey|api_key|secret|passw|signature|token"
            r"|credential|\bsig\b)[\w-]*['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;]+",
            r"\1",
        ),
        (r"signature found in the http request '[^']*'", "signature "),
        (r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?", ""),
        (r"\bya29\.[\w.-]+", ""),
        (r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AIza|GOOG)[A-Za-z0-9_-]{8,}", ""),
        (r"(?<![\w/+=.-])(?=[A-Za-z+/_-]*[0-9])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w/.-])", ""),
    )
]
"""What a credential looks like in a text, and what of it stays."""


def scrubbed(text: str) -> str:
    """What a library or a service said, with every URI in it redacted and credentials struck out.

    Known by their look: authorization headers, `AccountKey=…`, keys of AWS and Google, bearer and
    JSON web tokens, values of names such as `signature`, and anything of 40 characters or more that
    has digits among letters.
    """
    text = with_uris_redacted(text)
    for pattern, kept in _SECRETS:
        text = pattern.sub(f"{kept}{STRUCK}", text)
    return text


def with_uris_redacted(text: str) -> str:
    """A message of our own, with every URI in it redacted."""
    return _IN_TEXT.sub(_redacted_in_text, text)


def _redacted_in_text(match: re.Match[str]) -> str:
    found = match.group()
    bare = found.rstrip(".,;:!)]}'")
    return redacted(bare) + found[len(bare) :]
