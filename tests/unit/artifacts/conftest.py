"""What the tests of this room start on free ports of loopback: an S3 server, an HTTP server that keeps notes."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Handle = Callable[["NotingHandler"], None]


class NotingHandler(http.server.BaseHTTPRequestHandler):
    """Hands every request to the server's `handle` and notes its method, path and headers."""

    server: NotingServer
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _handle(self) -> None:
        self.server.notes.append((self.command, self.path, dict(self.headers)))
        self.server.handle(self)

    do_GET = do_PUT = do_POST = do_HEAD = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


class NotingServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handle: Handle) -> None:
        super().__init__(("127.0.0.1", 0), NotingHandler)
        self.handle = handle
        self.notes: list[tuple[str, str, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of some tests."""


@pytest.fixture
def serve() -> Iterator[Callable[[Handle], NotingServer]]:
    """Start an HTTP server that answers with the given function."""
    with contextlib.ExitStack() as stack:

        def start(handle: Handle) -> NotingServer:
            server = NotingServer(handle)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """host:port of an S3 server with the bucket "bucket"."""
    pytest.importorskip("moto")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        make_bucket(port, "bucket")
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def make_bucket(port: int, name: str) -> None:
    deadline = time.monotonic() + 60
    authorization = "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("PUT", f"/{name}", headers={"Authorization": authorization, "Content-Length": "0"})
            assert connection.getresponse().status == 200
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.fixture
def git_repository(tmp_path: Path) -> Path:
    """A repository with two commits on main, a branch "side" and a tag "v1" at the first commit."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    (repository / "file").write_text("one\n")
    git(repository, "add", "file")
    git(repository, "commit", "-qm", "one")
    git(repository, "tag", "v1")
    git(repository, "checkout", "-qb", "side")
    (repository / "side").write_text("side\n")
    git(repository, "add", "side")
    git(repository, "commit", "-qm", "side")
    git(repository, "checkout", "-q", "main")
    (repository / "file").write_text("two\n")
    git(repository, "commit", "-qam", "two")
    return repository


@pytest.fixture(name="git")
def the_git_program() -> Callable[..., str]:
    """git(folder, *arguments) -> what it prints, with no configuration but its own."""
    return git


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
