"""Steps that call Onepanel's server, which is not here: its own metrics writer, done otherwise; others, told of.

It knows Onepanel's program and package by name. Source: onepanelio/templates, tasks/metrics-writer.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from argosy.checks.finding import Finding
from argosy.model.manifest import Artifact, Container, Template, WorkflowSpec

RULE = "onepanel-server"
_WRITER = "tasks/metrics-writer/main.py"
_FROM_FILE = "--from_file"
# The package, as programs name it, and the image that has it.
_SIGNS = ("onepanel.core.api", "onepanel/python-sdk")


def without_server(template: Template) -> Template:
    """The template; Onepanel's metrics writer prints the metrics instead of handing them to the server.

    The run has them from the step that left them. The repository with the program is not fetched.
    """
    container = template.container
    path = _writes(container)
    if container is None or not path:
        return template
    printing = replace(container, command=("cat",), args=(path,))
    inputs = template.inputs
    if inputs is not None:
        words = (*container.command, *container.args)
        inputs = replace(inputs, artifacts=tuple(one for one in inputs.artifacts if not _has_program(one, words)))
    return replace(template, container=printing, inputs=inputs)


def _writes(container: Container | None) -> str:
    """The file whose metrics the container hands to the server; "" when it does no such thing."""
    words = (*container.command, *container.args) if container is not None else ()
    if not any(word.endswith(_WRITER) for word in words):
        return ""
    for place, word in enumerate(words):
        name, equals, path = word.partition("=")
        if name == _FROM_FILE:
            return path if equals else "".join(words[place + 1 : place + 2])
    return ""


def _has_program(artifact: Artifact, words: tuple[str, ...]) -> bool:
    inside = f"{artifact.path.rstrip('/')}/"
    return artifact.git is not None and any(word.startswith(inside) and word.endswith(_WRITER) for word in words)


def findings_of(spec: WorkflowSpec) -> Iterator[Finding]:
    """What there is to say of steps that call the server."""
    for place, template in enumerate(spec.templates):
        kind = "container" if template.container is not None else "script"
        main = template.container or template.script
        if main is None:
            continue
        path = ("spec", "templates", place, kind)
        if _writes(template.container):
            message = f"{template.name} hands metrics to Onepanel's server: here it prints them, and the run has them"
            yield Finding(rule=RULE, severity="note", path=path, message=message)
        elif any(sign in msgspec.json.encode(main).decode() for sign in _SIGNS):
            message = f"{template.name} uses Onepanel's package, and no server of Onepanel is here"
            hint = "what a step leaves in /tmp/sys-metrics.json becomes metrics of the run without it"
            yield Finding(rule=RULE, severity="warning", path=path, message=message, hint=hint)
