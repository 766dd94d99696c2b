"""The words after FILE on a command line: NAME=VALUE, and --NAME VALUE where the format's users write it so.

It knows spellings; what a value may be is checked by `argosy.project.arguments`.
"""

from __future__ import annotations

from typing import NoReturn

import click
import msgspec

from argosy.errors import UsageError
from argosy.model.input_values import FALSE_WORDS, TRUE_WORDS
from argosy.model.inputs import Input, Signature, names_of

# Unknown options are kept for the format to judge instead of refused by click.
OPEN = {"ignore_unknown_options": True}


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What stood after FILE. selected: names of workflows. files: of trials, written @FILE.

    options: what begins with a dash, each followed by the words that may be its value, in order. all: every word.
    """

    selected: tuple[str, ...] = ()
    assigned: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    all: tuple[str, ...] = ()


def read_words(file: str | None, words: tuple[str, ...]) -> Words:
    """The words by their kinds. Raises click.UsageError for an option where FILE should be."""
    if file is not None and file.startswith("-") and file != "-":
        refuse_option(file)
    selected: list[str] = []
    assigned: list[tuple[str, str]] = []
    files: list[str] = []
    options: list[str] = []
    awaits_value = False
    for word in words:
        if word.startswith("-") and not _is_number(word):
            options.append(word)
            awaits_value = "=" not in word
            continue
        name, equals, value = word.partition("=")
        if equals and name and not awaits_value:
            assigned.append((name, value))
        elif awaits_value:
            options.append(word)
        elif word.startswith("@") and len(word) > 1:
            files.append(word[1:])
        elif equals:
            raise UsageError(f"{word!r} is no value", hint="write NAME=VALUE")
        else:
            selected.append(word)
        awaits_value = False
    return Words(
        selected=tuple(selected), assigned=tuple(assigned), files=tuple(files), options=tuple(options), all=words
    )


def _is_number(word: str) -> bool:
    return word[1:2].isdigit() or (word[1:2] == "." and word[2:3].isdigit())


def values_of(words: Words, takes: Signature) -> dict[str, str]:
    """The values of NAME=VALUE and of options; all words as one where the format has it so.

    Raises UsageError, and click.UsageError for an unknown option.
    """
    if takes.rest:
        import shlex

        return {takes.rest: shlex.join(words.all)} if words.all else {}
    found: dict[str, str] = {}
    for name, value in (*words.assigned, *_options(words.options, takes)):
        if name in found:
            raise UsageError(f"{name} is given twice", hint="leave one of them out")
        found[name] = value
    return found


def names_of_options(words: Words, takes: Signature) -> set[str]:
    """The names of values that were given as options: a list there is one value, as the format's users mean it."""
    return set() if takes.rest else {name for name, _ in _options(words.options, takes)}


def _options(words: tuple[str, ...], takes: Signature) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            # It stood behind an option that takes no value.
            found.append(_assignment(word))
            continue
        name, equals, value = word.lstrip("-").partition("=")
        one = takes.find(name) if takes.as_options and word.startswith("--") else None
        if one is None:
            refuse_option(word, takes)
        if equals:
            found.append((name, value))
        elif rest and _is_value(rest[0], one):
            found.append((name, rest.pop(0)))
        else:
            found.append((name, _without_value(one, word)))
    return found


def _is_value(word: str, one: Input) -> bool:
    if one.type == "boolean":
        return word.lower() in (*TRUE_WORDS, *FALSE_WORDS)
    return not word.startswith("-") or _is_number(word)


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise UsageError(f"{word!r} is no value", hint="write NAME=VALUE")
    return name, value


def _without_value(one: Input, word: str) -> str:
    if one.type == "boolean":
        return "true"
    raise UsageError(f"{word} needs a value", hint=f"write {word} VALUE")


def refuse_option(word: str, takes: Signature | None = None) -> NoReturn:
    """That there is no such option, and which it may have been. Raises click.NoSuchOption."""
    from argosy.syntax.diagnostics import did_you_mean

    ctx = click.get_current_context()
    asked = word.partition("=")[0]
    known = [name for one in ctx.command.params if isinstance(one, click.Option) for name in one.opts]
    if takes is not None and takes.as_options:
        known += [f"--{name}" for name in names_of(takes.inputs)]
    near = did_you_mean(asked, [name for name in known if name.startswith("--")]) if asked.startswith("--") else None
    bare = asked.lstrip("-")
    if near is None and takes is not None and takes.find(bare) is not None:
        raise click.NoSuchOption(asked, message=f"No such option: {asked} (write {bare}=VALUE)", ctx=ctx)
    raise click.NoSuchOption(asked, possibilities=[near] if near else None, ctx=ctx)
