"""What a workflow depends on, in the spellings of every dialect, made one: {kind, workflow, tag, params}.

It turns nodes into nodes and keeps their places; which workflows and tags there are is not its matter.
"""

from __future__ import annotations

from argosy.dialects.dstack.building import Building
from argosy.dialects.dstack.problems import Problems
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

RUN_FIRST, LATEST, TAG = "run-first", "latest", "tag"


class Dependencies:
    """Makes the dependencies of one workflow canonical. repository: `user/repo` of this project."""

    def __init__(self, problems: Problems, repository: str) -> None:
        self._problems = problems
        self._repository = repository

    def of(self, node: Node, plain_kind: str) -> list[Node]:
        """The dependencies under a key. plain_kind: what a name alone means there."""
        if isinstance(node, Mapping) and node.values.keys() & {"repo", "workflows"}:
            if "repo" in node.values:
                self._problems.add(
                    "dstack-no-effect",
                    "repo: nothing here waits for changes of the repository: run it with argosy run",
                    node.key_place("repo"),
                    severity="note",
                )
            inner = node.values.get("workflows")
            return self.of(inner, plain_kind) if inner is not None else []
        items = node.items if isinstance(node, Sequence) else [node]
        found = [self._one(one, plain_kind) for one in items]
        return [one for one in found if one is not None]

    def _one(self, node: Node, plain_kind: str) -> Node | None:
        if isinstance(node, Scalar) and node.value is not None and (text := self._problems.written(node).strip()):
            return self._of_text(text, node.place, plain_kind)
        if isinstance(node, Mapping) and node.values:
            return self._of_mapping(node, plain_kind)
        self._problems.add(
            "dstack-dependency",
            f"expected a workflow or a tag, found {described(node)}",
            node.place,
            hint="write NAME, NAME:TAG or :TAG",
        )
        return None

    def _of_mapping(self, node: Mapping, plain_kind: str) -> Node | None:
        values = node.values
        given = {key: self._problems.written(one) for key, one in values.items() if isinstance(one, Scalar)}
        if "tag" in given and "workflow" not in given:
            text = given["tag"]
            return self._of_text(text if ":" in text else f":{text}", node.place, plain_kind)
        if "workflow" in given:
            text = f"{given['workflow']}:{given['tag']}" if "tag" in given else given["workflow"]
            return self._of_text(text, node.place, plain_kind)
        if (name := given.get("name") or given.get("id")) is not None:
            found = self._of_text(name, node.place, plain_kind)
            if isinstance(found, Mapping) and "params" in values:
                passed = self._passed_on(values["params"])
                return Mapping(
                    {**found.values, "params": passed}, [*found.key_places, node.key_place("params")], node.place
                )
            return found
        if len(given) == 1 and len(values) == 1:
            # `- download: v1`, with a blank: YAML takes it for a mapping.
            ((name, tag),) = given.items()
            return self._of_text(f"{name}:{tag}", node.place, plain_kind)
        self._problems.add(
            "dstack-dependency",
            "a dependency lacks `workflow` or `tag`",
            node.place,
            hint="write `workflow: NAME` or `tag: TAG`",
        )
        return None

    def _passed_on(self, node: Node) -> Mapping:
        """`params` of a dependency, a list of names, or of names with values, as values by name."""
        found = Building(node.place)
        for one in node.items if isinstance(node, Sequence) else [node]:
            if isinstance(one, Scalar) and isinstance(one.value, str):
                found.put(one.value, Scalar("${{ " + one.value + " }}", one.place), one.place)
            elif isinstance(one, Mapping):
                for key, place in zip(one.values, one.key_places, strict=True):
                    found.put(key, self._problems.as_written(one.values[key]), place)
            else:
                message = f"`params`: expected names of variables, found {described(one)}"
                self._problems.add("field-type", message, one.place, hint="- NAME, or - NAME: VALUE")
        return found.made()

    def _of_text(self, text: str, place: int, plain_kind: str) -> Node | None:
        if text.count("/") >= 2 and "$" not in text:
            prefix = f"{self._repository}/"
            if not self._repository or not text.removeprefix(":").startswith(prefix):
                return self._of_another(text, place)
            text = text.removeprefix(prefix)
            text = text.replace(f":{prefix}", ":", 1)
        name, colon, tag = text.partition(":")
        name, tag = name.strip(), tag.strip()
        if not name and not tag:
            self._problems.add("dstack-dependency", "this dependency is empty", place, hint="write NAME, or :TAG")
            return None
        if colon and not tag:
            self._problems.add("dstack-dependency", f"{text} names no tag", place, hint=f"write {name}:TAG")
            return None
        return _made(TAG if colon else plain_kind, name, tag, place)

    def _of_another(self, text: str, place: int) -> Node:
        """What another repository has left: here it is the tag of that very name, once somebody has brought it."""
        tag = text.replace("/:", "/").removeprefix(":")
        self._problems.add(
            "dstack-other-repository",
            f"{text} is of another repository, whose runs are not here: it is the tag {tag}",
            place,
            severity="note",
            hint=f"bring its files, and keep them with `argosy tags add {tag} -a PATH`",
        )
        return _made(TAG, "", tag, place)


def _made(kind: str, workflow: str, tag: str, place: int) -> Node:
    found = Building(place)
    for key, value in (("kind", kind), ("workflow", workflow), ("tag", tag)):
        found.put(key, Scalar(value, place), place)
    return found.made()
