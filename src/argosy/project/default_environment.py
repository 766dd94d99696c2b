"""The variables that all steps of Onepanel's templates get: a ConfigMap, and a Secret for those that are to be hidden.

It knows where they are kept; that steps read them is the dialect's word. Source: Onepanel docs, environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.dialects.onepanel.injection import DEFAULT_ENVIRONMENT
from argosy.errors import NotFound, UsageError
from argosy.model.manifest import ConfigMap, ObjectMeta
from argosy.project.documents import apply
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.project.project import Project

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def set_variables(project: Project, given: Mapping[str, str], *, secret: bool) -> None:
    """Set variables beside those that are there. Raises UsageError for what is no name of a variable."""
    for name in given:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a variable", hint="letters, digits and _, no digit first")
    with project.journal.database.write():
        # A variable is in one of the two places only.
        _put(project, {**_plain(project), **given} if not secret else _without(_plain(project), given))
        hidden = _hidden(project)
        if secret:
            project.vault.set(DEFAULT_ENVIRONMENT, {name: value.encode() for name, value in given.items()})
        elif doomed := [name for name in given if name in hidden]:
            project.vault.delete(DEFAULT_ENVIRONMENT, doomed)


def variables_of(project: Project) -> dict[str, str | None]:
    """The variables by name, in order; None for a value that is not shown."""
    found: dict[str, str | None] = {**_plain(project), **dict.fromkeys(_hidden(project))}
    return dict(sorted(found.items()))


def delete_variables(project: Project, names: Iterable[str]) -> None:
    """Remove variables, all of them or none. Raises NotFound."""
    doomed = tuple(names)
    known = variables_of(project)
    for name in doomed:
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known) or 'none'}"
            raise NotFound(f"There is no variable {name!r}", hint=hint)
    hidden = _hidden(project)
    with project.journal.database.write():
        _put(project, _without(_plain(project), doomed))
        if secret := [name for name in doomed if name in hidden]:
            project.vault.delete(DEFAULT_ENVIRONMENT, secret)


def _put(project: Project, variables: Mapping[str, str]) -> None:
    if variables == _plain(project):
        return
    metadata = ObjectMeta(name=DEFAULT_ENVIRONMENT)
    apply(project, [ConfigMap(api_version="v1", kind="ConfigMap", metadata=metadata, data=dict(variables))])


def _plain(project: Project) -> dict[str, str]:
    try:
        found = project.catalog.get("ConfigMap", DEFAULT_ENVIRONMENT)
    except NotFound:
        return {}
    return dict(msgspec.json.decode(found.manifest, type=ConfigMap, strict=False).data)


def _hidden(project: Project) -> tuple[str, ...]:
    return next((one.keys for one in project.vault.list() if one.name == DEFAULT_ENVIRONMENT), ())


def _without(variables: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    doomed = set(names)
    return {name: value for name, value in variables.items() if name not in doomed}
