"""Flags of operations: as inputs, as what the program is told, and out of Python modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from guild_reading import flags, good, problems, read, spec

from argosy.dialects.guild.flags import text_of
from argosy.dialects.guild.program import decode
from argosy.dialects.guild.surroundings import Imported
from argosy.model.input_values import canonical, problem_of
from argosy.project.guild_flags import asker


def _one(flag: str) -> Any:
    return flags(good(f"op: {{main: m, flags: {{f: {flag}}}}}\n"), "op")["f"]


@pytest.mark.parametrize(
    ("flag", "default"),
    [
        ("1", "1"),
        ("0.5", "0.5"),
        ("yes", "true"),
        ("null", "null"),
        ("abc", "abc"),
        ("{default: x}", "x"),
        ("{}", "null"),
    ],
)
def test_a_flag_may_be_its_default(flag: str, default: str) -> None:
    assert _one(flag).default == default


@pytest.mark.parametrize(
    ("flag", "sweeps"),
    [("[1, 2]", True), ("[a, 'b,c']", True), ("'range[1:4]'", True), ("'uniform[0:1]'", True), ("abc", False),
     ("{default: '[1,2]', type: string}", False)],
)  # fmt: skip
def test_a_list_stands_for_many_trials(flag: str, sweeps: bool) -> None:
    assert _one(flag).default_sweeps is sweeps


@pytest.mark.parametrize(
    ("type", "good_value", "bad_value"),
    [("int", "3", "x"), ("float", "1e-3", "q"), ("number", "2.5", "q"), ("boolean", "yes", "maybe")],
)
def test_types_are_checked(type: str, good_value: str, bad_value: str) -> None:
    found = _one(f"{{type: {type}}}")
    assert problem_of(found, canonical(found, good_value)) is None
    assert problem_of(found, canonical(found, bad_value)) is not None


@pytest.mark.parametrize(("type", "ours"), [("auto", "string"), ("string", "string"), ("path", "path"),
                                            ("existing-path", "existing-path")])  # fmt: skip
def test_types_of_text(type: str, ours: str) -> None:
    assert _one(f"{{type: {type}}}").type == ours


def test_an_unknown_type_is_a_warning() -> None:
    loaded = good("op: {main: m, flags: {f: {type: itn}}}\n")
    assert problems(loaded, "warning") == ["1:33 warning: there is no type `itn` of flags; any value is taken"]
    assert loaded.diagnostics[0].hint == "did you mean `int`?"


def test_required_flags_have_no_value_of_their_own() -> None:
    found = _one("{required: yes}")
    assert (found.required, found.default) == (True, None)
    assert not _one("{required: yes, default: 3}").required


def test_choices_with_aliases_and_others() -> None:
    found = _one("{choices: [1, {value: two, alias: b, description: The second}], allow-other: no, default: 1}")
    assert [(one.value, one.hint, one.aliases) for one in found.choices] == [
        ("1", "", ()),
        ("two", "The second", ("b",)),
    ]
    assert canonical(found, "b") == "two"
    assert problem_of(found, "3") is not None
    assert problem_of(_one("{choices: [1, 2], allow-other: yes}"), "3") is None


def test_limits_alias_and_null_label() -> None:
    found = _one("{min: 1, max: 2.5, alias: g, null-label: nothing}")
    assert (found.minimum, found.maximum, found.aliases) == (1.0, 2.5, ("g",))
    assert "nothing" in found.hint
    assert any("is no number" in one for one in problems(read("op: {main: m, flags: {f: {min: a}}}\n"), "error"))


def test_the_program_is_told_only_what_is_not_as_usual() -> None:
    text = """
op:
  main: m
  default-flag-arg-skip: yes
  flags:
    a: 1
    b: {default: x, arg-skip: no, arg-name: bb, arg-encoding: {yes: on}, env-name: B, env-encoding: {1: one}}
    c: {default: yes, arg-switch: yes}
    d: {default: 'x y', arg-split: yes, type: string}
    e: {default: small, choices: [{value: small, flags: {a: 2}}, big]}
"""
    assert spec(good(text), "op")["flags"] == {
        "a": {"name": "a", "default": "1", "arg_skip": True},
        "b": {
            "name": "b",
            "default": "x",
            "arg_name": "bb",
            "arg_encoding": {"true": "true"},
            "env_name": "B",
            "env_encoding": {"1": "one"},
        },
        "c": {"name": "c", "default": "true", "arg_skip": True, "arg_switch": True},
        "d": {"name": "d", "default": "x y", "arg_skip": True, "arg_split": True, "type": "string"},
        "e": {
            "name": "e",
            "default": "small",
            "arg_skip": True,
            "choices": [{"value": "small", "flags": {"a": "2"}}],
        },
    }


def test_distribution_is_named() -> None:
    assert (
        "`distribution` of a flag has no effect here"
        in problems(good("op: {main: m, flags: {f: {distribution: x}}}\n"))[0]
    )


@pytest.mark.parametrize("value", [1, 1.0, 1e-5, "a", "",  "1", "yes", "null", "[1]", "{a", "'", True, False, None,
                                   [1, "a", None], ["a,b", "c"], {"a": 1}])  # fmt: skip
def test_texts_of_values_are_read_as_the_same_values(value: Any) -> None:
    from argosy.dialects.guild.flags import quoted_text

    assert decode(quoted_text(value, "")) == value
    assert text_of(True) == "true"


# -- flags of modules

GLOBALS = "import os\nlr = 0.1\nname: str = 'x'\n_hidden = 1\nlayers = [1, 2]\nwhen = os.name\nempty = None\nd = {}\n"
ARGPARSE = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("data")
p.add_argument("--lr", "-l", type=float, default=0.1, help="Rate")
p.add_argument("--fast", action="store_true")
p.add_argument("--kind", choices=["a", "b"], default="a")
p.add_argument("--sizes", nargs="+", type=int, default=[1, 2])
p.add_argument("--out", required=True)
p.add_argument("--version", action="version")
"""
CLICK = """
import click
@click.command()
@click.option("--lr", default=0.1, type=float, help="Rate")
@click.option("--fast", is_flag=True)
def main(lr, fast): ...
"""


def _imported(module: str, more: str = "flags-import: all", **around: Any) -> dict[str, Any]:
    return flags(good(f"op:\n  main: m\n  {more}\n", {"m.py": module}, **around), "op")


def test_globals_are_imported_without_running_anything() -> None:
    found = _imported(GLOBALS)
    assert {name: (one.default, one.type) for name, one in found.items()} == {
        "lr": ("0.1", "number"),
        "name": ("x", "string"),
        "layers": ("1 2", "string"),
        "empty": ("null", "string"),
    }


def test_argparse_is_read_from_the_text() -> None:
    found = _imported(ARGPARSE)
    assert {name: (one.default, one.type, one.required) for name, one in found.items()} == {
        "lr": ("0.1", "float", False),
        "fast": ("false", "boolean", False),
        "kind": ("a", "string", False),
        "sizes": ("1 2", "string", False),
        "out": (None, "string", True),
    }
    told = spec(good("op: {main: m, flags-import: yes}\n", {"m.py": ARGPARSE}), "op")
    assert told["dest"] == "args"
    assert told["flags"]["fast"]["arg_switch"] is True
    assert told["flags"]["sizes"]["arg_split"] is True


def test_click_is_read_from_the_text() -> None:
    assert {name: one.default for name, one in _imported(CLICK).items()} == {"lr": "0.1", "fast": "false"}
    assert spec(good("op: {main: m}\n", {"m.py": CLICK}), "op")["dest"] == "args:click"


def test_what_the_text_does_not_tell_is_asked_for() -> None:
    asked: list[tuple[str, list[str]]] = []

    def ask(module: str, words: list[str]) -> list[Imported]:
        asked.append((module, words))
        return [Imported(name="found", default=3)]

    module = (
        "import argparse\np = argparse.ArgumentParser()\nfor n in 'ab':\n  p.add_argument('--' + n)\np.parse_args()\n"
    )
    loaded = good("op: {main: m sub, flags-import: all}\n", {"m.py": module}, ask=ask)
    assert set(flags(loaded, "op")) == {"found"}
    assert asked == [("m", ["sub"])]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("flags: {lr: null}", {"lr"}),
        ("flags-import: [lr]", {"lr"}),
        ("flags-import: all\n  flags-import-skip: [lr, empty]", {"name", "layers"}),
        ("flags-import: no", set()),
        ("flags: {x: 1}\n  flags-import: [name]", {"x", "name"}),
    ],
)
def test_which_flags_are_imported(more: str, names: set[str]) -> None:
    assert set(_imported(GLOBALS, more)) == names


def test_what_the_file_says_of_a_flag_wins() -> None:
    found = _imported(
        ARGPARSE, "flags-import: all\n  flags: {lr: {default: 3, description: Mine}, f: {arg-name: fast}}"
    )
    assert (found["lr"].default, found["lr"].hint, found["lr"].type) == ("3", "Mine", "float")
    assert "fast" not in found
    assert found["f"].type == "boolean"


@pytest.mark.parametrize(
    ("dest", "module", "names"),
    [
        ("global:params", "params = {'lr': 1, 'net': {'size': 2}}\n", {"lr", "net-size"}),
        ("dict:params", "params = dict(lr=1)\n", {"lr"}),
        (
            "namespace:args",
            "from types import SimpleNamespace\nargs = SimpleNamespace(lr=1, name='x')\n",
            {"lr", "name"},
        ),
        ("globals", "import argparse\nlr = 1\n", {"lr"}),
    ],
)
def test_where_flags_go_decides_where_they_come_from(dest: str, module: str, names: set[str]) -> None:
    assert set(_imported(module, f"flags-import: all\n  flags-dest: {dest}")) == names


def test_flags_of_a_configuration_file() -> None:
    files = {"m.py": "", "c.yml": "lr: 0.1\nnet: {size: 2}\n"}
    loaded = good("op: {main: m, flags-dest: 'config:c.yml'}\n", files)
    assert {name: one.default for name, one in flags(loaded, "op").items()} == {"lr": "0.1", "net-size": "2"}
    assert spec(loaded, "op")["sources"][0]["dest"] is True


def test_a_destination_that_there_is_not() -> None:
    loaded = good("op: {main: m, flags-dest: glboals}\n")
    assert problems(loaded, "warning") == ["1:27 warning: there is no flags-dest `glboals`"]
    assert loaded.diagnostics[0].hint == "did you mean `globals`?"


@pytest.mark.parametrize("path", ["m.py", "pkg/m.py", "pkg/__main__.py"])
def test_modules_are_found_where_python_finds_them(path: str) -> None:
    main = {"m.py": "m", "pkg/m.py": "pkg.m", "pkg/__main__.py": "pkg"}[path]
    assert set(flags(good(f"op: {{main: {main}, flags-import: all}}\n", {path: "x = 1\n"}), "op")) == {"x"}
    loaded = good("op: {main: m, python-path: src, flags-import: all}\n", {"src/m.py": "y = 1\n"})
    assert set(flags(loaded, "op")) == {"y"}


def test_an_interpreter_tells_flags_without_running_main(tmp_path: Path) -> None:
    import sys

    (tmp_path / "m.py").write_text(
        "import argparse, other\np = argparse.ArgumentParser()\n"
        "for name in ('a', 'b'):\n    p.add_argument('--' + name, type=int, default=other.value, help='H')\n"
        "p.add_argument('--on', action='store_true')\np.add_argument('--c', choices='xy', nargs=2)\n"
        "print('noise')\np.parse_args()\nopen('ran', 'w')\n"
    )
    (tmp_path / "other.py").write_text("value = 4\n")
    cache = tmp_path / "cache.json"
    found = asker(sys.executable, tmp_path, cache)("m", [])
    assert [(one.name, one.type, one.choices, one.split) for one in found] == [
        ("a", "int", (), False),
        ("b", "int", (), False),
        ("on", "boolean", (), False),
        ("c", "", ("x", "y"), True),
    ]
    assert found[0].default == 4
    assert not (tmp_path / "ran").exists()
    assert cache.exists()
    (tmp_path / "other.py").write_text("value = 12345\n")
    assert asker(sys.executable, tmp_path, cache)("m", [])[0].default == 12345


def test_a_module_that_cannot_be_run_has_no_flags(tmp_path: Path) -> None:
    import sys

    (tmp_path / "m.py").write_text("raise SystemExit(3)\n")
    assert asker(sys.executable, tmp_path, None)("m", []) is None
    assert asker(sys.executable, tmp_path, None)("none", []) is None
