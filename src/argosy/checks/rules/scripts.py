"""A rule beyond Argo's: parameters pasted into program text, where a value can become code.

It knows where program text stands, not what the program does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject
from argosy.expressions import tags
from argosy.model.manifest import ContainerFields

PARAMETER_IN_SCRIPT = Rule(
    id="parameter-in-script",
    severity="warning",
    meaning="A parameter is pasted into a script; a value with quotes or $(...) in it runs as code.",
    bad='script: {source: "echo {{inputs.parameters.message}}"}',
    fix='pass it as an environment variable and use "$NAME": env: [{name: NAME, value: "{{inputs.parameters.name}}"}]',
)
RULES = (PARAMETER_IN_SCRIPT,)

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "busybox"})
_INTERPRETERS = frozenset({"python", "python2", "python3", "perl", "ruby", "node"})
# How an expression ends that makes a value safe within the single quotes of a shell.
_QUOTED = r""", "'", "'\\''")"""
# The lines by which Hera reads a parameter into a variable: nobody has written them, and nobody can write others.
_OF_HERA = r"(?m)^try: (\w+) = json\.loads\(r'{3}(\{\{[^{}]*\}\})'{3}\)\nexcept: \1 = r'{3}\2'{3}$"
_PASTED = ("inputs.parameters.", "workflow.parameters.")


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """Each program text of one template, each parameter in it once."""
    for path, text in _programs(place):
        if "{{" not in text:
            continue
        pasted = [
            tag
            for tag in tags.references(re.sub(_OF_HERA, "", text))
            if not (tag.expression and tag.text.endswith(_QUOTED))
        ]
        names = [name for tag in pasted for name in tag.names if name.startswith(_PASTED)]
        for name in dict.fromkeys(names):
            short = name.rsplit(".", 1)[1]
            variable = "".join(c if c.isalnum() else "_" for c in short).upper()
            hint = f'set env {variable} to "{{{{{name}}}}}" and use "${variable}" in the script'
            if known := _variable_of(place, name):
                hint = f'use "${known}" in the script'
            message = f"{place.label}: parameter '{short}' is pasted into program text"
            why = "a value with quotes, ; or $(...) in it would run as code"
            report.add(PARAMETER_IN_SCRIPT, path, message, why=why, hint=hint)


def _variable_of(place: Place, name: str) -> str:
    """The variable of the environment that holds a parameter already, "" for none."""
    main = place.template.script or place.template.container
    group, _, short = name.rpartition(".")
    for one in main.env if main is not None else ():
        if one.value is not None and (f"{{{{{name}}}}}" == one.value or f"{group}['{short}']" in one.value):
            return one.name
    return ""


def _programs(place: Place) -> Iterator[tuple[Path, str]]:
    template = place.template
    if template.script is not None:
        yield (*place.path, "script", "source"), template.script.source
    for path, container in _containers(place):
        words = [(("command", i), word) for i, word in enumerate(container.command)]
        words += [(("args", i), word) for i, word in enumerate(container.args)]
        if not words:
            continue
        at = _program_at([word for _, word in words])
        if at is not None:
            key, text = words[at]
            yield (*path, *key), text


def _program_at(words: list[str]) -> int | None:
    """Which word is the program, in `sh -c program`, `bash -euc program` or `python -c program`."""
    program = words[0].rsplit("/", 1)[-1]
    if program not in _SHELLS and program not in _INTERPRETERS:
        return None
    for index, word in enumerate(words[:-1]):
        if index and word.startswith("-") and not word.startswith("--") and word[-1] in "ce":
            return index + 1
    return None


def _containers(place: Place) -> Iterator[tuple[Path, ContainerFields]]:
    template = place.template
    if template.container is not None:
        yield (*place.path, "container"), template.container
    if template.container_set is not None:
        for index, container in enumerate(template.container_set.containers):
            yield (*place.path, "containerSet", "containers", index), container
    for key, containers in (("initContainers", template.init_containers), ("sidecars", template.sidecars)):
        for index, container in enumerate(containers):
            yield (*place.path, key, index), container
