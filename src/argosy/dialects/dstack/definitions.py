"""What a project's dstack files say: its workflows by name, its variables and its own providers, each with its place.

It knows which file is for what and what every key is; what a workflow becomes is `lowering`'s matter.
"""

from __future__ import annotations

from typing import Any

import msgspec

from argosy.dialects.dstack import schema
from argosy.dialects.dstack.canonical import Rewriting, renamed
from argosy.dialects.dstack.command_line import laid_over
from argosy.dialects.dstack.eras import era_of
from argosy.dialects.dstack.problems import Problems, with_letters
from argosy.dialects.dstack.providers import PROVIDERS, Provider, custom
from argosy.dialects.dstack.spelling import in_the_files_words, spelled
from argosy.dialects.dstack.variables import VARIABLES, Variables, check_owners, read_variables
from argosy.syntax.decode import decode
from argosy.syntax.decoders import Manner
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described
from argosy.syntax.parse import DEFAULT_LIMITS, last_counts, parse
from argosy.syntax.span import Source

_TOP = ("workflows", *VARIABLES, "providers")


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow of a file. keys: None when it could not be understood. index: its number in the file.

    raw: it as it stands in the file. extra: what only its custom provider knows.
    """

    name: str
    keys: schema.Keys | None
    provider: Provider | None
    commands: tuple[str, ...]
    image: str
    raw: Mapping
    file: DstackFile
    index: int
    problems: Problems
    extra: dict[str, str] = {}


class DstackFile(msgspec.Struct, kw_only=True):
    """One file, read. era: its dialect. definitions: in their order."""

    source: Source
    root: Node | None = None
    era: str = ""
    definitions: list[Definition] = []
    diagnostics: list[Diagnostic] = []


class OfOne(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of one workflow besides what its file says. keys: as a workflow has them."""

    workflow: str
    keys: dict[str, Any]


class Definitions(msgspec.Struct, kw_only=True):
    """All that a project defines. files: those with workflows, the first of a name wins."""

    files: list[DstackFile] = []
    workflows: dict[str, Definition] = {}
    variables: Variables = {}
    providers: dict[str, schema.CustomProvider] = {}
    diagnostics: list[Diagnostic] = []


def read_definitions(
    files: list[tuple[str, str | bytes]],
    *,
    repository: str = "",
    limits: Limits = DEFAULT_LIMITS,
    asked: OfOne | None = None,
) -> Definitions:
    """What these files say together. files: names and contents, in the order in which names win.

    repository: `user/repo` of the project, "" when it is not known. asked: what a person wants of one workflow.
    """
    parsed = [(parse(content, name, limits=limits), name) for name, content in files]
    found = Definitions()
    tops: list[tuple[DstackFile, Mapping]] = []
    for one, _ in parsed:
        file = DstackFile(
            source=one.source, diagnostics=[last_counts(found) for found in one.diagnostics], definitions=[]
        )
        found.files.append(file)
        root = one.documents[0] if one.documents else None
        if root is None or (isinstance(root, Scalar) and root.value is None):
            continue
        file.root = root = with_letters(root, one.source)
        problems = Problems(one.source)
        if isinstance(root, Mapping):
            tops.append((file, root))
            _check_top(root, problems)
            if any(word in root.values for word in VARIABLES):
                _add_variables(found, root, problems)
            if "providers" in root.values:
                found.providers.update(_providers(root.values["providers"], problems))
        else:
            problems.add("dstack-file", f"expected `workflows`, found {described(root)}", root.place)
        file.diagnostics += problems.found
    for file, root in tops:
        if "workflows" in root.values:
            _read_workflows(found, file, root.values["workflows"], repository, asked)
    for file, root in tops if found.workflows else ():
        problems = Problems(file.source)
        check_owners(root, found.workflows, problems)
        file.diagnostics += problems.found
    return found


def _check_top(root: Mapping, problems: Problems) -> None:
    for key in root.values:
        if key not in _TOP:
            near = did_you_mean(key, _TOP)
            hint = f"did you mean `{near}`?" if near else "a file has `workflows`, `variables` or `providers`"
            problems.add("field-unknown", f"a dstack file has no `{key}`", root.key_place(key), hint=hint)


def _add_variables(found: Definitions, root: Mapping, problems: Problems) -> None:
    for workflow, variables in read_variables(root, problems).items():
        found.variables[workflow] = found.variables.get(workflow, {}) | variables


def _providers(node: Node, problems: Problems) -> dict[str, schema.CustomProvider]:
    items = node.items if isinstance(node, Sequence) else [node]
    found: dict[str, schema.CustomProvider] = {}
    for one in items:
        if isinstance(one, Mapping):
            one = Rewriting(problems).provider(one)
        decoded = decode(one, schema.CustomProvider, problems.source, manner=Manner(words=schema.WORDS))
        problems.found += decoded.diagnostics
        if decoded.value is None:
            continue
        name = decoded.value.name
        if name in found:
            message = f"there is a provider {name} already, and that one is taken"
            problems.add("dstack-name-twice", message, one.place, severity="warning", hint="give it another name")
        found.setdefault(name, decoded.value)
    return found


def _read_workflows(found: Definitions, file: DstackFile, node: Node, repository: str, asked: OfOne | None) -> None:
    if isinstance(node, Scalar) and node.value is None:
        return
    problems = Problems(file.source)
    if not isinstance(node, Sequence):
        problems.add("field-type", f"`workflows`: expected a list, found {described(node)}", node.place, hint="- name:")
        file.diagnostics += problems.found
        return
    items = [(index, one) for index, one in enumerate(node.items) if isinstance(one, Mapping)]
    for one in node.items:
        if not isinstance(one, Mapping):
            problems.add("field-type", f"expected a workflow, found {described(one)}", one.place, hint="- name: train")
    file.era = era_of((one for _, one in items), variables=bool(found.variables))
    for index, one in items:
        definition = _definition(found, file, index, one, repository, asked)
        if definition is None:
            problems.add("field-missing", "this workflow lacks `name`", one.place, hint="add `name: ...`")
            continue
        first = found.workflows.setdefault(definition.name, definition)
        if first is not definition:
            where = first.file.source.span(first.raw.place)
            problems.add(
                "dstack-name-twice",
                f"there is a workflow {definition.name} at {where.file}:{where.line} already, and that one is taken",
                one.place,
                severity="warning",
                hint="give it another name",
            )
        file.definitions.append(definition)
    file.diagnostics += problems.found


def _definition(
    found: Definitions, file: DstackFile, index: int, raw: Mapping, repository: str, asked: OfOne | None
) -> Definition | None:
    problems = Problems(file.source)
    named = raw.values.get("name") or raw.values.get("id")
    name = problems.written(named) if isinstance(named, Scalar) and named.value is not None else ""
    if not name:
        return None
    rewriting = Rewriting(problems, repository=repository)
    node = rewriting.workflow(raw)
    if asked is not None and asked.workflow == name:
        node = laid_over(node, asked.keys, rewriting)
    given = node.values.get("provider")
    word = str(given.value) if isinstance(given, Scalar) else ""
    own = found.providers.get(word)
    provider = custom(own) if own is not None else PROVIDERS.get(word)
    keys: schema.Keys | None = None
    extra: dict[str, str] = {}
    if provider is None:
        if given is not None:
            known = (*PROVIDERS, *found.providers)
            near = did_you_mean(word, known)
            hint = f"did you mean {near}?" if near else f"the providers are {', '.join(known)}"
            problems.add("dstack-provider", f"there is no provider {word!r}", given.place, hint=hint)
    else:
        if own is not None:
            node, extra = _without_extra(node, raw)
        decoded = decode(_allowed(node, provider), provider.keys, file.source, manner=Manner(words=schema.WORDS))
        problems.found += in_the_files_words(decoded.diagnostics, raw, spelled(provider.keys))
        keys = decoded.value
    if own is not None and keys is not None:
        # What every workflow of the provider leaves.
        keys = msgspec.structs.replace(keys, artifacts=(*own.artifacts, *keys.artifacts))
    for one in keys.params if keys is not None else ():
        extra[one.name or one.id] = one.default
    commands = own.commands if own is not None else getattr(keys, "commands", ())
    image = own.image if own is not None else getattr(keys, "image", "")
    return Definition(
        name=name,
        keys=keys,
        provider=provider,
        commands=commands,
        image=image,
        raw=raw,
        file=file,
        index=index,
        problems=problems,
        extra=extra,
    )


def _allowed(node: Mapping, provider: Provider) -> Mapping:
    """`nodes` among the resources is only told of where a provider knows it."""
    if "nodes" not in node.values or "nodes" in {one.name for one in msgspec.structs.fields(provider.keys)}:
        return node
    if isinstance(node.values["nodes"], Scalar) and str(node.values["nodes"].value) == "1":
        return _without(node, {"nodes"})
    return node


def _without_extra(node: Mapping, raw: Mapping) -> tuple[Mapping, dict[str, str]]:
    """A workflow of a custom provider, and what only that provider knows: variables for its commands."""
    known = {one.name for one in msgspec.structs.fields(schema.Keys)}
    extra = {
        key: str(value.value)
        for key, value in raw.values.items()
        # By the name that its commands know it by.
        if renamed(key) not in known and isinstance(value, Scalar) and value.value is not None
    }
    return _without(node, {key for key in node.values if key not in known}), extra


def _without(node: Mapping, keys: set[str]) -> Mapping:
    kept = [(key, node.values[key], place) for key, place in zip(node.values, node.key_places, strict=True)]
    kept = [one for one in kept if one[0] not in keys]
    return Mapping({key: value for key, value, _ in kept}, [place for _, _, place in kept], node.place)
