"""The page about a run: what users write stays text, and nothing is loaded."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from xml.dom import minidom

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.experiments.curves import curve, spark
from argosy.experiments.drawing import Shape, chart, graph, timeline
from argosy.experiments.layout import layered
from argosy.experiments.report import Curve, Log, Picture, Report, page
from argosy.record.experiments import Metric, Series

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</pre></details><iframe src=//evil>",
    "</title></style><style>@import'//evil'</style>",
    "]]><!--",
    "&lt;b&gt; &amp;",
    "\x00\x1b[31m\ud800\u202e\ufeff",
    "javascript:alert(1)",
)
TAGS = dict.fromkeys(
    re.findall(
        r"\S+",
        """html head meta title style body main section h1 h2 p span table tr th td div pre details summary figure
        figcaption img svg g path rect text circle line""",
    )
).keys()
ATTRIBUTES = dict.fromkeys(
    re.findall(
        r"\S+",
        """lang charset http-equiv content name class role aria-label aria-hidden width height viewbox d x y x1 x2 y1 y2
        cx cy r rx scope alt src open""",
    )
).keys()


class Reader(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.sources: list[str] = []
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        given = dict(attrs)
        self.attributes |= set(given)
        if tag == "img":
            self.sources.append(given["src"] or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


def report_with(text: str) -> Report:
    """A report that has the text wherever a user's text can be."""
    metric = Metric(run=1, name=text, node=text, step=text, source="output", count=2, first=1, last=2, min=1, max=2,
                    mean=1.5, last_step=1, at=0)  # fmt: skip
    series = Series(name=text, source="output", steps=(0, 1), values=(1.0, 2.0))
    shapes = [
        Shape(id=text, name=text, phase="Failed", message=text, followers=(text, "b"), started_at=1, finished_at=2),
        Shape(id="b", name="b", phase=text, junction=True),
    ]
    return Report(
        name=text, phase=text, message=text, now=3.0, facts=[(text, text)], comment=text, shapes=shapes,
        parameters=[(text, text)], outputs=[(text, text)], curves=[Curve(metric=metric, series=series)],
        pictures=[Picture(title=text, type="image/png", data=b"<script>")],
        logs=[Log(step=text, phase="Error", message=text, text=text)], left_out=[text],
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_users_write_stays_text(text: str) -> None:
    reader = read(page(report_with(text)))
    assert reader.found <= TAGS
    assert reader.attributes <= ATTRIBUTES
    assert "default-src 'none'" in reader.policy
    assert "script" not in reader.policy
    assert all(source.startswith("data:image/png;base64,") for source in reader.sources)
    if text.isprintable():
        assert sum(text in one for one in reader.texts) >= 10


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_stays_text(text: str) -> None:
    reader = read(page(report_with(text)))
    assert reader.found <= TAGS
    assert reader.attributes <= ATTRIBUTES


@settings(deadline=None)
@given(st.text(max_size=40))
def test_drawings_are_xml_whatever_names_are(text: str) -> None:
    shapes = [Shape(id="a", name=text, phase="Running", followers=("a", "x"), started_at=5, message=text)]
    for drawn in (graph(shapes), timeline(shapes, 9.0), chart((0, 1, 2), (1.0, math.nan, 2.0), text)):
        minidom.parseString(drawn.encode())


EDGES = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghxyz"), max_size=5), max_size=8)


@settings(deadline=None)
@given(EDGES)
def test_every_node_has_a_place_of_its_own(edges: dict[str, list[str]]) -> None:
    nodes = sorted(edges)
    places = layered(nodes, edges)
    assert sorted(places) == nodes
    assert len(set(places.values())) == len(nodes)


@settings(deadline=None)
@given(EDGES)
def test_followers_stand_in_later_layers(edges: dict[str, list[str]]) -> None:
    nodes = sorted(edges)
    forward = {node: [one for one in followers if one > node] for node, followers in edges.items()}
    places = layered(nodes, forward)
    assert all(places[one][0] > places[node][0] for node in nodes for one in forward[node] if one in places)


@settings(deadline=None)
@given(st.lists(st.floats(width=64), max_size=50))
def test_curves_of_any_numbers(values: list[float]) -> None:
    lines = curve(range(len(values)), values, width=20, height=4)
    assert len(lines) in (0, 4)
    assert all(len(line) == 20 for line in lines)
    assert len(spark(values, 10)) <= 10
    drawn = chart(range(len(values)), values, "loss")
    if drawn:
        path = minidom.parseString(drawn).getElementsByTagName("path")[1].getAttribute("d")
        assert "nan" not in path
        assert "inf" not in path


def test_long_histories_are_thinned_but_keep_their_ends() -> None:
    values = [0.0] * 50_000
    values[777], values[33_333] = 5.0, -5.0
    drawn = chart(range(len(values)), values, "loss")
    assert len(drawn) < 20_000
    assert ">5<" in drawn
    assert ">-5<" in drawn


def test_states_are_told_without_colours() -> None:
    shapes = [Shape(id=one, name=one, phase=one) for one in ("Succeeded", "Failed", "Skipped")]
    text = "".join(read(graph(shapes)).texts)
    assert all(sign in text for sign in "✔✖○")
    empty = page(Report(name="a", phase="Running", message="", now=0, facts=[], comment="", shapes=[], parameters=[],
                        outputs=[], curves=[], pictures=[], logs=[]))  # fmt: skip
    assert "● " in "".join(read(empty).texts) + " "
    assert "<section>" not in empty
