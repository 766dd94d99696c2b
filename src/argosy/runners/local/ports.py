"""The ports that a template asks for in a container: which they are on this machine, and the variables that say so.

It knows the annotation and sockets. A container has each under the same number as this machine, where only loopback
leads to it, so what a step says of its own address holds outside as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from argosy.errors import InvalidFile
from argosy.model.host_templates import PORTS, annotation
from argosy.model.manifest import Template

HIGHEST = 65535
# Where a server in a container has to listen, as only then is it reached from outside of it.
LISTEN = "ARGOSY_LISTEN"
EVERYWHERE = "0.0.0.0"


def ports_of(template: Template) -> tuple[int, ...]:
    """The ports that the template's container is to have; free ones of this machine where it names none.

    Raises InvalidFile.
    """
    text = annotation(template, PORTS)
    if not text:
        return ()
    words = [one.strip() for one in text.split(",")]
    if not all(one.isascii() and one.isdigit() and len(one) < 6 and int(one) <= HIGHEST for one in words):
        raise InvalidFile(
            f"The annotation {PORTS} of template {template.name!r} is {text!r}.",
            hint="Write numbers of ports with commas between them, and 0 for any that is free.",
        )
    numbers = [int(one) for one in words]
    free = iter(_free(numbers.count(0)))
    return tuple(one or next(free) for one in numbers)


def _free(count: int) -> list[int]:
    import socket

    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def variables_of(ports: Sequence[int]) -> dict[str, str]:
    """What a step is told of its ports: PORT_0, PORT_1, ..., as dstack named them, and where to listen."""
    if not ports:
        return {}
    found = {f"{word}_{number}": str(port) for number, port in enumerate(ports) for word in ("PORT", "JOB_PORT")}
    return found | {LISTEN: EVERYWHERE}
