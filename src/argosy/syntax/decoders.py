"""One function for each type of the model, made when first asked for: node in, value out, problems noted.

It knows msgspec's structs and the annotations that `argosy.model.manifest` uses, not a single field by name.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable
from collections.abc import Mapping as ReadOnly
from typing import Any

import msgspec

from argosy.syntax.diagnostics import Diagnostic, Severity, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described, plain
from argosy.syntax.scalars import EXACT, as_text
from argosy.syntax.span import Source
from argosy.syntax.tree import shortened


class Older(msgspec.Struct, frozen=True, kw_only=True):
    """A spelling that Argo no longer reads. field: the one that replaced it. in_list: the new one takes a list."""

    field: str
    in_list: bool = False


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect reads. Keys are (struct's name, field as written).

    strict: a field that does not exist is an error; otherwise it is a warning, and case does not matter. The same holds
    for a number or a boolean in place of a string.
    older: fields that were replaced, read with a warning. absent: what a required field is when it is not there.
    words: what a struct is called in a message, by its name; others are called by their names in words.
    problems: how many are reported before decoding stops.
    """

    strict: bool = True
    older: ReadOnly[tuple[str, str], Older] = {}
    absent: ReadOnly[tuple[str, str], object] = {}
    words: ReadOnly[str, str] = {}
    problems: int = 50


class Stopped(Exception):
    """Enough problems are known."""


class Context:
    """What the decoders of one document share: the source, and the problems found so far."""

    __slots__ = ("diagnostics", "field", "manner", "source")

    def __init__(self, source: Source, manner: Manner) -> None:
        self.source = source
        self.manner = manner
        self.diagnostics: list[Diagnostic] = []
        # The field whose value is being decoded, for messages.
        self.field = ""

    def called(self, struct: type) -> str:
        """What a struct is called, with its article."""
        return self.manner.words.get(struct.__name__) or in_words(struct.__name__)

    def report(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        """Note a problem. Raises Stopped when it is one too many."""
        span = self.source.first_line(self.source.span(place))
        self.diagnostics.append(
            Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint)
        )
        if len(self.diagnostics) >= self.manner.problems:
            raise Stopped

    def wrong(self, node: Node, expected: str, hint: str = "", why: str = "") -> None:
        """Note that a node is not of the type that its field has; its value is then of no interest."""
        message = f"{self.named()}expected {expected}, found {described(node)}"
        self.report("field-type", message, node.place, why=why, hint=hint)

    def named(self) -> str:
        """The beginning of a message: the field, where one is being decoded."""
        return f"`{self.field}`: " if self.field else ""


Decoder = Callable[[Node, Context], Any]
# What a decoder gives back behind a problem; the value as a whole is then thrown away.
_NOTHING: Any = None


def _any_string(node: Node, context: Context) -> Any:
    if not isinstance(node, Scalar):
        hint = "a whole list or mapping can be given as JSON text in quotes"
        return context.wrong(node, "a string, a number or a boolean", hint)
    value = node.value
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not -EXACT <= value <= EXACT:
        context.report(
            "number-digits",
            f"`{shortened(str(value))}` is read as {shortened(as_text(value))}",
            node.place,
            severity="warning",
            why="Argo keeps such a number as a 64-bit float, which holds about 16 digits",
            hint="put it in quotes to keep every digit",
        )
    return as_text(value)


def _string(node: Node, context: Context) -> Any:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            return node.value
        if node.value is None:
            return ""
        shown = shortened(context.source.written(node.place))
        if not context.manner.strict:
            text = as_text(node.value)
            context.report(
                "field-type",
                f"{context.named()}{described(node)} is read as the string {shortened(text)!r}",
                node.place,
                severity="warning",
                why="Argo's command line and Kubernetes refuse it; Argo's own library reads it so",
                hint=f'put it in quotes: "{shown}"',
            )
            return text
        why = "YAML reads this word as a boolean" if isinstance(node.value, bool) and shown not in _BOOLEANS else ""
        return context.wrong(node, "a string", f'put it in quotes: "{shown}"', why)
    return context.wrong(node, "a string")


def _bool(node: Node, context: Context) -> Any:
    if isinstance(node, Scalar) and (isinstance(node.value, bool) or node.value is None):
        return bool(node.value)
    hint = ""
    if isinstance(node, Scalar) and node.value in _BOOLEANS:
        hint = f"write {node.value} without quotes"
    return context.wrong(node, "true or false", hint)


def _int(node: Node, context: Context) -> Any:
    value = node.value if isinstance(node, Scalar) else ""
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        if -(1 << 63) <= value < 1 << 63:
            return value
        return context.report("field-type", "this number does not fit 64 bits", node.place)
    hint = ""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        hint = f"write {shortened(value)} without quotes"
    elif isinstance(value, str) and "{{" in value:
        hint = "this field takes no `{{...}}` tag; write the number"
    return context.wrong(node, "a whole number", hint)


def _float(node: Node, context: Context) -> Any:
    value = node.value if isinstance(node, Scalar) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return context.report("field-type", "this number does not fit a 64-bit float", node.place)
    return context.wrong(node, "a number")


def _int_or_string(node: Node, context: Context) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return _int(node, context)
    return context.wrong(node, "a whole number or a string")


def _opaque(node: Node, context: Context) -> Any:
    return plain(node)


_SIMPLE: dict[Any, Decoder] = {
    str: _string,
    bool: _bool,
    int: _int,
    float: _float,
    Any: _opaque,
}
_BOOLEANS = ("true", "false")
_BLANK_FOR_NULL = (_string, _any_string)
_decoders: dict[Any, Decoder] = {}


def decoder_of(wanted: Any) -> Decoder:
    """The decoder of a type. Raises TypeError for a type that no manifest has."""
    made = _decoders.get(wanted)
    if made is None:
        made = _decoders[wanted] = _make(wanted)
    return made


def _make(wanted: Any) -> Decoder:
    origin = typing.get_origin(wanted)
    arguments = typing.get_args(wanted)
    if origin is typing.Annotated:
        return _any_string
    if wanted in _SIMPLE:
        return _SIMPLE[wanted]
    if origin is tuple:
        return _tuple(arguments[0])
    if origin is dict:
        return _dict(arguments[1])
    if origin in (types.UnionType, typing.Union):
        options = tuple(option for option in arguments if option is not types.NoneType)
        if set(options) == {int, str}:
            return _int_or_string
        if len(options) == 1:
            return decoder_of(options[0])
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return _Struct(wanted).decode
    raise TypeError(f"no manifest has a field of type {wanted}")


def _tuple(item: Any) -> Decoder:
    decode_item = decoder_of(item)
    nested = typing.get_origin(item) is tuple
    takes_null = decode_item in _BLANK_FOR_NULL or decode_item is _opaque

    def decode(node: Node, context: Context) -> Any:
        if not isinstance(node, Sequence):
            hint = "start each item with `- `" if isinstance(node, Mapping) else "write `- ` before it"
            return context.wrong(node, "a list", hint)
        values: list[Any] = []
        name = context.field
        for child in node.items:
            context.field = name
            if nested and isinstance(child, Mapping):
                context.wrong(child, "a list", _PARALLEL)
            elif not takes_null and isinstance(child, Scalar) and child.value is None:
                context.report("field-type", "this item of the list is empty", child.place, hint="remove it")
            else:
                values.append(decode_item(child, context))
        return tuple(values)

    return decode


_PARALLEL = "steps are a list of lists, whose inner ones run at the same time: write `- - name: ...`"


def _dict(value: Any) -> Decoder:
    decode_value = decoder_of(value)

    def decode(node: Node, context: Context) -> Any:
        if not isinstance(node, Mapping):
            return context.wrong(node, "a mapping", "write `key: value`")
        return {key: decode_value(child, context) for key, child in node.values.items()}

    return decode


class _Field:
    """A field as it is written in a file; its decoder is made when the field is first met."""

    __slots__ = ("_decoder", "name", "required", "type", "written")

    def __init__(self, given: msgspec.structs.FieldInfo) -> None:
        self.name = given.name
        self.written = given.encode_name
        self.type = given.type
        self.required = given.required
        self._decoder: Decoder | None = None

    def decode(self, node: Node, context: Context) -> Any:
        if self._decoder is None:
            self._decoder = decoder_of(self.type)
        return self._decoder(node, context)


class _Struct:
    """Decodes one struct type."""

    def __init__(self, type: type[msgspec.Struct]) -> None:
        self.type = type
        self.fields = {given.encode_name: _Field(given) for given in msgspec.structs.fields(type)}
        self.required = tuple(field for field in self.fields.values() if field.required)

    def decode(self, node: Node, context: Context) -> Any:
        if not isinstance(node, Mapping):
            return context.wrong(node, f"a mapping ({context.called(self.type)})")
        fields = self.fields
        found: dict[str, Any] = {}
        for key, child in node.values.items():
            field = fields.get(key)
            if field is None:
                field, child = self._unfamiliar(key, node, child, context)
            if field is not None and (not isinstance(child, Scalar) or child.value is not None):
                context.field = key
                found[field.name] = field.decode(child, context)
        for field in self.required:
            if field.name not in found:
                found[field.name] = self._missing(field, node, context)
        return self.type(**found)

    def _missing(self, field: _Field, node: Mapping, context: Context) -> Any:
        """What stands for a required field that is not there; else a problem."""
        key = (self.type.__name__, field.written)
        if key in context.manner.absent:
            return context.manner.absent[key]
        what = context.called(self.type)
        if field.written in node.values:
            place, message = node.key_place(field.written), f"`{field.written}` of {what} is empty"
        else:
            place, message = node.place, f"{what} lacks `{field.written}`"
        return context.report("field-missing", message, place, hint=f"add `{field.written}: ...`")

    def _unfamiliar(self, key: str, node: Mapping, child: Node, context: Context) -> tuple[_Field | None, Node]:
        """A key that is no field: the field that it used to be, else a problem."""
        place = node.key_place(key)
        older = context.manner.older.get((self.type.__name__, key))
        if older is not None and older.field not in node.values:
            new = f"{older.field}: [...]" if older.in_list else older.field
            message = f"`{key}` of {context.called(self.type)} was replaced by `{older.field}`"
            context.report("field-older", message, place, severity="warning", hint=f"write `{new}`")
            wrapped = older.in_list and not (isinstance(child, Scalar) and child.value is None)
            return self.fields[older.field], Sequence([child], child.place) if wrapped else child
        strict = context.manner.strict
        near = older.field if older is not None else did_you_mean(key, self.fields)
        hint = f"did you mean `{near}`?" if near else ""
        if near and near in node.values:
            hint = f"`{near}` stands here already; remove this one"
        message = f"{context.called(self.type)} has no field `{shortened(key)}`"
        context.report("field-unknown", message, place, severity="error" if strict else "warning", hint=hint)
        same = near is not None and not strict and near not in node.values and near.lower() == key.lower()
        return (self.fields[near] if same and near else None), child


def in_words(name: str) -> str:
    """A class's name as a person says it, with its article: `DAGTask` is `a DAG task`, `Inputs` is `inputs`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    said = " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words) or name
    if said.endswith("s"):
        return said
    return f"{'an' if said[0] in 'aeioAEIOH' else 'a'} {said}"
