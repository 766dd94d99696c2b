"""The nearest layer wins; an absent output is there, as None."""

import pytest

from argosy.plan.scope import Scope


def test_nearest_layer_wins() -> None:
    scope = Scope({"a": "far", "b": "b"}).under({"a": "near"})
    assert (scope["a"], scope["b"], sorted(scope), len(scope)) == ("near", "b", ["a", "b"], 2)


def test_absent_is_not_missing() -> None:
    scope = Scope({"x": None}, {"x": "far"})
    assert scope["x"] is None
    with pytest.raises(KeyError):
        scope["y"]
