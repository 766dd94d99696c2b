"""sprig's functions on maps. It knows maps, not the languages that call it.

In Go, `set`, `unset` and `merge` change the map they are given. Here they give a changed one and leave theirs as it is,
which nothing but a later look at the first can tell.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.signatures import Function, plain
from argosy.expressions.sprig.defaults import is_empty
from argosy.expressions.sprig.strings import text_value

MAX_NESTING = 100


def _dict(*values: object) -> dict[str, object]:
    padded = [*values, ""] if len(values) % 2 else list(values)
    return {text_value(padded[index]): padded[index + 1] for index in range(0, len(padded), 2)}


def _merged(
    budget: Budget, first: dict[str, object], others: tuple[dict[str, object], ...], overwrite: bool, depth: int = 0
) -> dict[str, object]:
    if depth > MAX_NESTING:
        raise ExpressionError(f"merge(): nested deeper than {MAX_NESTING} levels")
    made = dict(first)
    for other in others:
        budget.reserve_list(len(other))
        for key, value in other.items():
            ours = made.get(key)
            if isinstance(ours, dict) and isinstance(value, dict):
                made[key] = _merged(budget, ours, (value,), overwrite, depth + 1)
            elif is_empty(ours) or (overwrite and not is_empty(value)):
                made[key] = value
    return made


def _merge(budget: Budget, first: dict[str, object], *others: dict[str, object]) -> dict[str, object]:
    budget.measure((first, *others))
    return _merged(budget, first, others, False)


def _merge_overwrite(budget: Budget, first: dict[str, object], *others: dict[str, object]) -> dict[str, object]:
    budget.measure((first, *others))
    return _merged(budget, first, others, True)


def _dig(*values: object) -> object:
    if len(values) < 3:
        raise ExpressionError("dig(): at least a key, a default and a map are needed")
    *keys, default, place = values
    for index, key in enumerate(keys):
        if not isinstance(place, dict):
            raise ExpressionError(f"dig(): there is no map at key {index + 1}")
        if not isinstance(key, str):
            raise ExpressionError(f"dig(): key {index + 1} must be a string")
        if key not in place:
            return default
        place = place[key]
    return place


def _copied(budget: Budget, value: object) -> object:
    budget.measure(value)
    return _copy(value)


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


FUNCTIONS = (
    Function("dict", "|*+", plain(_dict)),
    Function("get", "ms", plain(lambda pairs, key: pairs.get(key, ""))),
    Function("set", "ms*", plain(lambda pairs, key, value: {**pairs, key: value})),
    Function("unset", "ms", plain(lambda pairs, key: {name: pairs[name] for name in pairs if name != key})),
    Function("hasKey", "ms", plain(lambda pairs, key: key in pairs)),
    Function("pluck", "s|m+", plain(lambda key, *maps: [pairs[key] for pairs in maps if key in pairs])),
    Function("keys", "|m+", plain(lambda *maps: [key for pairs in maps for key in pairs])),
    Function("values", "m", plain(lambda pairs: list(pairs.values()))),
    Function("pick", "m|s+", plain(lambda pairs, *keys: {key: pairs[key] for key in keys if key in pairs})),
    Function("omit", "m|s+", plain(lambda pairs, *keys: {key: pairs[key] for key in pairs if key not in keys})),
    Function("merge", "m|m+", _merge),
    Function("mustMerge", "m|m+", _merge),
    Function("mergeOverwrite", "m|m+", _merge_overwrite),
    Function("mustMergeOverwrite", "m|m+", _merge_overwrite),
    Function("dig", "|*+", plain(_dig)),
    Function("deepCopy", "*", _copied),
    Function("mustDeepCopy", "*", _copied),
)
