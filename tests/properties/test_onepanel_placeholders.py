"""Covering placeholders moves nothing, and what is covered comes back as its value."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from argosy.dialects.onepanel.placeholders import VALUES, cover
from argosy.syntax.nodes import Mapping, Scalar

PIECES = st.lists(
    st.one_of(
        st.sampled_from([f"{{{{.{name}}}}}" for name in VALUES] + [f"{{{{ .{name} }}}}" for name in VALUES]),
        st.text(alphabet=string.printable, max_size=20),
        st.sampled_from(["{{", "}}", "{{.Name}}", "{{workflow.name}}", "\n"]),
    ),
    max_size=12,
)


@given(PIECES)
def test_covering_keeps_every_place(pieces: list[str]) -> None:
    text = "".join(pieces)
    covered = cover(text, "a.yaml")
    assert len(covered.text) == len(text)
    for before, after in zip(text, covered.text, strict=True):
        assert before == after or (after >= "\ue000" and before not in "\n\r")


@given(PIECES)
def test_restoring_puts_the_values_in(pieces: list[str]) -> None:
    text = "".join(pieces)
    expected = text
    for name, value in VALUES.items():
        for written in (f"{{{{.{name}}}}}", f"{{{{ .{name} }}}}"):
            expected = expected.replace(written, value)
    covered = cover(text, "a.yaml")
    node = Mapping(values={covered.text: Scalar(covered.text, 0)}, key_places=[0], place=0)
    covered.restore(node)
    ((key, scalar),) = node.values.items()
    assert isinstance(scalar, Scalar)
    assert (key, scalar.value) == (expected, expected)
