"""The picture of a workflow: all tasks are in it, in layers, none over another, and every text escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import yaml

from argosy import ContainerJob, Workflow
from argosy.dsl.picture import svg_of

SVG = "{http://www.w3.org/2000/svg}"
Area = tuple[str, float, float, float, float]


def template(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **(more or {"container": {"image": "x"}})}


def manifest(*templates: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"generateName": "w-"}, "spec": {"entrypoint": "main", "templates": list(templates), **spec}}


def dag(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"dag": {"tasks": list(tasks)}}


def areas(svg: str) -> list[Area]:
    """The boxes: their titles, and left, top, right, bottom."""
    found: list[Area] = []
    for one in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        x, y, width, height = (float(one.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((one[0].text or "", x, y, x + width, y + height))
    return found


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def apart(one: Area, other: Area) -> bool:
    """Whether two boxes do not touch, or one is within the other."""
    _, left, top, right, bottom = one
    _, left2, top2, right2, bottom2 = other
    beside = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    within = left <= left2 and top <= top2 and right >= right2 and bottom >= bottom2
    around = left2 <= left and top2 <= top and right2 >= right and bottom2 >= bottom
    return beside or within or around


DIAMOND = dag(
    {"name": "a", "template": "t"},
    {"name": "b", "template": "t", "depends": "a.Succeeded || a.Failed"},
    {"name": "c", "template": "inner", "dependencies": ["a"], "when": "x == y"},
    {"name": "d", "template": "t", "depends": "b && c"},
)
INNER = {
    "steps": [[{"name": "s1", "template": "t"}, {"name": "s2", "template": "t"}], [{"name": "s3", "template": "t"}]]
}


def test_layers_and_boxes_within_boxes() -> None:
    svg = svg_of(manifest(template("main", **DIAMOND), template("inner", **INNER), template("t")))
    found = areas(svg)
    top = {name: one[1] for name, *one in found}
    assert [one[0] for one in found] == ["w", "a", "b", "c", "s1", "s2", "s3", "d"]
    assert top["a"] < top["b"] == top["c"] < top["d"]
    assert top["c"] < top["s1"] == top["s2"] < top["s3"] < top["d"]
    assert all(apart(one, other) for one in found for other in found)
    root = ElementTree.fromstring(svg)
    assert float(root.attrib["width"]) >= max(one[3] for one in found)
    assert float(root.attrib["height"]) >= max(one[4] for one in found)
    assert len(list(root.iter(f"{SVG}path"))) == 4 + 2
    assert "if" in texts(svg)


def test_texts_are_escaped_and_not_too_long() -> None:
    svg = svg_of(manifest(template("main", **dag({"name": "<b>&" + "x" * 99, "template": "t"})), template("t")))
    assert "<b>" not in svg
    assert any(one.startswith("<b>&x") and one.endswith("…") for one in texts(svg))


def test_what_calls_itself_is_drawn_once() -> None:
    again = dag({"name": "body", "template": "t"}, {"name": "again", "template": "loop", "when": "x"})
    svg = svg_of(
        manifest(
            template("main", **dag({"name": "first", "template": "loop", "withItems": [1]})),
            template("loop", **again),
            template("t"),
            onExit="t",
        )
    )
    assert [one[0] for one in areas(svg)] == ["w", "first", "body", "again", "on exit"]
    assert "for each" in texts(svg)


def test_edges_in_a_circle_and_names_of_nowhere_do_not_matter() -> None:
    circle = dag({"name": "a", "depends": "b", "template": "t"}, {"name": "b", "depends": "a && z", "template": "no"})
    assert len(areas(svg_of(manifest(template("main", **circle))))) == 3
    assert len(areas(svg_of({}))) == 1


def test_a_template_of_the_catalog_is_named() -> None:
    called = dag({"name": "a", "templateRef": {"name": "lib", "template": "t"}})
    assert "lib/t" in texts(svg_of(manifest(template("main", **called))))


def test_a_notebook_shows_a_workflow() -> None:
    workflow = Workflow(name="w", steps=[ContainerJob("a", "x", "true"), ContainerJob("b", "x", "true")])
    svg = workflow._repr_svg_()
    assert [one[0] for one in areas(svg)] == ["w", "a", "b"]
    assert svg == svg_of(yaml.safe_load(workflow.to_yaml()))
