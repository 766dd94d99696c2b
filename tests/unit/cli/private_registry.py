"""A registry that wants a user and a password, with images that podman has: the pulling half of the protocol.

Source: OCI distribution specification 1.1, sections "Pulling manifests" and "Pulling blobs".
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

USER, PASSWORD = "robot", "pass:word of 24 letters"
_MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json"


class _Handler(BaseHTTPRequestHandler):
    folder: ClassVar[Path]
    refused: ClassVar[int] = 0
    expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != self.expected:
            type(self).refused += 1
            self._answer(401, b"{}", "application/json")
        elif self.path == "/v2/":
            self._answer(200, b"{}", "application/json")
        elif "/manifests/" in self.path:
            data = (self.folder / "manifest.json").read_bytes()
            self._answer(200, data, json.loads(data).get("mediaType", _MANIFESTS))
        else:
            path = self.folder / self.path.rpartition("sha256:")[2]
            if path.is_file():
                self._answer(200, path.read_bytes(), "application/octet-stream")
            else:
                self._answer(404, b"{}", "application/json")

    do_HEAD = do_GET

    def _answer(self, code: int, data: bytes, kind: str) -> None:
        self.send_response(code)
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="images"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of requests."""


@contextmanager
def private_registry(image: str, folder: Path) -> Generator[str, None, None]:
    """A registry on this machine whose every image is `image`, one of podman's; its address."""
    save = ["podman", "save", "--quiet", "--format", "docker-dir", "--output", str(folder), image]
    subprocess.run(save, check=True, capture_output=True)
    handler = type("Handler", (_Handler,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
