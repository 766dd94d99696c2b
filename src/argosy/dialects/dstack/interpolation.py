"""`${{ name }}` in dstack's texts, turned into tags that a value replaces exactly once.

It knows spellings; which names there are is handed in. Text that happens to look like our own tags stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from argosy.dialects.dstack.variables import GLOBAL
from argosy.syntax.diagnostics import did_you_mean

_REFERENCE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_PLAIN = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_-]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
# Behind the tags of our own language: {{="{{"}} is the text {{.
_BRACES = '{{="{{"}}'


class Scope:
    """The names that a workflow's texts may use. tags: what stands for each: `workflow.parameters.x`.

    unknown: told of a name that there is not. dollars: whether `$name` is one too, as in the oldest files.
    """

    def __init__(self, tags: Mapping[str, str], unknown: Callable[[str, str], None], *, dollars: bool = False) -> None:
        self._tags = tags
        self._unknown = unknown
        self._dollars = dollars

    def text(self, text: str) -> str:
        """The text with tags where values belong, as they are."""
        return self._replaced(text, lambda tag: "{{" + tag + "}}", literal)

    def refers(self, text: str) -> bool:
        """Whether a value is put into the text."""
        plain = _PLAIN.finditer(text) if self._dollars else ()
        return "${{" in text or any((one.group(1) or one.group(2)) in self._tags for one in plain)

    def shell_word(self, text: str) -> str:
        """The text as one word of a shell, whatever the values hold."""
        if _REFERENCE.search(text) is None and re.fullmatch(r"[\w@%+=:,./-]+", text):
            return text
        quoted = self._replaced(
            text,
            lambda tag: "{{=replace(" + _read(tag) + r""", "'", "'\\''")}}""",
            lambda piece: literal(piece.replace("'", "'\\''")),
        )
        return f"'{quoted}'"

    def environment(self, text: str) -> str:
        """The text as the value of a variable, in which `$(NAME)` has no meaning."""
        return self._replaced(
            text,
            value_of_variable,
            lambda piece: literal(piece.replace("$", "$$")),
        )

    def _replaced(self, text: str, tag_of: Callable[[str], str], piece_of: Callable[[str], str]) -> str:
        found: list[str] = []
        position = 0
        for one in _REFERENCE.finditer(text):
            found += [self._words(text[position : one.start()], tag_of, piece_of)]
            name = one.group(1).strip()
            tag = self._tags.get(name)
            if tag is None:
                self._unknown(name, one.group())
            else:
                found.append(tag_of(tag))
            position = one.end()
        if (opened := text.find("${{", position)) >= 0:
            self._unknown("", text[opened:].partition("\n")[0])
        return "".join(found) + self._words(text[position:], tag_of, piece_of)

    def _words(self, text: str, tag_of: Callable[[str], str], piece_of: Callable[[str], str]) -> str:
        if not self._dollars:
            return piece_of(text)
        found: list[str] = []
        position = 0
        for one in _PLAIN.finditer(text):
            tag = self._tags.get(one.group(1) or one.group(2))
            if tag is not None:
                found += [piece_of(text[position : one.start()]), tag_of(tag)]
                position = one.end()
        return "".join(found) + piece_of(text[position:])


def no_variable(workflow: str, name: str, written: str, known: Iterable[str]) -> tuple[str, str]:
    """What to say of a reference to nothing, and what to do."""
    if not written.endswith("}}"):
        return "`${{` without `}}`", "write ${{ NAME }}"
    if not re.fullmatch(r"[\w.-]+", name):
        return f"{written} is no variable", "write ${{ NAME }}: a name, and nothing is calculated"
    message = f"there is no variable {name!r}"
    if name.startswith("secrets."):
        return message, f"secrets are variables of the environment: write ${name.partition('.')[2]} in a command"
    if near := did_you_mean(name, known):
        return message, f"did you mean {near}?"
    there = ", ".join(sorted(known))
    return message, f"put it into .dstack/variables.yaml, below {workflow} or {GLOBAL}; {workflow} has {there}"


def variable_in(text: str) -> str:
    """The variable that a text is nothing else than; "" for any other text."""
    found = _REFERENCE.fullmatch(text.strip()) or _PLAIN.fullmatch(text.strip())
    return next((one.strip() for one in found.groups() if one), "") if found is not None else ""


def literal(text: str) -> str:
    """Text that stays as it is where tags are replaced."""
    return text.replace("{{", _BRACES)


def value_of_variable(tag: str) -> str:
    """The tag where a variable of the environment gets its value: `$(NAME)` in it stays what it is."""
    if tag == "workflow.name":
        return "{{workflow.name}}"
    return "{{=replace(" + _read(tag) + ", '$', '$$')}}"


def _read(tag: str) -> str:
    """A tag as the expression that reads it."""
    head, _, name = tag.rpartition(".")
    return tag if tag == "workflow.name" else f"{head}['{name}']"
