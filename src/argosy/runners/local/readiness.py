"""When a daemon is ready: its readiness probe answers, or it has none.

It knows probes, not processes. Source: Kubernetes' httpGet and tcpSocket probes; Argo docs: daemon-containers.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from argosy.model.manifest import Template

_PERIOD_SECONDS = 10.0
_TIMEOUT_SECONDS = 1.0


def wait_until_ready(template: Template, address: str, cancelled: Callable[[], bool]) -> str | None:
    """The address at which the daemon answers; None once nobody wants to know any more."""
    container = template.container or template.script
    probe = cast("Mapping[str, Any] | None", container.readiness_probe if container is not None else None)
    if not probe:
        return address
    pause = float(probe.get("periodSeconds") or _PERIOD_SECONDS)
    if not _sleep(float(probe.get("initialDelaySeconds") or 0), cancelled):
        return None
    while not _answers(probe, address):
        # A person waits for this: asking more often than the probe says does no harm here.
        if not _sleep(min(pause, 0.5), cancelled):
            return None
    return address


def _answers(probe: Mapping[str, Any], address: str) -> bool:
    timeout = float(probe.get("timeoutSeconds") or _TIMEOUT_SECONDS)
    if "httpGet" in probe:
        return _http(probe["httpGet"], address, timeout)
    if "tcpSocket" in probe:
        return _tcp(str(probe["tcpSocket"].get("host") or address), int(probe["tcpSocket"]["port"]), timeout)
    # An exec probe would have to run inside the step: such a daemon counts as ready once it runs.
    return True


def _tcp(host: str, port: int, timeout: float) -> bool:
    import socket  # only daemons with a probe need it

    try:
        socket.create_connection((host, port), timeout).close()
    except OSError:
        return False
    return True


def _http(get: Mapping[str, Any], address: str, timeout: float) -> bool:
    import http.client  # with ssl and email it takes as long as the rest of the loop's imports

    kind = http.client.HTTPSConnection if get.get("scheme") == "HTTPS" else http.client.HTTPConnection
    connection = kind(str(get.get("host") or address), int(get["port"]), timeout=timeout)
    try:
        connection.request("GET", str(get.get("path") or "/"))
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _sleep(seconds: float, cancelled: Callable[[], bool]) -> bool:
    """Wait; False as soon as it is not wanted any more."""
    until = time.monotonic() + seconds
    while True:
        if cancelled():
            return False
        left = until - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(0.1, left))
