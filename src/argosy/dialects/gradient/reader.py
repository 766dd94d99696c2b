"""A document of a file to a `Spec`: every key known, every value of its type, or a problem at its place.

It knows the shape of a spec, not whether its references lead anywhere nor what its actions take.
"""

from __future__ import annotations

import re

import msgspec

from argosy.dialects.gradient.notes import Notes
from argosy.dialects.gradient.schema import (
    ABROAD,
    SECRET,
    TYPES,
    Data,
    DataPart,
    DatasetPart,
    DefaultsPart,
    Job,
    JobPart,
    Reference,
    ResourcesPart,
    Spec,
    StringPart,
)
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

EARLY = "gradient-early-form"
_TOP = ("jobs", "defaults", "inputs", "on", "context")
_JOB = ("uses", "with", "needs", "inputs", "outputs", "env", "resources")
_REFERENCE = re.compile(r"(?P<owner>[^${}\n]+)\.(?P<side>inputs|outputs)\.(?P<name>[^.\n${}][^\n${}]*)")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_WORKFLOW = "workflow"
_WORD = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_DATASET = re.compile(rf"(?:{_WORD}/)*{_WORD}(?::{_WORD})?")


def read_spec(node: Node, notes: Notes) -> Spec | None:
    """The spec that a document holds; None when nothing can be made of it."""
    if not isinstance(node, Mapping):
        notes.report(
            "field-type", f"expected a spec, found {described(node)}", node.place, hint="a spec has `jobs: {...}`"
        )
        return None
    return _Reader(notes).spec(node)


class _Reader:
    """Goes through one document."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.defaults = DefaultsPart()

    def spec(self, node: Mapping) -> Spec | None:
        notes = self.notes
        if "on" not in node.values:
            # As a writer of YAML 1.1 leaves it, or in another case.
            node.values = {
                "on" if key == "true" or key.lower() == "on" else key: value for key, value in node.values.items()
            }
        node = notes.only(node, _TOP, "a spec", ABROAD["spec"])
        given = notes.mapping(node.values.get("defaults"), "`defaults`")
        if given is not None:
            self.defaults = self._defaults(given)
        inputs = self._workflow_inputs(notes.mapping(node.values.get("inputs"), "`inputs`"))
        found = notes.mapping(node.values.get("jobs"), "`jobs`")
        if found is None or not found.values:
            if "jobs" not in node.values or isinstance(node.values["jobs"], Scalar | Mapping):
                place = node.key_place("jobs") if "jobs" in node.values else node.place
                notes.report("field-missing", "a spec needs `jobs`", place, hint="add `jobs: {NAME: {uses: ...}}`")
            return None
        jobs = {
            name: self._job(name, child, place)
            for (name, child), place in zip(found.values.items(), found.key_places, strict=True)
        }
        return Spec(
            jobs=jobs,
            inputs=inputs,
            branches=self._branches(node),
            event=self._event(node.values.get("context")),
            cluster_id=self.defaults.cluster_id,
        )

    def _defaults(self, node: Mapping) -> DefaultsPart:
        node = self.notes.only(node, _written(DefaultsPart), "defaults")
        self._resources(node)
        self._env(node)
        return self.notes.read(node, DefaultsPart) or DefaultsPart()

    def _resources(self, node: Mapping) -> None:
        """Check the keys of `resources`, and take those out that do not exist."""
        given = self.notes.mapping(node.values.get("resources"), "`resources`")
        if given is None:
            return
        registries = given.values.get("container-registries")
        if isinstance(registries, Scalar) and isinstance(registries.value, str):
            given.values["container-registries"] = Sequence([registries], registries.place)
        node.values["resources"] = self.notes.only(given, _written(ResourcesPart), "resources", _MACHINE)

    def _env(self, node: Mapping) -> None:
        given = self.notes.mapping(node.values.get("env"), "`env`")
        for child in given.values.values() if given is not None else ():
            self._no_expression(child)

    def _no_expression(self, node: Node) -> None:
        """A habit of GitHub Actions: `${{ secrets.X }}` means nothing here."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return
        found = _EXPRESSION.search(node.value)
        if found is None:
            return
        inside = found[0][3:-2].strip()
        hint = "references are bare: `secret:NAME`, `workflow.inputs.NAME`, `JOB.outputs.NAME`"
        if inside.startswith("secrets."):
            hint = f"write `secret:{inside.removeprefix('secrets.')}` as the whole value"
        message = f"`{found[0]}` is an expression of GitHub Actions, and stays as it is"
        self.notes.report("gradient-expression", message, node.place, severity="warning", hint=hint)

    # -- what starts a run

    def _branches(self, node: Mapping) -> tuple[str, ...] | None:
        notes = self.notes
        given = notes.mapping(node.values.get("on"), "`on`")
        if given is None:
            return None
        given = notes.only(given, ("github",), "`on`", ABROAD["on"])
        github = notes.mapping(given.values.get("github"), "`on.github`")
        if github is None:
            return None
        github = notes.only(github, ("branches",), "`on.github`", ABROAD["on"])
        branches = notes.mapping(github.values.get("branches"), "`on.github.branches`")
        if branches is None:
            return None
        branches = notes.only(branches, ("only",), "`on.github.branches`", ABROAD["branches"])
        only = branches.values.get("only")
        if isinstance(only, Sequence):
            return notes.read(only, tuple[str, ...]) or ()
        text = notes.read(only, str) if only is not None else None
        if not text or only is None:
            return None
        if "," not in text:
            return (text,)
        names = tuple(one.strip() for one in text.split(",") if one.strip())
        notes.report(
            EARLY,
            f"several branches are a list; this is read as {', '.join(names)}",
            only.place,
            severity="warning",
            hint=f"write `only: [{', '.join(names)}]`",
        )
        return names

    def _event(self, node: Node | None) -> dict[str, str]:
        """`context.event.github`, as the service writes it into a spec."""
        current: Node | None = node
        for word in ("context", "event", "github"):
            given = self.notes.mapping(current, f"`{word}`")
            if given is None:
                return {}
            if word == "github":
                return {
                    key: child.value
                    for key in ("url", "ref")
                    if isinstance(child := given.values.get(key), Scalar) and isinstance(child.value, str)
                }
            current = given.values.get("event" if word == "context" else "github")
        return {}

    # -- inputs and outputs

    def _workflow_inputs(self, node: Mapping | None) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for name, child, place in _entries(node):
            data = self._data(child, place, f"the input `{name}`")
            if data is not None and data.type == "volume":
                self.notes.report(
                    "gradient-type",
                    f"the input `{name}` of the workflow cannot be a volume: nothing is in one before a job makes it",
                    place,
                    hint="let a job give a volume as output, or take a dataset",
                )
            elif data is not None:
                found[name] = data
        return found

    def _data(self, node: Node, place: int, what: str, *, output: bool = False) -> Data | None:
        """`{type, with}`; None behind a problem."""
        notes = self.notes
        if not isinstance(node, Mapping):
            hint = "write `{type: dataset, with: {ref: NAME}}`, `{type: string}`" + (
                " or `{type: volume}`" if output else ""
            )
            notes.report("field-type", f"{what}: expected a mapping, found {described(node)}", node.place, hint=hint)
            return None
        part = notes.read(notes.only(node, _written(DataPart), what, _DATA), DataPart)
        if part is None:
            return None
        if part.type not in TYPES:
            near = did_you_mean(part.type, TYPES)
            hint = _OTHER_TYPES.get(part.type, "")
            hint = hint or (f"did you mean `{near}`?" if near else f"the types are {', '.join(TYPES)}")
            where = node.values["type"].place
            notes.report("gradient-type", f"{what}: there is no type `{part.type}`", where, hint=hint)
            return None
        below = notes.mapping(node.values.get("with"), f"`with` of {what}")
        if part.type == "dataset":
            return self._dataset(below, place, what, node, output)
        if below is not None and (output or part.type == "volume"):
            notes.only(below, (), f"`with` of {what}, a {part.type},")
            below = None
        if below is None:
            return Data(type=part.type, place=place)
        given = notes.read(notes.only(below, _written(StringPart), f"`with` of {what}", _STRING), StringPart)
        return Data(type="string", value=given.value if given is not None else None, place=place)

    def _dataset(self, below: Mapping | None, place: int, what: str, node: Mapping, output: bool) -> Data | None:
        notes = self.notes
        if below is None:
            if output:
                hint = "add `with: {ref: NAME}`"
                notes.report("field-missing", f"{what}: a dataset needs `with.ref`", node.place, hint=hint)
                return None
            return Data(type="dataset", place=place)
        part = notes.read(notes.only(below, _written(DatasetPart), f"`with` of {what}"), DatasetPart)
        if part is None:
            return None
        if "id" in below.values:
            message = "`id` is the early form of `ref`"
            notes.report(EARLY, message, below.key_place("id"), severity="warning", hint="write `ref`")
        ref = part.ref or part.id
        if not ref:
            notes.report("field-missing", f"{what}: a dataset needs `with.ref`", below.place, hint="add `ref: NAME`")
            return None
        where = below.values["ref" if part.ref else "id"].place
        version = ref.partition(":")[2]
        if output and version.isdigit():
            message = f"{what}: `{ref}` is a version, and versions never change"
            notes.report("gradient-reference", message, where, hint=f"write `{ref.partition(':')[0]}`")
        return Data(type="dataset", ref=self._spelled(ref, what, where), place=place)

    def _spelled(self, ref: str, what: str, place: int) -> str:
        """The reference as the catalog here spells names."""
        if _DATASET.fullmatch(ref):
            return ref
        parts = [re.sub(r"[^A-Za-z0-9._-]+", "-", one).strip("-.") for one in re.split(r"[/:]", ref)]
        marks = re.findall(r"[/:]", ref)
        shown = "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))
        if not _DATASET.fullmatch(shown):
            message = f"{what}: `{ref}` names no dataset"
            self.notes.report("gradient-reference", message, place, hint="write `[NAMESPACE/]NAME[:VERSION|:TAG]`")
            return ref
        self.notes.report(
            "gradient-name",
            f"{what}: the dataset `{ref}` is called `{shown}` here",
            place,
            severity="warning",
            why="names are of letters, digits, '.', '_' and '-'",
        )
        return shown

    # -- jobs

    def _job(self, name: str, node: Node, place: int) -> Job:
        notes = self.notes
        before = _errors(notes)
        if name in _JOB and not (isinstance(node, Mapping) and "uses" in node.values):
            hint = "indent it, so that it is below the job's name"
            notes.report("field-unknown", f"`{name}` stands where the name of a job belongs", place, hint=hint)
            return Job(name=name, place=place, whole=False)
        if not isinstance(node, Mapping):
            message = f"the job `{name}`: expected a mapping, found {described(node)}"
            notes.report("field-type", message, node.place, hint="a job has `uses`, `with`, `needs`, ...")
            return Job(name=name, place=place, whole=False)
        node = notes.only(node, _JOB, f"the job `{name}`", ABROAD["job"])
        self._resources(node)
        self._env(node)
        needs = self._needs(node)
        outputs = {
            key: data
            for key, child, where in self._files(node, "outputs")
            if (data := self._data(child, where, f"the output `{key}`", output=True)) is not None
        }
        inputs = {
            key: data
            for key, child, where in self._files(node, "inputs")
            if (data := self._input(key, child, where)) is not None
        }
        part = None
        if "uses" in node.values:
            part = notes.read(node, JobPart)
        else:
            hint = "add `uses: container@v1`, or another action"
            notes.report("field-missing", f"the job `{name}` has no `uses`", place, hint=hint)
        job = Job(name=name, place=place, needs=needs, inputs=inputs, outputs=outputs, whole=False)
        if part is None:
            return job
        made = self._with_part(job, part, node)
        return msgspec.structs.replace(made, whole=_errors(notes) == before)

    def _with_part(self, job: Job, part: JobPart, node: Mapping) -> Job:
        """The job with what its own values are, and the defaults below them."""
        with_ = self.notes.mapping(node.values.get("with"), f"`with` of the job `{job.name}`")
        own, usual = part.resources or ResourcesPart(), self.defaults.resources or ResourcesPart()
        resources = node.values.get("resources")
        machine = resources.values.get("instance-type") if isinstance(resources, Mapping) else None
        return msgspec.structs.replace(
            job,
            uses=part.uses,
            uses_place=node.values["uses"].place,
            with_=with_,
            with_place=node.key_place("with") if "with" in node.values else job.place,
            env={**self.defaults.env, **part.env},
            instance_type=own.instance_type or usual.instance_type,
            instance_place=machine.place if machine is not None else job.place,
            registries=own.container_registries or usual.container_registries,
        )

    def _files(self, node: Mapping, side: str) -> list[tuple[str, Node, int]]:
        """The inputs or outputs of a job whose names can be those of files."""
        found: list[tuple[str, Node, int]] = []
        for key, child, place in _entries(self.notes.mapping(node.values.get(side), f"`{side}`")):
            if key in ("", ".", "..") or "/" in key or "{{" in key:
                message = f"`{key}` cannot be the name of a file below /{side}"
                self.notes.report("gradient-name", message, place, hint="use letters, digits, '-', '_' and '.'")
            else:
                found.append((key, child, place))
        return found

    def _needs(self, node: Mapping) -> tuple[tuple[str, int], ...]:
        given = node.values.get("needs")
        if isinstance(given, Scalar) and isinstance(given.value, str):
            hint = f"write `needs: [{given.value}]`"
            self.notes.report(EARLY, "`needs` is a list of jobs", given.place, severity="warning", hint=hint)
            given = Sequence([given], given.place)
            node.values["needs"] = given
        if not isinstance(given, Sequence):
            return ()
        return tuple(
            (one.value, one.place) for one in given.items if isinstance(one, Scalar) and isinstance(one.value, str)
        )

    def _input(self, name: str, node: Node, place: int) -> Data | Reference | None:
        what = f"the input `{name}`"
        if not isinstance(node, Scalar):
            return self._data(node, place, what)
        text = node.value
        if not isinstance(text, str):
            hint = "write `workflow.inputs.NAME`, `JOB.outputs.NAME` or `{type: dataset, with: {ref: NAME}}`"
            self.notes.report(
                "field-type", f"{what}: expected a reference, found {described(node)}", node.place, hint=hint
            )
            return None
        found = _REFERENCE.fullmatch(text)
        if found is not None and (found["side"] == "outputs") == (found["owner"] != _WORKFLOW):
            owner = "" if found["owner"] == _WORKFLOW else found["owner"]
            return Reference(job=owner, name=found["name"], place=node.place)
        hint = "write `workflow.inputs.NAME` or `JOB.outputs.NAME`"
        if found is not None:
            side = "inputs" if found["owner"] == _WORKFLOW else "outputs"
            hint = f"write `{found['owner']}.{side}.{found['name']}`"
        elif text.startswith(SECRET):
            hint = f"a secret is given in `env`: `{name}: {text}`"
        elif _EXPRESSION.search(text):
            hint = "references are bare: `workflow.inputs.NAME` or `JOB.outputs.NAME`, without `${{ }}`"
        self.notes.report("gradient-reference", f"{what}: `{text}` is no reference", node.place, hint=hint)
        return None


_MACHINE = {"machine-type": "write `instance-type`", "instanceType": "write `instance-type`"}
_DATA = {**dict.fromkeys(("ref", "id"), "write it under `with`: `with: {ref: NAME}`"), "default": "write `with`"}
_STRING: dict[str, str] = {**dict.fromkeys(("ref", "id", "default"), "write `value`")}
_OTHER_TYPES = {
    "model": "a model is made by create-model@v1, from a dataset, and told by a string",
    "file": "files are handed on in a volume or a dataset",
    "number": "write `string`: jobs get the text",
    "boolean": "write `string`: jobs get the text",
    "secret": "secrets are given in `env`, as `secret:NAME`",
}


def _written(part: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(part))


def _entries(node: Mapping | None) -> list[tuple[str, Node, int]]:
    if node is None:
        return []
    return [(key, child, place) for (key, child), place in zip(node.values.items(), node.key_places, strict=True)]


def _errors(notes: Notes) -> int:
    return sum(one.severity == "error" for one in notes.found)
