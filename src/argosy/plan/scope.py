"""What a tag or an expression can see at one place of a workflow: layers of names, the nearest first.

It knows dotted names and their values, not the languages that use them. A value is a string; None
for an output that a skipped or omitted node never gave; or an Artifact, which only `from` and `fromExpression` can use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Layer = Mapping[str, object]


class Scope(Mapping[str, object]):
    """The union of its layers; a name is taken from the first layer that has it."""

    __slots__ = ("layers",)

    def __init__(self, *layers: Layer) -> None:
        flat: list[Layer] = []
        for layer in layers:
            if isinstance(layer, Scope):
                flat.extend(layer.layers)
            else:
                flat.append(layer)
        self.layers = tuple(flat)

    def under(self, *nearer: Layer) -> Scope:
        """A scope in which the names of `nearer`, which are no scopes themselves, come before this one's."""
        found = Scope.__new__(Scope)
        found.layers = nearer + self.layers
        return found

    def __getitem__(self, name: str) -> object:
        for layer in self.layers:
            try:
                return layer[name]
            except KeyError:
                continue
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in layer for layer in self.layers)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for layer in self.layers:
            for name in layer:
                if name not in seen:
                    seen.add(name)
                    yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)
