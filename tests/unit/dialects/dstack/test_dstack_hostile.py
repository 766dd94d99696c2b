"""Files that are nearly right: whatever stands where, the answer is findings at places, and manifests that pass."""

from __future__ import annotations

import random
from typing import Any

import yaml
from dstack_samples import FILES

from argosy.checks.catalog import DocumentCatalog, Options
from argosy.checks.check import check
from argosy.dialects.dstack.command_line import of_provider, read_words
from argosy.dialects.dstack.definitions import OfOne
from argosy.dialects.dstack.providers import PROVIDERS
from argosy.dialects.dstack.reading import Beside, load
from argosy.errors import UsageError

ODD = [None, True, 3, 3.1, -1, "", " ", "x", "${{ x }}", "${{", "a:b", ":", "a/b/c", "/", ".", "..", "~", "a" * 100]
ODDER = ["{{", "}}{{=", "y", "é", 10**30, "$(x)", "@", "=="]
NESTED: list[Any] = [
    [],
    {},
    [None],
    [{}],
    {"a": None},
    [[1]],
    {"tag": None},
    {"workflow": []},
    {"count": {}},
    {"repo": 1},
]
VALUES: list[Any] = [*ODD, *ODDER, *NESTED]
KEYS = [
    *("name", "provider", "deps", "depends-on", "artifacts", "env", "resources", "gpu", "python", "args", "commands"),
    *("template", "params", "ports", "runs", "file", "script", "id", "version", "cache", "nodes", "setup", "image"),
]


def changed(value: Any, chance: random.Random, often: float) -> Any:
    if chance.random() < often:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        made: dict[Any, Any] = {
            chance.choice(KEYS) if chance.random() < often else key: changed(one, chance, often)
            for key, one in value.items()  # pyright: ignore[reportUnknownVariableType]
        }
        if chance.random() < often:
            made[chance.choice(KEYS)] = chance.choice(VALUES)
        return made
    if isinstance(value, list):
        return [changed(one, chance, often) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def test_files_that_are_nearly_right() -> None:
    documents = [yaml.safe_load(path.read_text()) for path in sorted(FILES.rglob("*.yaml"))]
    variables = {"variables": {"global": {"x": 1, "é": 2}, "fit": {"cards": 2}}}
    understood = 0
    for seed in range(400):
        chance = random.Random(seed)
        text = yaml.dump(changed(chance.choice(documents), chance, chance.choice((0.0, 0.01, 0.1))))
        other = yaml.dump(changed(variables, chance, 0.05))
        loaded = load(text, "w.yaml", beside=Beside(files=(("v.yaml", other),)))
        assert loaded.ok or all(one.span is not None for one in loaded.diagnostics)
        understood += loaded.ok and bool(loaded.documents)
        catalog = DocumentCatalog([one.value for one in loaded.documents])
        for one in loaded.documents:
            for finding in check(one.value, catalog, options=Options()):
                assert finding.severity != "error", (seed, finding)
                assert one.source_map.key_span(finding.path).line >= 1
    assert understood > 50


WORDS = [
    "-e",
    "A=1",
    "--env",
    "=",
    "",
    "--gpu",
    "2",
    "--gpu-name",
    "K80",
    "--memory",
    "1GB",
    "--dep",
    ":x",
    "a/b/c",
    "-a",
]
MORE_WORDS = [
    "/o",
    "--ports",
    "--cpu=1",
    "-c",
    "ls",
    "--command=x",
    "-i",
    "--nnodes",
    "3",
    "-w",
    "..",
    "--lr",
    "${{",
    "x",
]


def test_words_that_are_nearly_right() -> None:
    """What stands behind a name is understood, or refused in words."""
    workflow = "workflows: [{name: a, provider: %s, %s}]"
    understood = 0
    for seed in range(400):
        chance = random.Random(seed)
        words = chance.choices([*WORDS, *MORE_WORDS], k=chance.randrange(6))
        provider = chance.choice([*PROVIDERS])
        try:
            if chance.random() < 0.5:
                loaded = load(of_provider(provider, words)[0], "w.yaml")
            else:
                asked = OfOne(workflow="a", keys=read_words(words).keys)
                loaded = load(workflow % (provider, "help: x"), "w.yaml", asked=asked)
        except UsageError:
            continue
        assert loaded.ok or all(one.span is not None for one in loaded.diagnostics)
        understood += loaded.ok
    assert understood > 50
