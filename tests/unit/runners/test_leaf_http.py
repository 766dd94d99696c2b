"""http templates against a real server on loopback."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from leaf_surroundings import Surroundings, parameters


class Server(ThreadingHTTPServer):
    daemon_threads = True
    requests: list[tuple[str, str, dict[str, str], bytes]]
    release: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        if self.path.startswith("/status/"):
            self.say(int(self.path[8:]), b"said no")
        elif self.path.startswith("/to/"):
            code, _, where = self.path[4:].partition("/")
            self.send_response(int(code))
            self.send_header("Location", where if "//" in where else f"/{where}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/silence":
            self.server.release.wait(20)
        elif self.path == "/big":
            self.say(200, b"x" * (5 << 20))
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"too little")
        else:
            self.say(200, b"hello " + body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def say(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Twice", "one")
        self.send_header("X-Twice", "two")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def served() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.requests, server.release = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from served()


@pytest.fixture
def other() -> Iterator[Server]:
    yield from served()


@pytest.fixture
def here(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def test_body_is_the_result(here: Surroundings, server: Server) -> None:
    ended = here.run({"http": {"url": f"{server.url}/a"}})
    assert (ended.phase, ended.message) == ("Succeeded", "")
    assert ended.outputs is not None
    assert ended.outputs.result == "hello "
    assert server.requests[0][:2] == ("GET", "/a")
    assert f"GET {server.url}/a" in here.log()
    assert "hello" in here.log()


def test_method_headers_and_body_are_sent_without_a_guessed_type(here: Surroundings, server: Server) -> None:
    headers = [{"name": "x-one", "value": "1"}, {"name": "X-One", "value": "2"}]
    ended = here.run({"http": {"url": server.url, "method": "POST", "headers": headers, "body": "the body"}})
    assert ended.outputs is not None
    assert ended.outputs.result == "hello the body"
    method, _, sent, _ = server.requests[0]
    assert method == "POST"
    assert {name.lower(): value for name, value in sent.items()}["x-one"] == "1, 2"
    assert "Content-Type" not in sent


def test_body_from_bytes(here: Surroundings, server: Server) -> None:
    data = base64.b64encode(b"\x00\xff").decode()
    here.run({"http": {"url": server.url, "method": "PUT", "bodyFrom": {"bytes": data}}})
    assert server.requests[0][3] == b"\x00\xff"
    ended = here.run({"http": {"url": server.url, "bodyFrom": {"bytes": "no base64"}}})
    assert (ended.phase, "not base64" in ended.message) == ("Failed", True)


def test_secret_header_is_sent_and_masked(here: Surroundings, server: Server) -> None:
    here.secrets["creds"] = {"token": "tellnobody"}
    header = {"name": "x-echo", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}
    ended = here.run({"http": {"url": server.url, "method": "POST", "headers": [header], "body": "tellnobody"}})
    assert server.requests[0][2]["X-Echo"] == "tellnobody"
    assert ended.outputs is not None
    assert ended.outputs.result == "hello ***"
    assert "tellnobody" not in here.log()


def test_missing_secret_fails_before_anything_is_sent(here: Surroundings, server: Server) -> None:
    header = {"name": "x", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}
    ended = here.run({"http": {"url": server.url, "headers": [header]}})
    assert (ended.phase, server.requests) == ("Failed", [])
    assert '"creds"' in ended.message


def test_a_status_that_is_not_2xx_fails_with_the_body_kept(here: Surroundings, server: Server) -> None:
    ended = here.run({"http": {"url": f"{server.url}/status/404"}})
    assert (ended.phase, ended.message) == ("Failed", "received non-2xx response code: 404")
    assert ended.outputs is not None
    assert ended.outputs.result == "said no"


@pytest.mark.parametrize(
    ("condition", "phase"),
    [
        ('response.statusCode == 500 and response.body contains "no"', "Succeeded"),
        ('response.headers["Content-Type"][0] == "text/plain"', "Succeeded"),
        ('response.headers["X-Twice"] == ["one", "two"]', "Succeeded"),
        ('request.method == "GET" && request.url endsWith "/500" && request.headers["X-A"][0] == "b"', "Succeeded"),
        ("response.statusCode == 200", "Failed"),
        ("response.statusCode", "Failed"),
        ("response.nothing.at.all == 1", "Failed"),
        ("1 +", "Failed"),
    ],
)
def test_success_condition(here: Surroundings, server: Server, condition: str, phase: str) -> None:
    headers = [{"name": "x-a", "value": "b"}]
    url = f"{server.url}/status/500"
    ended = here.run({"http": {"url": url, "headers": headers, "successCondition": condition}})
    assert ended.phase == phase
    assert bool(ended.message) == (phase == "Failed")


def test_redirects(here: Surroundings, server: Server) -> None:
    here.run({"http": {"url": f"{server.url}/to/302/a", "method": "POST", "body": "x"}})
    assert [one[:2] for one in server.requests] == [("POST", "/to/302/a"), ("GET", "/a")]
    server.requests.clear()
    ended = here.run({"http": {"url": f"{server.url}/to/307/a", "method": "POST", "body": "x"}})
    assert server.requests[1][:2] == ("POST", "/a")
    assert ended.outputs is not None
    assert ended.outputs.result == "hello x"


def test_endless_redirects_end(here: Surroundings, server: Server) -> None:
    ended = here.run({"http": {"url": server.url + "/to/302" * 15 + "/a"}})
    assert ended.phase == "Failed"
    assert len(server.requests) <= 12


def test_headers_do_not_travel_to_another_host(here: Surroundings, server: Server, other: Server) -> None:
    headers = [{"name": "Authorization", "value": "Bearer abcdef"}, {"name": "x-key", "value": "k"}]
    ended = here.run({"http": {"url": f"{server.url}/to/302/{other.url}/b", "headers": headers}})
    assert ended.phase == "Succeeded"
    sent = {name.lower() for name in other.requests[0][2]}
    assert not sent & {"authorization", "x-key"}
    assert "Authorization" in server.requests[0][2]


def test_credentials_of_the_url_are_sent_and_not_logged(here: Surroundings, server: Server) -> None:
    url = server.url.replace("http://", "http://me:hushhush@")
    ended = here.run({"http": {"url": url}})
    assert ended.phase == "Succeeded"
    assert server.requests[0][2]["Authorization"].startswith("Basic ")
    assert "hushhush" not in here.log()


def test_silence_is_waited_for_no_longer_than_said(here: Surroundings, server: Server) -> None:
    began = time.monotonic()
    ended = here.run({"http": {"url": f"{server.url}/silence", "timeoutSeconds": 1}})
    assert ended.phase == "Failed"
    assert "1 s" in ended.message or "in time" in ended.message
    assert time.monotonic() - began < 10


def test_cancelled_while_the_server_is_silent(here: Surroundings, server: Server) -> None:
    ended = here.run({"http": {"url": f"{server.url}/silence"}}, cancelled=lambda: bool(server.requests))
    assert (ended.phase, ended.message) == ("Failed", "the request was stopped.")


@pytest.mark.parametrize(("path", "told"), [("/big", "more than"), ("/short", "broke off"), ("/to/302/ftp://x/", "")])
def test_answers_that_are_refused(here: Surroundings, server: Server, path: str, told: str) -> None:
    ended = here.run({"http": {"url": server.url + path}})
    assert ended.phase == "Failed"
    assert told in ended.message


@pytest.mark.parametrize("url", ["ftp://host/a", "nothing", "http://", "http://[::1", "http://127.0.0.1:1/"])
def test_urls_that_cannot_be_asked(here: Surroundings, url: str) -> None:
    ended = here.run({"http": {"url": url}})
    assert ended.phase == "Failed"
    assert ended.message


def test_line_breaks_cannot_make_headers(here: Surroundings, server: Server) -> None:
    ended = here.run({"http": {"url": server.url, "headers": [{"name": "a", "value": "b\r\nc: d"}]}})
    assert (ended.phase, server.requests) == ("Failed", [])
    ended = here.run({"http": {"url": server.url, "method": "GET / HTTP/1.1\r\nx: y\r\n"}})
    assert (ended.phase, server.requests) == ("Failed", [])


def test_output_parameters_have_a_value_or_fail(here: Surroundings, server: Server) -> None:
    given = {"parameters": [{"name": "p", "valueFrom": {"default": "d"}}]}
    ended = here.run({"http": {"url": server.url}, "outputs": given})
    assert parameters(ended) == {"p": "d"}
    given = {"parameters": [{"name": "p", "valueFrom": {"path": "/x"}}]}
    ended = here.run({"http": {"url": server.url}, "outputs": given})
    assert (ended.phase, '"p"' in ended.message) == ("Failed", True)
