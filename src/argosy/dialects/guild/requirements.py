"""What an operation requires, as input artifacts and as what its program does with them.

It knows Guild's resources and sources. Which run an operation means is found when a run is made: the artifact says
what is looked for.
"""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import urlsplit

import msgspec

from argosy.dialects.guild.configs import read_config
from argosy.dialects.guild.flags import OperationFlags, parameter_name
from argosy.dialects.guild.operations import Found
from argosy.dialects.guild.references import references, with_tags
from argosy.dialects.guild.schema import SOURCES, Resource, Source
from argosy.dialects.guild.surroundings import Surroundings
from argosy.dialects.guild.trees import Findings
from argosy.model.inputs import Input
from argosy.model.manifest import ArchiveStrategy, Artifact, NamedData, Parameter
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.span import Span

HELD = ".guild/inputs"
OPERATION, PATH = "operation", "path"


class Required(msgspec.Struct, frozen=True, kw_only=True):
    """One operation's requirements. choices: the parameters by which another run or file is chosen.

    sources: for the program. operations: the artifact that takes a run's files, and the operations that may have made
    them.
    """

    artifacts: tuple[Artifact, ...] = ()
    sources: tuple[dict[str, Any], ...] = ()
    choices: tuple[Input, ...] = ()
    operations: tuple[tuple[str, str], ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(name=one.name, value=one.default) for one in self.choices)


def required_of(found: Found, flags: OperationFlags, surroundings: Surroundings, findings: Findings) -> Required:
    """The requirements of an operation; what is wrong with them is in the findings."""
    return _Requirements(found, flags, surroundings, findings).all()


class _Requirements:
    def __init__(self, found: Found, flags: OperationFlags, surroundings: Surroundings, findings: Findings) -> None:
        self.found = found
        self.flags = flags
        self.surroundings = surroundings
        self.findings = findings
        self.artifacts: list[Artifact] = []
        self.sources: list[dict[str, Any]] = []
        self.choices: dict[str, Input] = {}
        self.operations: list[tuple[str, str]] = []

    def all(self) -> Required:
        operation = self.found.operation
        assert operation is not None
        for index, resource in enumerate(operation.requires):
            span = self.found.places.span(("requires", index))
            whole = self._named(resource, span)
            for source in whole.sources if whole is not None else ():
                if whole is not None:
                    self._source(source, whole, span)
        if operation.flags_dest.startswith("config:"):
            self._flags_config(operation.flags_dest.partition(":")[2])
        return Required(
            artifacts=tuple(self.artifacts),
            sources=tuple(self.sources),
            choices=tuple(self.choices.values()),
            operations=tuple(self.operations),
        )

    def _named(self, resource: Resource, span: Span) -> Resource | None:
        if not resource.resource:
            return resource
        if resource.resource in self.found.resources:
            return self.found.resources[resource.resource]
        near = did_you_mean(resource.resource, self.found.resources)
        hint = (
            f"did you mean `{near}`?" if near else f"another operation is required as `operation: {resource.resource}`"
        )
        self.findings.at("guild-resource", f"there is no resource `{resource.resource}`", span, hint=hint)
        return None

    def _source(self, source: Source, resource: Resource, span: Span) -> None:
        kinds = [kind for kind in SOURCES if getattr(source, kind)]
        if len(kinds) != 1:
            some = " and ".join(kinds)
            said = f"it has {some}" if kinds else f"it has none of {', '.join(SOURCES)}"
            self.findings.at("guild-source", f"a source is of one kind: {said}", span, hint="make a source of each")
            return
        kind = kinds[0]
        uri: str = getattr(source, kind)
        told = self._told(kind, uri, source, resource)
        if kind == "config":
            told |= {"content": self._config(uri, span), "params": source.params}
        elif kind != "module":
            told["folder"] = str(len(self.artifacts))
            self.artifacts.append(self._artifact(kind, uri, source, span))
        self.sources.append(told)

    def _told(self, kind: str, uri: str, source: Source, resource: Resource) -> dict[str, Any]:
        target = source.target_path or source.path or resource.target_path or resource.path
        preserve = source.preserve_path if source.preserve_path is not None else resource.preserve_path
        name = posixpath.basename((urlsplit(uri).path if kind == "url" else uri).rstrip("/")) or "file"
        told: dict[str, Any] = {"kind": kind, "uri": uri, "name": name, "target": target}
        unpack = source.unpack if source.unpack is not None else resource.default_unpack
        select = [*source.select, *(one for one in (source.select_min, source.select_max) if one)]
        more: dict[str, Any] = {
            "link": (source.target_type or resource.target_type) == "link",
            "select": select,
            "select_number": "min" if source.select_min else "max" if source.select_max else "",
            "rename": [[one.pattern, one.repl] for one in source.rename],
            "preserve_path": bool(preserve),
            "replace_existing": source.replace_existing,
            "optional": source.optional,
            "sha256": source.sha256,
            "type": source.type,
            "fail_if_empty": source.fail_if_empty,
            "post_process": source.post_process,
            "help": source.help,
        }
        told |= {key: value for key, value in more.items() if value}
        return told | ({} if unpack else {"unpack": False}) | ({} if source.warn_if_empty else {"warn_if_empty": False})

    def _artifact(self, kind: str, uri: str, source: Source, span: Span) -> Artifact:
        number = len(self.artifacts)
        artifact = Artifact(name=f"requires-{number}", path=f"{HELD}/{number}", optional=source.optional)
        if kind == "url":
            return msgspec.structs.replace(
                artifact,
                http={"url": with_tags(uri, self.flags, "inputs.parameters")},
                archive=ArchiveStrategy(none={}),
            )
        ref = self._ref(kind, uri, source)
        if kind == "operation":
            self.operations.append((artifact.name, uri))
            return msgspec.structs.replace(artifact, named=NamedData(kind=OPERATION, ref=ref, artifact=uri))
        path = posixpath.normpath(posixpath.join(self.surroundings.root, uri))
        known = self.surroundings.folder and not references(uri)
        if known and not self.surroundings.kind(uri) and not source.optional:
            message = f"cannot find source file {uri!r}"
            self.findings.at("guild-source", message, span, severity="warning", hint="it has to be there for a run")
        return msgspec.structs.replace(artifact, named=NamedData(kind=PATH, ref=ref, artifact=path))

    def _ref(self, kind: str, uri: str, source: Source) -> str:
        """Which run or file is taken: what the flag of the source says, or flags that stand in its name."""
        name = source.flag_name or source.name or f"{kind}:{uri}"
        if references(uri):
            text = uri if kind == OPERATION else posixpath.join(self.surroundings.root, uri)
            return with_tags(text, self.flags, "workflow.parameters")
        parameter = self.flags.names.get(name) or self._choice(kind, uri, source, name)
        return f"{{{{workflow.parameters.{parameter}}}}}"

    def _choice(self, kind: str, uri: str, source: Source, name: str) -> str:
        """The parameter by which a person chooses another run or file than the one that is found."""
        parameter = parameter_name(name)
        self.choices[parameter] = Input(
            name=parameter,
            default="",
            hint=f"the run of {uri} to take; the marked or latest one if empty"
            if kind == OPERATION
            else f"in place of {uri}",
            visibility="protected",
            display_name=name if name != parameter else "",
            aliases=(name,) if name != parameter else (),
            path=("requires",),
        )
        return parameter

    def _config(self, path: str, span: Span) -> dict[str, Any] | None:
        text = self.surroundings.read(path)
        content = read_config(text, path) if text is not None else None
        if content is None:
            what = f"cannot find the config {path!r}" if text is None else f"the config {path!r} holds no mapping"
            hint = "it has to be there for a run, in YAML, JSON or INI"
            self.findings.at("guild-config", what, span, severity="warning", hint=hint)
        return content

    def _flags_config(self, path: str) -> None:
        span = self.found.places.span(("flags-dest",))
        content = self._config(path, span)
        told = {"kind": "config", "uri": path, "name": path, "target": "", "content": content, "dest": True}
        self.sources.append(told)
