"""Artifacts over HTTP, against a server on loopback: credentials stay where they belong, errors are final or not."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.artifacts.archives import Limits
from argosy.artifacts.drivers.artifactory import ArtifactoryDriver
from argosy.artifacts.drivers.http import HTTPDriver
from argosy.artifacts.locations import Context
from argosy.artifacts.troubles import (
    ArtifactNotFound,
    LocationUnsupported,
    StoreTrouble,
    TransferCancelled,
    TransferRefused,
    TransferTrouble,
)
from argosy.model.manifest import Artifact, KeySelector

SECRETS = {"user": b"ali", "password": b"s3cr3t-pw", "id": b"client", "secret": b"client-s3cr3t"}
Serve = Callable[[Callable[[Any], None]], Any]


def context(**more: Any) -> Context:
    secrets = {**SECRETS, **more.pop("secrets", {})}

    def secret(selector: KeySelector) -> bytes:
        return secrets[selector.key]

    return Context(secret=secret, timeout_seconds=more.pop("timeout_seconds", 5), **more)


def selector(key: str) -> dict[str, str]:
    return {"name": "s", "key": key}


def at(url: str, **fields: Any) -> Artifact:
    return Artifact(name="a", http={"url": url, **fields})


BASIC = {"basicAuth": {"usernameSecret": selector("user"), "passwordSecret": selector("password")}}


def test_a_file_is_fetched(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"content" * 100_000))
    HTTPDriver().fetch(at(server.url + "/f"), tmp_path / "f", context())
    assert (tmp_path / "f").read_bytes() == b"content" * 100_000
    assert "Authorization" not in server.notes[0][2]


def test_a_file_is_saved_with_its_length(serve: Serve, tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def handle(handler: Any) -> None:
        bodies.append(handler.body())
        handler.answer(201)

    server = serve(handle)
    (tmp_path / "f").write_bytes(b"x" * 300_000)
    HTTPDriver().save(tmp_path / "f", at(server.url + "/f", headers=[{"name": "X-Kind", "value": "big"}]), context())
    assert bodies == [b"x" * 300_000]
    assert server.notes[0][0] == "PUT"
    assert server.notes[0][2]["X-Kind"] == "big"


def test_headers_and_basic_authentication_are_sent(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"x"))
    headers = [{"name": "X-One", "value": "1"}, {"name": "X-Two", "value": "2"}]
    HTTPDriver().fetch(at(server.url, headers=headers, auth=BASIC), tmp_path / "f", context())
    sent = server.notes[0][2]
    assert (sent["X-One"], sent["X-Two"]) == ("1", "2")
    assert sent["Authorization"] == "Basic YWxpOnMzY3IzdC1wdw=="


def test_credentials_in_the_url_are_sent_as_a_header_only(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"x"))
    HTTPDriver().fetch(at(server.url.replace("//", "//ali:s3cr3t%2Dpw@") + "/f"), tmp_path / "f", context())
    assert server.notes[0][1] == "/f"
    assert server.notes[0][2]["Authorization"] == "Basic YWxpOnMzY3IzdC1wdw=="


def test_artifactory_uses_basic_authentication(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"x"))
    fields = {"url": server.url, "usernameSecret": selector("user"), "passwordSecret": selector("password")}
    artifact = Artifact(name="a", artifactory=fields)
    ArtifactoryDriver().fetch(artifact, tmp_path / "f", context())
    ArtifactoryDriver().save(tmp_path / "f", artifact, context())
    assert [note[2]["Authorization"] for note in server.notes] == ["Basic YWxpOnMzY3IzdC1wdw=="] * 2


OAUTH2 = {
    "oauth2": {
        "clientIDSecret": selector("id"),
        "clientSecretSecret": selector("secret"),
        "tokenURLSecret": selector("token-url"),
        "scopes": ["read", "write"],
        "endpointParams": [{"key": "audience", "value": "me"}],
    }
}


@pytest.mark.parametrize("in_header", [True, False])
def test_oauth2_gets_a_token_first(serve: Serve, tmp_path: Path, in_header: bool) -> None:
    forms: list[str] = []

    def handle(handler: Any) -> None:
        if handler.path == "/token":
            forms.append(handler.body().decode())
            if ("Authorization" in handler.headers) is in_header:
                handler.answer(200, json.dumps({"access_token": "t0ken-t0ken"}).encode())
            else:
                handler.answer(401)
        else:
            ok = handler.headers.get("Authorization") == "Bearer t0ken-t0ken"
            handler.answer(200 if ok else 403, b"x")

    server = serve(handle)
    asked = context(secrets={"token-url": f"{server.url}/token".encode()})
    HTTPDriver().fetch(at(server.url + "/f", auth=OAUTH2), tmp_path / "f", asked)
    assert "grant_type=client_credentials&scope=read+write&audience=me" in forms[-1]
    assert ("client_secret" in forms[-1]) is not in_header


def test_an_odd_token_is_an_error_without_it(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"<html>"))
    asked = context(secrets={"token-url": server.url.encode()})
    with pytest.raises(TransferRefused, match="no access token"):
        HTTPDriver().fetch(at(server.url, auth=OAUTH2), tmp_path / "f", asked)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_a_host_keep_credentials(serve: Serve, tmp_path: Path, status: int) -> None:
    def handle(handler: Any) -> None:
        handler.answer(*((200, b"x") if handler.path == "/b" else (status,)), Location="/b")

    server = serve(handle)
    HTTPDriver().fetch(at(server.url + "/a", auth=BASIC), tmp_path / "f", context())
    assert [note[1] for note in server.notes] == ["/a", "/b"]
    assert all("Authorization" in note[2] for note in server.notes)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_redirects_to_another_origin_lose_credentials(serve: Serve, tmp_path: Path, host: str) -> None:
    other = serve(lambda handler: handler.answer(200, b"x"))
    there = other.url.replace("127.0.0.1", host)
    server = serve(lambda handler: handler.answer(302, Location=there + "/f?signature=abc"))
    headers = [{"name": "X-Api-Key", "value": "s3cr3t"}, {"name": "Cookie", "value": "c=1"}]
    HTTPDriver().fetch(at(server.url, headers=headers, auth=BASIC), tmp_path / "f", context())
    assert other.notes[0][1] == "/f?signature=abc"
    assert not {"Authorization", "X-Api-Key", "Cookie"} & set(other.notes[0][2])


def test_a_redirected_upload_is_sent_again(serve: Serve, tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def keep(handler: Any) -> None:
        bodies.append(handler.body())
        handler.answer(201)

    def send_on(handler: Any) -> None:
        handler.body()
        handler.answer(307, Location=other.url + "/data")

    other = serve(keep)
    server = serve(send_on)
    (tmp_path / "f").write_bytes(b"body")
    HTTPDriver().save(tmp_path / "f", at(server.url, auth=BASIC), context())
    assert bodies == [b"body"]
    assert other.notes[0][0] == "PUT"
    assert "Authorization" not in other.notes[0][2]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://host/x", "gopher://h", "http://", ""])
def test_redirects_to_elsewhere_are_refused(serve: Serve, tmp_path: Path, location: str) -> None:
    server = serve(lambda handler: handler.answer(302, Location=location))
    with pytest.raises(TransferRefused):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context())
    assert not (tmp_path / "f").exists()


def test_redirects_come_to_an_end(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(302, Location="/again"))
    with pytest.raises(TransferRefused, match="more than 10 times"):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context())


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/f", "host/f", "http://", "http://host:port/", "http://a b/"]
)
def test_only_http_is_spoken(tmp_path: Path, url: str) -> None:
    with pytest.raises(TransferRefused):
        HTTPDriver().fetch(at(url), tmp_path / "f", context())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, ArtifactNotFound),
        (410, ArtifactNotFound),
        (400, TransferRefused),
        (401, TransferRefused),
        (403, TransferRefused),
        (501, TransferRefused),
        (408, TransferTrouble),
        (429, TransferTrouble),
        (500, TransferTrouble),
        (503, TransferTrouble),
    ],
)
def test_statuses_are_final_or_not(serve: Serve, tmp_path: Path, status: int, error: type[Exception]) -> None:
    server = serve(lambda handler: handler.answer(status, b"body"))
    with pytest.raises(error, match=f"HTTP {status}"):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context())
    assert not (tmp_path / "f").exists()
    (tmp_path / "up").write_bytes(b"x")
    with pytest.raises(error):
        HTTPDriver().save(tmp_path / "up", at(server.url), context())


def test_an_answer_that_breaks_off_may_pass_and_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    def handle(handler: Any) -> None:
        handler.answer(200, b"half", Content_Length="8")
        handler.close_connection = True

    with pytest.raises(TransferTrouble, match="broke off"):
        HTTPDriver().fetch(at(serve(handle).url), tmp_path / "f", context())
    assert not (tmp_path / "f").exists()


def test_no_answer_in_time_may_pass(serve: Serve, tmp_path: Path) -> None:
    import threading

    released = threading.Event()
    server = serve(lambda handler: released.wait(10) and None)
    try:
        with pytest.raises(TransferTrouble, match="no answer in time"):
            HTTPDriver().fetch(at(server.url), tmp_path / "f", context(timeout_seconds=0.1))
    finally:
        released.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/f", "http://no-such-host.invalid/f"])
def test_a_host_that_cannot_be_reached_may_pass(tmp_path: Path, url: str) -> None:
    with pytest.raises(TransferTrouble):
        HTTPDriver().fetch(at(url), tmp_path / "f", context())


def test_too_much_is_refused_and_a_stopped_step_stops(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"12345"))
    with pytest.raises(TransferRefused, match="more than the 4 bytes"):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context(limits=Limits(max_bytes=4)))
    with pytest.raises(TransferCancelled):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context(cancelled=lambda: True))
    assert not (tmp_path / "f").exists()


def test_no_error_tells_a_secret(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(403, reason_is=handler.headers["Authorization"]))
    url = server.url.replace("//", "//ali:s3cr3t-pw@") + "/f?token=s3cr3t-pw&x=1"
    with pytest.raises(TransferRefused) as caught:
        HTTPDriver().fetch(at(url, auth=BASIC), tmp_path / "f", context())
    told = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert "s3cr3t" not in told
    assert "x=1" in told


def test_a_secret_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransferRefused, match="secret 's' \\(key 'user'\\)"):
        HTTPDriver().fetch(at("http://127.0.0.1:1/", auth=BASIC), tmp_path / "f", Context())


def test_what_http_cannot_do_is_named(tmp_path: Path) -> None:
    artifact = at("http://127.0.0.1:1/")
    with pytest.raises(LocationUnsupported):
        HTTPDriver().list(artifact, context())
    with pytest.raises(LocationUnsupported):
        HTTPDriver().delete(artifact, context())
    with pytest.raises(LocationUnsupported, match="folder"):
        HTTPDriver().save(tmp_path, artifact, context())
    with pytest.raises(LocationUnsupported, match=r"Expected `array`.*headers"):
        HTTPDriver().fetch(at("http://h/", headers=3), tmp_path / "f", context())
    with pytest.raises(LocationUnsupported, match="http"):
        HTTPDriver().fetch(Artifact(name="a", http={}), tmp_path / "f", context())


def test_a_target_that_is_taken_stays(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda handler: handler.answer(200, b"x"))
    (tmp_path / "f").write_text("mine")
    with pytest.raises(StoreTrouble):
        HTTPDriver().fetch(at(server.url), tmp_path / "f", context())
    assert (tmp_path / "f").read_text() == "mine"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, made = folder / f"{name}.key", folder / f"{name}.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    more = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    return made, key


def test_a_client_certificate_is_shown_and_a_strange_server_is_not_trusted(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, key = certificate(tmp_path, "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made, key)
    tls.load_verify_locations(made)
    tls.verify_mode = ssl.CERT_REQUIRED
    server = serve(lambda handler: handler.answer(200, b"x"))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    pair = {"clientCertSecret": selector("certificate"), "clientKeySecret": selector("key")}
    auth = {"clientCert": pair}
    secrets = {"certificate": made.read_bytes(), "key": key.read_bytes()}
    with pytest.raises(TransferRefused, match="not trusted"):
        HTTPDriver().fetch(at(url, auth=auth), tmp_path / "f", context(secrets=secrets))
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    HTTPDriver().fetch(at(url, auth=auth), tmp_path / "f", context(secrets=secrets))
    assert (tmp_path / "f").read_bytes() == b"x"
    with pytest.raises(TransferRefused, match="client certificate"):
        HTTPDriver().fetch(at(url, auth=auth), tmp_path / "g", context(secrets={**secrets, "key": b"no key"}))
