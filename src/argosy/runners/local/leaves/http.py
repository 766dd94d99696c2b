"""The http template: one request, its answer judged (Argo docs: http-template.md).

It knows HTTP and the condition on an answer; not workflows.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from typing import IO

import msgspec

from argosy.artifacts.requests import basic, take_user_info
from argosy.expressions import expr
from argosy.model.events import AttemptExited
from argosy.model.manifest import HTTPTemplate, Outputs
from argosy.model.status import Phase
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext
from argosy.runners.local.leaves.surroundings import LeafFailed, Log, given_parameters, secret_of

DEFAULT_TIMEOUT_SECONDS = 30
# The body becomes an output of the node, which every reader of the run's status then has to carry.
MAX_BODY_BYTES = 4 << 20
MAX_REDIRECTS = 10
LOOK_SECONDS = 0.05
READ_BYTES = 1 << 16
# Answers that may promise a length and have no body.
BODILESS = (204, 304)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said. headers: names as Go writes them, Content-Type, each with its values."""

    status: int
    headers: dict[str, list[str]]
    body: str


def run_http(start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    """Send the request of an http template and judge the answer. Raises ArgosyError, OSError."""
    template = start.template.http
    if template is None:
        raise LeafFailed("this is no http template.")
    log = Log(start, context)
    parameters = given_parameters(start.template, "http")
    headers = _headers(template, context, log)
    method, body = template.method.upper() or "GET", _body(template)
    log.say(f"{method} {template.url}")
    request = _request(template.url, method, headers, body)
    timeout = template.timeout_seconds if template.timeout_seconds is not None else DEFAULT_TIMEOUT_SECONDS
    answer = _Exchange(request, timeout, insecure=template.insecure_skip_verify, log=log).wait(cancelled)
    log.say(f"HTTP {answer.status}, {len(answer.body)} characters")
    log.write(answer.body if answer.body.endswith("\n") or not answer.body else answer.body + "\n")
    problem = _judged(template, method, body, answer)
    outputs = Outputs(result=log.hidden(answer.body), parameters=parameters)
    phase = Phase.FAILED if problem else Phase.SUCCEEDED
    message = log.redact(problem) or ("secrets are hidden in the result" if outputs.result != answer.body else "")
    return AttemptExited(at=0.0, node=start.node, phase=phase, message=message, outputs=outputs)


def _headers(template: HTTPTemplate, context: RunContext, log: Log) -> dict[str, str]:
    """The headers to send; one that is given twice has both values."""
    found: dict[str, str] = {}
    for header in template.headers:
        value = header.value
        if header.value_from is not None and header.value_from.secret_key_ref is not None:
            secret = secret_of(context, header.value_from.secret_key_ref)
            log.hide(secret)
            value = secret.decode("utf-8", "surrogateescape")
        if "\n" in value or "\r" in value:
            raise LeafFailed(f'the header "{header.name}" has a line break in its value.', hint="Take it out.")
        name = _canonical(header.name)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _body(template: HTTPTemplate) -> bytes:
    if template.body_from is None:
        return template.body.encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(template.body_from.bytes, validate=True)
    except (binascii.Error, ValueError):
        raise LeafFailed("bodyFrom.bytes is not base64.", hint="Encode the body: base64 -w0 FILE.") from None


def _request(url: str, method: str, headers: Mapping[str, str], body: bytes) -> urllib.request.Request:
    try:
        plain, user, password = take_user_info(url)
        parts = urllib.parse.urlsplit(plain)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LeafFailed(f"{url!r} is not an http or https URL.", hint="Write http://... or https://...")
        sent = {"Accept-Encoding": "identity", "User-Agent": "argosy", **headers}
        if user and "Authorization" not in sent:
            sent["Authorization"] = basic(user, password)
        return urllib.request.Request(plain, data=body or None, headers=sent, method=method)
    except ValueError as error:
        raise LeafFailed(f"{url!r} is not a URL: {error}.") from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects as Go's client follows them; who one is belongs to the first host alone."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        method, data, kept = req.get_method(), req.data, dict(req.headers)
        if code in (301, 302, 303) and method not in ("GET", "HEAD"):
            method, data = "GET", None
            kept = {name: value for name, value in kept.items() if not name.lower().startswith("content-")}
        if _origin(newurl) != _origin(req.full_url):
            kept = {name: value for name, value in kept.items() if name.lower() in ("accept-encoding", "user-agent")}
        again = urllib.request.Request(newurl, data=data, headers=kept, method=method)
        again.timeout = req.timeout  # type: ignore[attr-defined]  # urllib keeps it there, its stubs do not say so
        return again


class _NoGuessedType(urllib.request.BaseHandler):
    """Takes back the form's Content-Type that urllib gives a body without one: Argo sends none."""

    handler_order = 600  # after urllib's own

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        request.unredirected_hdrs.pop("Content-type", None)
        return request

    https_request = http_request


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class _Exchange:
    """A request under way in a thread of its own, so that a server that says nothing cannot hold the caller."""

    def __init__(self, request: urllib.request.Request, timeout_seconds: float, *, insecure: bool, log: Log) -> None:
        self._request = request
        self._seconds = timeout_seconds
        self._insecure = insecure
        self._log = log
        self._done = threading.Event()
        self._answer: Answer | None = None
        self._problem = ""
        self._abandoned = False

    def wait(self, cancelled: Callable[[], bool]) -> Answer:
        """The answer. Raises LeafFailed."""
        deadline = time.monotonic() + self._seconds
        threading.Thread(target=self._ask, name="http-template", daemon=True).start()
        while not self._done.wait(LOOK_SECONDS):
            if cancelled():
                self._abandoned = True
                raise LeafFailed("the request was stopped.")
            if time.monotonic() >= deadline:
                self._abandoned = True
                raise LeafFailed(
                    f"{self._url()}: no whole answer within {self._seconds} s.", hint="Raise timeoutSeconds."
                )
        if self._answer is None:
            raise LeafFailed(self._problem)
        return self._answer

    def _ask(self) -> None:
        try:
            self._answer = self._exchange()
        except LeafFailed as problem:
            self._problem = problem.message
        except urllib.error.URLError as problem:
            self._problem = f"cannot reach {self._url()}: {_reason(problem.reason)}."
        except (http.client.HTTPException, OSError, ValueError) as problem:
            self._problem = f"{self._url()}: {_reason(problem)}."
        finally:
            self._problem = self._log.redact(self._problem)
            self._done.set()

    def _exchange(self) -> Answer:
        tls = ssl.create_default_context()
        if self._insecure:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        opener = urllib.request.build_opener(_Redirects, _NoGuessedType, urllib.request.HTTPSHandler(context=tls))
        try:
            answer: http.client.HTTPResponse | urllib.error.HTTPError = opener.open(
                self._request, timeout=self._seconds
            )
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            headers, data = _answered(answer.headers), self._read(answer)
            if answer.status not in BODILESS:
                self._check_whole(headers.get("Content-Length", [""])[0], len(data))
            return Answer(status=answer.status or 0, headers=headers, body=data.decode("utf-8", "replace"))

    def _check_whole(self, promised: str, got: int) -> None:
        """http.client gives what came before a break as if it were all. Raises LeafFailed."""
        if self._request.get_method() != "HEAD" and promised.isdecimal() and got < int(promised):
            raise LeafFailed(f"{self._url()}: the answer broke off after {got} of {promised} bytes.")

    def _read(self, answer: IO[bytes]) -> bytes:
        data = bytearray()
        while not self._abandoned:
            chunk = answer.read(READ_BYTES)
            if not chunk:
                break
            data += chunk
            if len(data) > MAX_BODY_BYTES:
                raise LeafFailed(
                    f"the answer of {self._url()} has more than the {MAX_BODY_BYTES} bytes that a result may have."
                )
        return bytes(data)

    def _url(self) -> str:
        return self._log.redact(self._request.full_url)


def _reason(problem: object) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({problem.verify_message})"
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem).rstrip(".") or type(problem).__name__


def _answered(headers: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        found.setdefault(_canonical(name), []).append(value)
    return found


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _judged(template: HTTPTemplate, method: str, body: bytes, answer: Answer) -> str:
    """Why the answer is none to be content with, or "". Raises ExpressionError."""
    condition = template.success_condition
    if not condition:
        return "" if 200 <= answer.status < 300 else f"received non-2xx response code: {answer.status}"
    given: dict[str, list[str]] = {}
    for header in template.headers:
        # A secret is for the server, not for expressions.
        given.setdefault(_canonical(header.name), []).append(header.value)
    names: dict[str, object] = {
        "request": {
            "method": method,
            "url": template.url,
            "body": body.decode("utf-8", "replace"),
            "headers": given,
        },
        "response": {"statusCode": answer.status, "body": answer.body, "headers": answer.headers},
    }
    value = expr.evaluate(condition, names)
    if not isinstance(value, bool):
        raise LeafFailed(f"successCondition '{condition}' is {expr_kind(value)}, not true or false.")
    return "" if value else f"successCondition '{condition}' evaluated false"


def expr_kind(value: object) -> str:
    """What a value is, in the words of expressions."""
    from argosy.expressions.formatting import kind_of

    return kind_of(value)
