"""Signed requests to AWS-like services, for the two calls that the object store library lacks.

It knows Signature Version 4 (AWS documentation: Signing API requests); not what the requests are for.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping

import msgspec

from argosy.artifacts.requests import Request

ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What signs a request."""

    access_key: str
    secret_key: str
    session_token: str = ""


def signed(
    method: str,
    url: str,
    body: bytes,
    *,
    service: str,
    region: str,
    keys: Keys,
    now: datetime.datetime,
    headers: Mapping[str, str],
) -> Request:
    """The request with its signature. The path and query of `url` are in their encoded form."""
    parts = urllib.parse.urlsplit(url)
    moment = now.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    sent = {name.lower(): value for name, value in headers.items()}
    sent |= {"host": parts.netloc, "x-amz-date": moment}
    if service == "s3":
        sent["x-amz-content-sha256"] = digest
    if keys.session_token:
        sent["x-amz-security-token"] = keys.session_token
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{sent[name].strip()}\n" for name in sorted(sent))
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    canonical = "\n".join((method, parts.path or "/", query, lines, names, digest))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{keys.secret_key}".encode()
    for part in (moment[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"{ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return Request(method=method, url=url, headers=sent | {"authorization": authorization}, body=body)
