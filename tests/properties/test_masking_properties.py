"""A mask gives the same text however the stream is cut, and lets no value through in any spelling."""

from __future__ import annotations

import base64
import json
import shlex
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from argosy.artifacts.masking import HIDDEN, Masker, masked
from argosy.artifacts.redaction import spellings

# Few letters, so that values overlap, repeat and begin one another; line ends break base64.
LETTERS = st.sampled_from([b"a", b"b", b"ab", b"\n", b"\r\n", b"YWFh"])
TEXTS = st.lists(LETTERS, min_size=1, max_size=12).map(b"".join)
VALUES = st.lists(TEXTS, min_size=1, max_size=4)


def streamed(data: bytes, cuts: list[int], texts: list[bytes], broken: list[bytes]) -> bytes:
    masker, pieces, at = Masker(texts, broken), [], 0
    for cut in sorted(min(cut, len(data)) for cut in cuts):
        pieces.append(masker.feed(data[at:cut]))
        at = cut
    return b"".join((*pieces, masker.feed(data[at:]), masker.end()))


@given(
    data=st.lists(LETTERS, max_size=60).map(b"".join), cuts=st.lists(st.integers(0, 120), max_size=20), values=VALUES
)
def test_any_cut_gives_the_same(data: bytes, cuts: list[int], values: list[bytes]) -> None:
    whole = masked(data, values, values)
    assert streamed(data, cuts, values, values) == whole
    assert streamed(data, list(range(len(data))), values, values) == whole
    assert [value for value in values if value in whole] == []


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=10))
def test_without_values_nothing_changes(data: bytes, cuts: list[int]) -> None:
    assert streamed(data, cuts, [], []) == data
    assert streamed(data, cuts, [b"a value that is not there"], []) == data


SECRETS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="*"), min_size=4, max_size=40),
    st.lists(st.text("abc= \"'$\\/&<{}ü-", min_size=4, max_size=30), min_size=2, max_size=6).map("\n".join),
).filter(lambda text: len(text.strip()) >= 4)
AROUND = st.binary(max_size=9)


@given(secret=SECRETS, before=AROUND, after=AROUND, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_no_spelling_gets_through(secret: str, before: bytes, after: bytes, cuts: list[int]) -> None:
    given_value = secret.strip()
    forms = [
        given_value,
        quote(given_value, safe=""),
        quote_plus(given_value),
        json.dumps(given_value)[1:-1],
        json.dumps(given_value, ensure_ascii=False)[1:-1],
        shlex.quote(given_value),
        base64.b64encode(given_value.encode()).decode(),
        given_value.encode().hex(),
    ]
    values = spellings([secret])
    for form in forms:
        data = before + form.encode() + b"\n" + after
        found = streamed(data, cuts, list(values.texts), list(values.broken))
        assert form.encode() not in found
        assert found == values.masked(data)
    for line in given_value.splitlines():
        if len(line.strip()) >= 4:
            assert line.strip().encode() not in values.masked(before + line.encode() + after)


def base64_of_it(secret: bytes, before: int) -> bytes:
    """The letters of base64 that are the secret's own, with so many bytes before it."""
    whole = base64.b64encode(bytes(before) + secret)
    return whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


@given(
    secret=st.binary(min_size=24, max_size=200), before=AROUND, after=AROUND, width=st.sampled_from([19, 64, 76, 400])
)
def test_base64_inside_of_base64_and_in_lines(secret: bytes, before: bytes, after: bytes, width: int) -> None:
    values = spellings([secret])
    letters = base64.b64encode(before + secret + after)
    data = b"\n".join(letters[at : at + width] for at in range(0, len(letters), width))
    left = values.masked(data).replace(b"\n", b"")
    assert HIDDEN in left
    own = base64_of_it(secret.strip(), len(before) + secret.find(secret.strip()))
    # At the end of a line a few letters cannot be told from a word.
    assert [at for at in range(len(own) - 11) if own[at : at + 12] in left] == []
