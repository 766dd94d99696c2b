"""HTTP requests for artifacts: streamed, redirected with care, every failure either final or worth another try.

It knows HTTP, and that credentials belong to one origin; not which artifact is meant.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from argosy.artifacts.redaction import redact
from argosy.artifacts.troubles import ArtifactNotFound, TransferRefused, TransferTrouble

COPY_BYTES = 1 << 18
MAX_REDIRECTS = 10
REDIRECTS = {301, 302, 303, 307, 308}
WORTH_ANOTHER_TRY = {408, 409, 425, 429, 500, 502, 503, 504}
NOT_THERE = {404, 410}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. headers belong to the origin of `url` only. body: bytes, or a file that is sent from its start."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | Path | None = None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are followed by `send`, which knows what must not travel."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def send(
    request: Request,
    *,
    timeout_seconds: float,
    tls: ssl.SSLContext | None = None,
    accepted: frozenset[int] = frozenset(),
    stop_if_cancelled: Callable[[], None] = lambda: None,
) -> http.client.HTTPResponse:
    """The answer, its status 2xx or one of `accepted`, its body unread: the caller closes it.

    Raises ArtifactNotFound, TransferRefused, TransferTrouble.
    """
    origin, url = _origin(request.url), request.url
    method, body = request.method, request.body
    for _ in range(MAX_REDIRECTS + 1):
        stop_if_cancelled()
        answer = _once(url, method, request.headers if _origin(url) == origin else {}, body, timeout_seconds, tls)
        if answer.status not in REDIRECTS:
            return answer if answer.status in accepted else _successful(answer, url)
        with answer:
            location = answer.headers.get("Location", "")
        if not location:
            raise TransferRefused(f"{redact(url)} redirects to nowhere (HTTP {answer.status}).")
        url = urllib.parse.urljoin(url, location)
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET", None
    raise TransferRefused(f"{redact(request.url)} redirects more than {MAX_REDIRECTS} times.")


def download(
    answer: http.client.HTTPResponse, file: IO[bytes], limit: int, stop_if_cancelled: Callable[[], None]
) -> int:
    """Write the whole body of an answer and return its bytes. Raises TransferTrouble, TransferRefused, OSError."""
    got = 0
    while data := _read(answer):
        stop_if_cancelled()
        got += len(data)
        if got > limit:
            raise TransferRefused(f"The answer has more than the {limit} bytes that are allowed.")
        file.write(data)
    announced = answer.headers.get("Content-Length")
    if announced is not None and announced.isdigit() and int(announced) != got:
        raise TransferTrouble(f"The answer broke off after {got} of {announced} bytes.")
    return got


def take_user_info(url: str) -> tuple[str, str, str]:
    """(url without credentials, user name, password)."""
    parts = urllib.parse.urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, "", ""
    name, _, password = user.partition(":")
    return parts._replace(netloc=host).geturl(), urllib.parse.unquote(name), urllib.parse.unquote(password)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise TransferRefused(f"{redact(url)} is not a URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TransferRefused(
            f"{redact(url)} is not an http or https URL.", hint="Only http:// and https:// are fetched."
        )
    return parts.scheme, parts.hostname.lower(), port


def _once(
    url: str,
    method: str,
    headers: Mapping[str, str],
    body: bytes | Path | None,
    timeout_seconds: float,
    tls: ssl.SSLContext | None,
) -> http.client.HTTPResponse:
    plain, user, password = take_user_info(url)
    sent = {"Accept-Encoding": "identity", "User-Agent": "argosy", **headers}
    if user and "authorization" not in {name.lower() for name in sent}:
        sent["Authorization"] = basic(user, password)
    opener = urllib.request.build_opener(
        _Stay, urllib.request.HTTPSHandler(context=tls or ssl.create_default_context())
    )
    file = body.open("rb") if isinstance(body, Path) else None
    try:
        data: Any = file or body
        if file:
            # Without it the body would be sent in chunks, which many stores refuse.
            sent["Content-Length"] = str(os.fstat(file.fileno()).st_size)
        wire = urllib.request.Request(plain, data=data, headers=sent, method=method)
        return opener.open(wire, timeout=timeout_seconds)
    except urllib.error.HTTPError as error:
        return error  # type: ignore[return-value]  # it has what an answer has: status, headers, read, close
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _network_error(url, error) from error
    except (ValueError, UnicodeError) as error:
        raise TransferRefused(f"{redact(url)} cannot be asked for: {error}.") from error
    finally:
        if file:
            file.close()


def basic(user: str, password: str) -> str:
    """The value of the header of basic authentication."""
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()


def _successful(answer: http.client.HTTPResponse, url: str) -> http.client.HTTPResponse:
    status = answer.status
    if 200 <= status < 300:
        return answer
    reason = f"{redact(url)} answered HTTP {status} {answer.reason}"
    answer.close()
    if status in NOT_THERE:
        raise ArtifactNotFound(f"{reason}.", hint="Check the URL.")
    if status in WORTH_ANOTHER_TRY:
        raise TransferTrouble(f"{reason}.")
    hint = "Check the credentials of the artifact." if status in (401, 403, 407) else "Check the artifact's fields."
    raise TransferRefused(f"{reason}.", hint=hint)


def _network_error(url: str, error: Exception) -> TransferRefused | TransferTrouble:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    where = redact(url)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return TransferRefused(f"The certificate of {where} is not trusted: {reason.verify_message}.")
    if isinstance(reason, socket.gaierror):
        return TransferTrouble(f"The host of {where} has no address: {reason.strerror}.")
    if isinstance(reason, http.client.InvalidURL):
        return TransferRefused(f"{where} is not a URL: {redact(str(reason))}.")
    text = "no answer in time" if isinstance(reason, TimeoutError) else redact(str(reason)) or type(reason).__name__
    return TransferTrouble(f"Cannot reach {where}: {text}.")


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(COPY_BYTES)
    except (http.client.HTTPException, OSError) as error:
        raise TransferTrouble(f"The answer broke off: {type(error).__name__}.") from error
