"""YAML to nodes with places, from the events of PyYAML's parser (libyaml's where it is built in).

It knows YAML's spelling and the tags that a manifest may use; budgets and the tree are the builder's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, ScalarValue, Sequence
from argosy.syntax.scalars import NUMBER_STARTS, resolve
from argosy.syntax.span import Source, pack
from argosy.syntax.tree import TreeBuilder, shortened
from argosy.syntax.yaml_errors import explain

_TAG = "tag:yaml.org,2002:"
# What an explicit tag accepts; `!` and `!!str` take the text as it is.
_TAGGED: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}
_TEXT_TAGS = ("!", _TAG + "str", _TAG + "timestamp")
_COLLECTION_TAGS = {"!", _TAG + "seq", _TAG + "map"}
# libyaml compares each `%TAG` line with all before it; more than a few are never meant.
_DIRECTIVE = re.compile(r"^%TAG", re.MULTILINE)
_MOST_DIRECTIVES = 100


def read_yaml(source: Source, limits: Limits, builder: TreeBuilder) -> None:
    """Feed all documents of a text to the builder. Raises `tree.Stop` behind an error that ends reading."""
    directives = [found.start() for found in _DIRECTIVE.finditer(source.text)]
    if len(directives) > _MOST_DIRECTIVES:
        offset = directives[_MOST_DIRECTIVES]
        builder.stop("file-limit", f"more than {_MOST_DIRECTIVES} `%TAG` lines", pack(offset, offset + 4))
    try:
        _Reader(source, limits, builder).read()
    except yaml.YAMLError as problem:
        explain(problem, builder)


# What stands for the backslash of `\\'` while a text is parsed: as long as it, and in no text by chance.
_STANDIN = "\ue0a7"
# Each double-quoted text with one costs another look at the whole, of which there are this many characters at most.
_MOST_LOOKED_AT = 5_000_000
_QUOTED = re.compile(r'"(?:[^"\\]|\\[\s\S])*"?')


def _with_quotes(text: str) -> str:
    """The text with `\\'` in double quotes made parseable: YAML knows no such escape, Go's parser does."""
    if "\\'" not in text or _STANDIN in text:
        return text
    for _ in range(_MOST_LOOKED_AT // len(text)):
        start = _unknown_quote(text)
        quoted = _QUOTED.match(text, start) if start is not None else None
        if quoted is None:
            break
        mended = re.sub(r"\\([\s\S])", lambda found: f"{_STANDIN}'" if found[1] == "'" else found[0], quoted[0])
        text = text[: quoted.start()] + mended + text[quoted.end() :]
    return text


def _unknown_quote(text: str) -> int | None:
    """Where the first double-quoted text begins that cannot be parsed for its `\\'`; None if there is none."""
    parser = _parser(text)
    try:
        while parser.get_event() is not None:
            pass
    except yaml.MarkedYAMLError as problem:
        start, at = problem.context_mark, problem.problem_mark
        if start is not None and at is not None and "unknown escape" in (problem.problem or ""):
            return start.index if "'" in text[at.index : at.index + 2] else None
    except yaml.YAMLError:
        return None
    return None


def _parser(text: str) -> Any:
    """libyaml's parser, or PyYAML's own, which is the same but some twenty times slower."""
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


class _Reader:
    def __init__(self, source: Source, limits: Limits, builder: TreeBuilder) -> None:
        self.text = source.text
        self.limits = limits
        self.builder = builder
        self.mended = False

    def read(self) -> None:
        mended = _with_quotes(self.text)
        self.mended = mended is not self.text
        next_event: Callable[[], Any] = _parser(mended).get_event
        builder = self.builder
        while True:
            event = next_event()
            kind: type[object] = event.__class__
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                builder.open(Mapping({}, [], self._opened(event)), event.anchor)
            elif kind is yaml.SequenceStartEvent:
                builder.open(Sequence([], self._opened(event)), event.anchor)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                start, end = event.start_mark.index, event.end_mark.index
                # The end of a block style collection is empty and stands behind blank lines and comments.
                builder.close(end if end > start else None)
            elif kind is yaml.AliasEvent:
                builder.alias(event.anchor, pack(event.start_mark.index, event.end_mark.index))
            elif kind is yaml.DocumentStartEvent:
                builder.start_document(pack(event.start_mark.index, event.end_mark.index))
            elif event is None or kind is yaml.StreamEndEvent:
                return

    def _opened(self, event: Any) -> int:
        place = pack(event.start_mark.index, event.end_mark.index)
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            self._refuse_tag(event.tag, place)
        return place

    def _scalar(self, event: Any) -> None:
        text: str = event.value.replace(_STANDIN, "") if self.mended else event.value
        place = pack(event.start_mark.index, event.end_mark.index)
        value: ScalarValue = text
        if event.tag is not None:
            value = self._tagged(text, event.tag, place)
        elif event.implicit[0]:
            if text == "<<" and self.builder.merge_key(place):
                return
            value = self._resolved(text, place)
        self.builder.scalar(value, len(text), place, event.anchor)

    def _resolved(self, text: str, place: int) -> ScalarValue:
        if text[:1] not in NUMBER_STARTS:
            return resolve(text)
        if len(text) > self.limits.digits:
            if not text.strip("+-_.0123456789abcdefxABCDEFX"):
                self.builder.stop("file-limit", f"a number of {len(text)} digits", place)
            return text
        value = resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            self.builder.report(
                "yaml-number",
                f"`{text}` is a number that JSON cannot carry",
                place,
                why="Argo turns a manifest into JSON before it reads it",
                hint=f'put it in quotes to make it text: "{text}"',
            )
        return value

    def _tagged(self, text: str, tag: str, place: int) -> ScalarValue:
        if tag in _TEXT_TAGS:
            return text
        kinds = _TAGGED.get(tag)
        if kinds is None:
            self._refuse_tag(tag, place)
            return text
        value = self._resolved(text, place)
        if type(value) not in kinds:
            shown = shortened(text)
            self.builder.report("yaml-tag", f"`{shown}` is not what its tag says, `!!{tag[len(_TAG) :]}`", place)
        return value

    def _refuse_tag(self, tag: str, place: int) -> None:
        shown = "!!" + tag[len(_TAG) :] if tag.startswith(_TAG) else tag
        hint = "write the value without a tag"
        if shown == "!!binary":
            hint = "write the base64 text as a plain string"
        why = "a manifest is plain data: text, numbers, booleans, lists and mappings"
        self.builder.stop("yaml-tag", f"the tag `{shortened(shown)}` has no meaning here", place, why=why, hint=hint)
