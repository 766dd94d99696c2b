"""What a job gives to its action: each value of `with` checked, and in the form in which templates use it.

It knows the types of fields, not templates.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping as ReadOnly

import msgspec

from argosy.dialects.gradient.actions import Action, Field
from argosy.dialects.gradient.notes import Notes
from argosy.dialects.gradient.schema import ABROAD, EVENT, FOLDERS, SECRET, Job
from argosy.model.manifest import KeySelector
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

# The key of a secret that was set without one.
SECRET_KEY = "value"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_CATALOG_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_S3 = re.compile(r"s3://(?P<bucket>[^/]+)/?(?P<key>.*)")
_SECRET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Tag(msgspec.Struct, frozen=True):
    """A text that is a tag of a manifest, and not a person's words."""

    text: str


# A list is that of a command or of arguments; a mapping holds parts, as `.bucket`.
Value = str | Tag | KeySelector | tuple[str, ...]
Values = dict[str, Value]


def event_parameter(word: str) -> str:
    """The parameter of a workflow that stands for `context.event.github.WORD`."""
    return f"context-event-github-{word}"


def secret_of(text: str) -> KeySelector | None:
    """The secret that a whole text names as `secret:NAME`."""
    name = text.removeprefix(SECRET).strip()
    if not text.startswith(SECRET) or not name:
        return None
    return KeySelector(name=name, key=SECRET_KEY)


def given_values(job: Job, action: Action, notes: Notes) -> Values:
    """The values of `with`, by name and for parts by NAME.PART. What is wrong is noted."""
    return _Given(job, action, notes).values()


class _Given:
    """One job's `with`."""

    def __init__(self, job: Job, action: Action, notes: Notes) -> None:
        self.job, self.action, self.notes = job, action, notes
        self.found: Values = {}

    def values(self) -> Values:
        given = self.job.with_ or Mapping({}, [], self.job.with_place)
        fields = self.action.with_
        label = f"`with` of the job `{self.job.name}` ({self.job.uses})"
        abroad = {word: hint for word, hint in ABROAD["with"].items() if _belongs(word, fields)}
        given = self.notes.only(given, fields, label, abroad)
        for name, field in fields.items():
            node = given.values.get(name)
            if node is not None and not (isinstance(node, Scalar) and node.value is None):
                self._take(name, field, node)
            elif (usual := self._usual(field)) is not None:
                self._text(name, field, usual, self.job.with_place)
            elif field.type == "output-path":
                self._own_folder(name, field)
            elif field.required:
                message = f'"{self._path(name)}" is required by {self.job.uses}'
                self.notes.report("field-missing", message, self.job.with_place, hint=f"add `{name}: ...` under `with`")
        return self.found

    def _usual(self, field: Field) -> str | None:
        return self.job.env.get(field.from_env) if field.from_env in self.job.env else field.default

    def _path(self, name: str) -> str:
        return f"spec.jobs.{self.job.name}.with.{name}"

    def _take(self, name: str, field: Field, node: Node) -> None:
        if field.type in ("strings", "command") and isinstance(node, Sequence):
            self._list(name, node)
        elif isinstance(node, Scalar) and isinstance(node.value, str) and field.type != "strings":
            self._text(name, field, node.value, node.place)
        elif field.type == "strings":
            hint = "start each item with `- `"
            self.notes.report("gradient-with", f'"{self._path(name)}" must be a list of strings', node.place, hint=hint)
        else:
            self._no_string(self._path(name), node)

    def _no_string(self, path: str, node: Node) -> None:
        hint = ""
        if isinstance(node, Scalar) and node.value is not None:
            hint = f'put it in quotes: "{self.notes.source.written(node.place)}"'
        elif isinstance(node, Sequence):
            hint = "write it as one text: `|-` begins one of several lines"
        message = f'"{path}" must be a string'
        self.notes.report("gradient-with", message, node.place, why=f"it is {described(node)}", hint=hint)

    def _list(self, name: str, node: Sequence) -> None:
        words: list[str] = []
        for index, item in enumerate(node.items):
            if isinstance(item, Scalar) and isinstance(item.value, str):
                self._no_secret(f"{self._path(name)}[{index}]", item.value, item.place)
                words.append(item.value)
            else:
                self._no_string(f"{self._path(name)}[{index}]", item)
        self.found[name] = tuple(words)

    def _no_secret(self, path: str, text: str, place: int) -> None:
        if secret_of(text) is not None and _SECRET_NAME.fullmatch(text.removeprefix(SECRET)):
            message = f'"{path}" cannot be a secret'
            self.notes.report(
                "gradient-secret", message, place, hint="give it to the job in `env`, and use the variable"
            )

    def _text(self, name: str, field: Field, text: str, place: int) -> None:
        path = self._path(name)
        if field.env:
            text = self._with_variables(path, text, place)
        if text.startswith(EVENT):
            self._event(name, path, text, place)
            return
        if field.type not in ("secret", "string-or-secret"):
            self._no_secret(path, text, place)
        match field.type:
            case "secret" | "string-or-secret":
                self._secret(name, field, text, place)
            case "command":
                self._command(name, path, text, place)
            case "choice":
                self._choice(name, field, path, text, place)
            case "name":
                self._name(name, path, text, place)
            case "s3-url":
                self._s3(name, path, text, place)
            case "git-url":
                self._git_url(name, path, text, place)
            case "output-path":
                self._folder(name, path, text, place)
            case _:
                self.found[name] = text

    def _with_variables(self, path: str, text: str, place: int) -> str:
        """`$NAME` and `${NAME}` as the job's env has them; a secret can be the whole value only."""
        env = self.job.env

        def value(match: re.Match[str]) -> str:
            found = env.get(match[1] or match[2])
            if found is None:
                return match[0]
            if secret_of(found) is not None and match[0] != text:
                self.notes.report(
                    "gradient-secret", f'"{path}": {match[0]} is a secret, and only part of a text', place
                )
            return found

        return _VARIABLE.sub(value, text) if "$" in text else text

    def _event(self, name: str, path: str, text: str, place: int) -> None:
        word = text.removeprefix(EVENT)
        if word not in ("url", "ref"):
            near = did_you_mean(word, ("url", "ref"))
            hint = f"did you mean `{EVENT}{near}`?" if near else f"there are {EVENT}url and {EVENT}ref"
            self.notes.report("gradient-reference", f'"{path}": an event has no `{word}`', place, hint=hint)
            return
        self.found[name] = Tag(f"{{{{workflow.parameters.{event_parameter(word)}}}}}")

    def _secret(self, name: str, field: Field, text: str, place: int) -> None:
        secret = secret_of(text)
        if secret is not None:
            self.found[name] = self.found[f"{name}.secret"] = secret
        elif field.type == "string-or-secret":
            self.found[name] = self.found[f"{name}.text"] = text
        else:
            message = f'"{self._path(name)}" has to be a secret'
            hint = "write `secret:NAME`, and set it with argosy secrets set NAME --from-stdin"
            self.notes.report("gradient-secret", message, place, why="a spec is read by everybody", hint=hint)

    def _command(self, name: str, path: str, text: str, place: int) -> None:
        try:
            words = tuple(shlex.split(text))
        except ValueError as problem:
            self.notes.report("gradient-with", f'"{path}" cannot be split into words: {problem}', place)
            return
        self.found[name] = words

    def _choice(self, name: str, field: Field, path: str, text: str, place: int) -> None:
        same = next((one for one in field.choices if one.lower() == text.lower()), None)
        if same is not None:
            self.found[name] = same
            return
        near = did_you_mean(text, field.choices)
        hint = f"did you mean `{near}`?" if near else ""
        message = f'"{path}" must be one of {", ".join(field.choices)}, not {text}'
        self.notes.report("gradient-with", message, place, hint=hint)

    def _name(self, name: str, path: str, text: str, place: int) -> None:
        if _CATALOG_NAME.fullmatch(text):
            self.found[name] = text
            return
        shown = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "model"
        self.notes.report(
            "gradient-name",
            f'"{path}": `{text}` is called `{shown}` here',
            place,
            severity="warning",
            why="names are of letters, digits, '.', '_' and '-'",
        )
        self.found[name] = shown

    def _s3(self, name: str, path: str, text: str, place: int) -> None:
        found = _S3.fullmatch(text)
        if found is None:
            self.notes.report("gradient-with", f'"{path}" must be s3://BUCKET/KEY, not {text}', place)
            return
        self.found |= {name: text, f"{name}.bucket": found["bucket"], f"{name}.key": found["key"]}

    def _git_url(self, name: str, path: str, text: str, place: int) -> None:
        if not text.strip():
            hint = "give the address of a repository, or leave `url` out and run with --event push"
            self.notes.report("gradient-with", f'"{path}": Github url is invalid.', place, hint=hint)
            return
        self.found[name] = text

    # -- folders of outputs

    def _own_folder(self, name: str, field: Field) -> None:
        """The job's one folder among its outputs."""
        folders = [key for key, one in self.job.outputs.items() if one.type in FOLDERS]
        if len(folders) == 1:
            self.found[name] = f"/outputs/{folders[0]}"
        elif field.required and folders:
            message = f"the job `{self.job.name}` has {len(folders)} outputs: say in which one its files are to be"
            hint = f"add `path: /outputs/{folders[0]}` under `with`"
            self.notes.report("gradient-with", message, self.job.with_place, hint=hint)
        elif field.required:
            message = f"the job `{self.job.name}` needs an output for its files"
            hint = "add `outputs: {NAME: {type: volume}}`"
            self.notes.report("gradient-with", message, self.job.place, hint=hint)

    def _folder(self, name: str, path: str, text: str, place: int) -> None:
        parts = [part for part in text.split("/") if part]
        folders = [key for key, one in self.job.outputs.items() if one.type in FOLDERS]
        if parts[:1] == ["outputs"] and len(parts) > 1 and parts[1] in folders and ".." not in parts:
            self.found[name] = "/" + "/".join(parts)
            return
        near = did_you_mean(parts[1], folders) if len(parts) > 1 else None
        hint = f"did you mean `/outputs/{near}`?" if near else f"the outputs are {', '.join(folders) or 'none'}"
        message = f'"{path}": No such file or directory: {text} is in no output of the job'
        self.notes.report("gradient-with", message, place, hint=hint)


def _belongs(word: str, fields: ReadOnly[str, Field]) -> bool:
    """Whether a hint makes sense for an action with these fields."""
    meant = {"branch": "ref", "run": "script", "token": "password", "fetch-depth": "url"}.get(word)
    return meant is None or meant in fields
