"""sprig's functions that encode, hash, and take addresses apart. It does not know the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin.conversion import decode_base64, encode_base64
from argosy.expressions.signatures import Function, plain


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _from_base64(text: str) -> str:
    try:
        return decode_base64(text)
    except ExpressionError as problem:
        return problem.message


def _from_base32(text: str) -> str:
    try:
        return base64.b32decode(text.replace("\n", "").replace("\r", "").encode("ascii")).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return f"'{text[:60]}' is not base32"


def _digest(make: Callable[[bytes], str]) -> Callable[..., object]:
    def run(budget: Budget, text: str) -> str:
        budget.spend(len(text) >> 6)
        return make(_bytes(text))

    return run


def _url_parse(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        hostname = parts.hostname or ""
    except ValueError as problem:
        raise ExpressionError(f"urlParse(): '{text[:100]}' is not a URL: {problem}") from None
    user, _, host = parts.netloc.rpartition("@")
    opaque = bool(parts.scheme) and not parts.netloc and not parts.path.startswith("/") and bool(parts.path)
    return {
        "scheme": parts.scheme,
        "host": host,
        "hostname": hostname,
        "path": "" if opaque else unquote(parts.path),
        "query": parts.query,
        "opaque": parts.path if opaque else "",
        "fragment": unquote(parts.fragment),
        "userinfo": user,
    }


def _url_join(parts: dict[str, object]) -> str:
    for key, value in parts.items():
        if not isinstance(value, str):
            raise ExpressionError(f"urlJoin(): {key} must be a string")
    take = {key: str(value) for key, value in parts.items()}
    scheme, host, path, user = (take.get(key, "") for key in ("scheme", "host", "path", "userinfo"))
    made = f"{scheme}:" if scheme else ""
    if opaque := take.get("opaque", ""):
        made += opaque
    else:
        if (scheme and host) or host or user:
            made += "//" + (user + "@" if user else "") + host
        if path and not path.startswith("/") and host:
            made += "/"
        made += quote(path, safe="/:@!$&'()*+,;=~")
    if query := take.get("query", ""):
        made += "?" + query
    fragment = take.get("fragment", "")
    return made + ("#" + quote(fragment, safe="/:@!$&'()*+,;=~?") if fragment else "")


FUNCTIONS = (
    Function("b64enc", "s", plain(encode_base64)),
    Function("b64dec", "s", plain(_from_base64)),
    Function("b32enc", "s", plain(lambda text: base64.b32encode(_bytes(text)).decode())),
    Function("b32dec", "s", plain(_from_base32)),
    Function("sha1sum", "s", _digest(lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest())),
    Function("sha256sum", "s", _digest(lambda data: hashlib.sha256(data).hexdigest())),
    Function("sha512sum", "s", _digest(lambda data: hashlib.sha512(data).hexdigest())),
    Function("adler32sum", "s", _digest(lambda data: str(zlib.adler32(data)))),
    Function("urlParse", "s", plain(_url_parse)),
    Function("urlJoin", "m", plain(_url_join)),
)
