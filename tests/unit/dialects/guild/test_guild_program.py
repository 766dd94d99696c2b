"""What a step's program does: values, arguments, environments, modules, requirements."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from argosy.dialects.guild import program
from argosy.dialects.guild.program import Refused, arguments_of, decode, environment_of, resolved, values_of
from argosy.dialects.guild.scripts import source_of

RUN = "12345678-1234-5678-1234-567812345678"


def _spec(words: list[str], flags: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    named = {name: {"name": name, "default": "null", **flag} for name, flag in (flags or {}).items()}
    return {"operation": "op", "kind": "main", "words": words, "dest": "args", "flags": named, "run": RUN, **more}


def _run(folder: Path, spec: dict[str, Any], **values: str) -> subprocess.CompletedProcess[str]:
    """The program as a step runs it, in a folder."""
    source = source_of(spec).replace("{{workflow.uid}}", RUN)
    source = source.replace("{{=toJson(inputs.parameters)}}", json.dumps(values))
    script = folder.parent / "script"
    script.write_text(source)
    environment = {"PATH": os.environ["PATH"], "ARGO_NODE_ID": "run", "ARGO_WORKFLOW_NAME": "run"}
    return subprocess.run(
        [sys.executable, "-u", str(script)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("1.0", 1.0), ("1e-3", 0.001), ("yes", True), ("Off", False), ("null", None), ("~", None), ("", ""),
     ("'1'", "1"), ("'it''s'", "it's"), ('"a"', "a"), ("[1, 2]", [1, 2]), ('{"a": 1}', {"a": 1}), ("a b", "a b"),
     ("yEs", "yEs"), ("[a, b]", ["a", "b"])],
)  # fmt: skip
def test_texts_are_decoded_as_guild_does(text: str, value: object) -> None:
    assert decode(text) == value


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [("1", "string", "1"), ("yes", "path", "yes"), ("1", "float", 1.0), ("1", "boolean", True), ("2", "int", 2)],
)
def test_types_decide_what_a_text_is(text: str, type: str, value: object) -> None:
    found = decode(text, type)
    assert found == value
    assert found.__class__ is value.__class__


def test_references_are_put_in() -> None:
    assert resolved("${a}", {"a": 1}) == 1
    assert resolved("${a}", {"a": 1}, True) == "1"
    assert resolved("x-${a}-${b}", {"a": True, "b": None}) == "x-1-"
    assert resolved("\\${a}", {"a": 1}) == "${a}"
    with pytest.raises(Refused, match=r"\$\{nope\} names no flag of this operation; it has a"):
        resolved("${nope}", {"a": 1})


def test_flags_do_not_refer_to_flags() -> None:
    flags = {name: {"name": name, "default": text} for name, text in (("a", "${b}"), ("b", "1"))}
    assert values_of(flags, {}) == {"a": "${b}", "b": 1}


def test_a_choice_brings_values_of_other_flags_that_were_left_alone() -> None:
    choices = [{"value": "big", "flags": {"n": "100", "m": "7"}}]
    flags = {"size": {"name": "size", "default": "small", "choices": choices}, "n": {"name": "n", "default": "1"}}
    assert values_of(flags, {"size": "big", "n": "1"}) == {"size": "big", "n": 100, "m": 7}
    assert values_of(flags, {"size": "big", "n": "5"})["n"] == 5
    assert values_of(flags, {"size": "small", "n": "1"})["n"] == 1


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ({}, 3, ["--f", "3"]),
        ({}, None, []),
        ({}, True, ["--f", "1"]),
        ({}, False, ["--f", ""]),
        ({}, 0.5, ["--f", "0.5"]),
        ({"arg_name": "g"}, "x", ["--g", "x"]),
        ({"arg_skip": True}, "x", []),
        ({"arg_switch": True}, True, ["--f"]),
        ({"arg_switch": True}, False, []),
        ({"arg_switch": "on"}, "on", ["--f"]),
        ({"arg_split": True}, "a 'b c'", ["--f", "a", "b c"]),
        ({"arg_split": ","}, "a,b", ["--f", "a", "b"]),
        ({"arg_split": True}, "", []),
        ({"arg_encoding": {"true": "T", "1": "one"}}, True, ["--f", "T"]),
        ({"arg_encoding": {"true": "T", "1": "one"}}, 1, ["--f", "one"]),
    ],
)
def test_arguments(flag: dict[str, Any], value: Any, words: list[str]) -> None:
    assert arguments_of({"f": {"name": "f", **flag}}, {"f": value}, []) == words


def test_arguments_are_sorted_and_shadowed(capsys: pytest.CaptureFixture[str]) -> None:
    flags = {name: {"name": name} for name in ("b", "a", "c")}
    assert arguments_of(flags, {"b": 1, "a": 2, "c": 3}, ["--c", "9"]) == ["--a", "2", "--b", "1"]
    assert "flag c=3 is not passed" in capsys.readouterr().err


def test_the_environment_is_guilds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GUILD_HOME", raising=False)
    flags = {
        "a-b": {"name": "a.b"},
        "c": {"name": "c", "env_name": "SEA"},
        "d": {"name": "d", "env_encoding": {"1": "x"}},
    }
    spec = {"operation": "op", "flags": flags, "project": "/p", "env": {"E": "e-${a.b}"}, "dest": "globals"}
    found = environment_of(spec, {"a.b": True, "c": "s", "d": 1}, "id")
    assert found == {
        "RUN_DIR": str(tmp_path),
        "RUN_ID": "id",
        "GUILD_HOME": str(tmp_path / ".guild"),
        "GUILD_OP": "op",
        "GUILD_SOURCECODE": ".",
        "GUILD_PLUGINS": "",
        "PROJECT_DIR": "/p",
        "CMD_DIR": "/p",
        "LOG_LEVEL": "20",
        "FLAGS_DEST": "globals",
        "E": "e-1",
        "FLAG_A_B": "1",
        "SEA": "s",
        "FLAG_D": "x",
    }


def test_a_module_gets_arguments(work: Path) -> None:
    (work / "m.py").write_text("import sys, os, other\nprint(sys.argv[1:], __name__, os.environ['RUN_ID'], other.x)\n")
    (work / "other.py").write_text("x = 5\n")
    done = _run(work, _spec(["m", "sub"], {"lr": {}}), lr="0.1")
    assert done.stdout == "['sub', '--lr', '0.1'] __main__ 12345678123456781234567812345678 5\n", done.stderr


@pytest.mark.parametrize(
    ("words", "file"),
    [(["pkg.mod"], "pkg/mod.py"), (["pkg"], "pkg/__main__.py"), (["src/mod"], "src/mod.py"), (["mod.py"], "mod.py"),
     (["my-mod"], "my_mod.py")],
)  # fmt: skip
def test_modules_are_run_wherever_they_are(work: Path, words: list[str], file: str) -> None:
    (work / file).parent.mkdir(exist_ok=True)
    (work / file).write_text("print('ran', __name__)\n")
    if file.startswith("pkg"):
        (work / "pkg/__init__.py").write_text("")
    assert _run(work, _spec(words)).stdout == "ran __main__\n"


@pytest.mark.parametrize(
    ("dest", "module", "printed"),
    [
        ("globals", "lr = 1\nn: int = 2\nname = 'x'\nprint(lr, n, name)\n", "0.5 2 x"),
        ("globals", "print(lr)\n", "0.5"),
        ("global:p", "p = {'lr': 1, 'k': {'a': 1, 'b': 2}}\nprint(p)\n", "{'lr': 0.5, 'k': {'a': 9, 'b': 2}}"),
        ("dict:p", "p = dict(lr=1)\nprint(p)\n", "{'lr': 0.5, 'k': {'a': 9}}"),
        (
            "namespace:p",
            "from types import SimpleNamespace as S\np = S(lr=1, x=2)\nprint(p.lr, p.x, p.k.a)\n",
            "0.5 2 9",
        ),
        ("none", "import sys\nprint(sys.argv[1:])\n", "[]"),
    ],
)
def test_flags_go_where_the_operation_says(work: Path, dest: str, module: str, printed: str) -> None:
    (work / "m.py").write_text(module)
    flags = {"lr": {}} if dest in ("globals", "none") else {"lr": {}, "k-a": {"name": "k.a"}}
    values = {"lr": "0.5"} if dest in ("globals", "none") else {"lr": "0.5", "k-a": "9"}
    done = _run(work, _spec(["m"], flags, dest=dest), **values)
    assert done.stdout.strip() == printed, done.stderr


def test_globals_that_are_lists(work: Path) -> None:
    (work / "m.py").write_text("layers = [1, 2]\nprint(layers)\n")
    spec = _spec(["m"], {"layers": {"arg_split": True}}, dest="globals")
    assert _run(work, spec, layers="3 4 'a b'").stdout == "[3, 4, 'a b']\n"


def test_what_a_module_defines_can_be_pickled(work: Path) -> None:
    (work / "m.py").write_text(
        "import pickle\nx = 1\nclass A: ...\nprint(type(pickle.loads(pickle.dumps(A()))).__name__, x)\n"
    )
    assert _run(work, _spec(["m"], {"x": {}}, dest="globals"), x="2").stdout == "A 2\n"


@pytest.mark.parametrize(
    ("module", "code"), [("import sys; sys.exit(4)", 4), ("1/0", 1), ("raise SystemExit('why')", 1)]
)
def test_exit_codes_are_the_modules(work: Path, module: str, code: int) -> None:
    (work / "m.py").write_text(module)
    assert _run(work, _spec(["m"])).returncode == code


def test_commands(work: Path) -> None:
    spec = _spec(["sh", "-c", 'echo "$0 $1 $FLAG_X"', "${x}", "__flag_args__"], {"x": {}}, kind="exec")
    assert _run(work, spec, x="a b").stdout == "a b --x a b\n"
    assert _run(work, _spec(["sh", "-c", "exit 7"], kind="exec")).returncode == 7
    done = _run(work, _spec(["no-such-program"], kind="exec"))
    assert (done.returncode, done.stderr) == (1, "op: no-such-program cannot be run: No such file or directory\n")


def test_python_path_comes_before_the_code(work: Path) -> None:
    (work / "lib").mkdir()
    (work / "lib" / "thing.py").write_text("x = 'lib'\n")
    (work / "thing.py").write_text("x = 'code'\n")
    (work / "m.py").write_text("import thing; print(thing.x)\n")
    assert _run(work, _spec(["m"], python_path=["lib"])).stdout == "lib\n"


# -- requirements


def _files(kind: str = "operation", uri: str = "prepare", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "uri": uri, "name": os.path.basename(uri), "target": "", "folder": "0", **more}


def _held(work: Path, **files: str) -> Path:
    folder = work / ".guild" / "inputs" / "0"
    folder.mkdir(parents=True)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


LIST = """
import os
print(sorted(os.path.relpath(os.path.join(d, n)) for d, _, ns in os.walk(".") for n in ns if ".guild" not in d))
"""


def _listed(work: Path, source: dict[str, Any], module: str = LIST, **values: str) -> Any:
    (work / "m.py").write_text(module)
    done = _run(work, _spec(["m"], {name: {} for name in values}, sources=[source]), **values)
    assert done.returncode == 0, done.stderr
    return [one for one in json.loads(done.stdout.replace("'", '"')) if one != "m.py"]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, ["a.csv", "b.txt", "d/c.csv"]),
        ({"select": [".*\\.csv"]}, ["a.csv", "c.csv"]),
        ({"select": ["d/.*"]}, ["c.csv"]),
        ({"select": ["d"]}, ["d/c.csv"]),
        ({"select": [".*csv"], "preserve_path": True}, ["a.csv", "d/c.csv"]),
        ({"select": ["a.*", "b.*"], "target": "in/put"}, ["in/put/a.csv", "in/put/b.txt"]),
        ({"select": ["${name}"]}, ["b.txt"]),
        ({"rename": [["a", "x"]]}, ["b.txt", "d/c.csv", "x.csv"]),
        ({"select": ["a.*"], "rename": [["", "new.csv"]]}, ["new.csv"]),
        ({"link": True}, ["a.csv", "b.txt", "d/c.csv"]),
    ],
)
def test_files_of_an_operation(work: Path, more: dict[str, Any], found: list[str]) -> None:
    held = _held(work, a_csv="a", b_txt="b", d__c_csv="c")
    assert _listed(work, _files(**more), name="b.txt") == found
    # What nobody changed is where it was.
    assert sorted(str(one.relative_to(held)) for one in held.rglob("*") if one.is_file()) == [
        "a.csv",
        "b.txt",
        "d/c.csv",
    ]
    assert not (work / "a.csv").exists()


def test_what_was_changed_stays(work: Path) -> None:
    _held(work, a_csv="a", b_csv="b")
    _listed(work, _files(), "open('a.csv', 'w').write('mine')\nprint('[]')\n")
    assert (work / "a.csv").read_text() == "mine"
    assert not (work / "b.csv").exists()


@pytest.mark.parametrize(("number", "name"), [("min", "m-2.pt"), ("max", "m-10.pt")])
def test_the_least_and_the_greatest_number(work: Path, number: str, name: str) -> None:
    folder = _held(work)
    for one in (2, 10, 9):
        (folder / f"m-{one}.pt").write_text("")
    assert _listed(work, _files(select=["m-([0-9]+)\\.pt"], select_number=number)) == [name]


@pytest.mark.parametrize(("name", "inside"), [("x.zip", ["f.txt"]), ("x.tar.gz", ["f.txt"]), ("x.tgz", ["f.txt"])])
def test_archives_are_unpacked(work: Path, name: str, inside: list[str]) -> None:
    held = work / ".guild" / "inputs" / "0"
    held.parent.mkdir(parents=True)
    if name.endswith(".zip"):
        with zipfile.ZipFile(held, "w") as packed:
            packed.writestr("f.txt", "hello")
    else:
        with tarfile.open(held, "w:gz") as packed:
            one = tarfile.TarInfo("f.txt")
            one.size = 5
            packed.addfile(one, io.BytesIO(b"hello"))
    assert _listed(work, _files("file", f"data/{name}", **({"select": [".*txt"]} if name == "x.tgz" else {}))) == inside


def test_an_archive_that_leads_out_is_refused(work: Path) -> None:
    held = work / ".guild" / "inputs" / "0"
    held.parent.mkdir(parents=True)
    with tarfile.open(held, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("../evil"), io.BytesIO(b""))
    done = _run(work, _spec(["m"], sources=[_files("file", "x.tgz")]))
    assert done.returncode == 1
    assert "x.tgz cannot be unpacked: it holds ../evil" in done.stderr


def test_archives_stay_when_they_shall(work: Path) -> None:
    held = work / ".guild" / "inputs" / "0"
    held.parent.mkdir(parents=True)
    held.write_bytes(b"not looked at")
    assert _listed(work, _files("file", "data/x.zip", unpack=False)) == ["x.zip"]


@pytest.mark.parametrize(("preserve", "path"), [(False, "b.csv"), (True, "a/b.csv")])
def test_files_and_folders_of_the_project(work: Path, preserve: bool, path: str) -> None:
    held = work / ".guild" / "inputs" / "0"
    held.parent.mkdir(parents=True)
    held.write_text("x")
    assert _listed(work, _files("file", "a/b.csv", preserve_path=preserve)) == [path]


def test_a_folder_of_the_project_is_a_folder_here(work: Path) -> None:
    _held(work, a_csv="", d__b_csv="")
    assert _listed(work, _files("file", "some/data")) == ["data/a.csv", "data/d/b.csv"]


def test_hashes_are_checked(work: Path) -> None:
    import hashlib

    held = work / ".guild" / "inputs" / "0"
    held.parent.mkdir(parents=True)
    held.write_text("x")
    assert _listed(work, _files("url", "http://h/f.txt", sha256=hashlib.sha256(b"x").hexdigest())) == ["f.txt"]
    done = _run(work, _spec(["m"], sources=[_files("url", "http://h/f.txt", sha256="00")]))
    assert done.returncode == 1
    assert "http://h/f.txt has the sha256 2d711642" in done.stderr


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"select": ["zzz"]}, 1, "op: nothing in prepare fits zzz"),
        ({"select": ["zzz"], "help": "run it again"}, 1, "run it again"),
        ({"select": ["zzz"], "optional": True}, 0, ""),
        ({"target": "../out"}, 1, "outside of the run's folder"),
    ],
)
def test_what_cannot_be_placed(work: Path, more: dict[str, Any], code: int, said: str) -> None:
    _held(work, a_csv="a")
    (work / "m.py").write_text("")
    done = _run(work, _spec(["m"], sources=[_files(**more)]))
    assert done.returncode == code
    assert said in done.stderr


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [({}, 0, "warning: nothing in prepare"), ({"fail_if_empty": True}, 1, ""), ({"warn_if_empty": False}, 0, "")],
)
def test_an_operation_that_left_nothing(work: Path, more: dict[str, Any], code: int, said: str) -> None:
    _held(work)
    (work / "m.py").write_text("")
    done = _run(work, _spec(["m"], sources=[_files(**more)]))
    assert done.returncode == code
    assert said in done.stderr
    assert said or code or not done.stderr


def test_an_optional_source_may_be_absent(work: Path) -> None:
    assert _listed(work, _files(optional=True)) == []
    assert "prepare is not there" in _run(work, _spec(["m"], sources=[_files()])).stderr


def test_modules_that_are_required(work: Path) -> None:
    (work / "m.py").write_text("print('ran')\n")
    spec = _spec(["m"], sources=[{"kind": "module", "uri": "json"}, {"kind": "module", "uri": "m"}])
    assert _run(work, spec).stdout == "ran\n"
    done = _run(work, _spec(["m"], sources=[{"kind": "module", "uri": "no_such", "help": "pip install it"}]))
    assert "it requires the Python module no_such, which is not there: pip install it" in done.stderr


def test_a_post_process_runs_where_the_files_are(work: Path) -> None:
    _held(work, a_csv="a")
    assert _listed(work, _files(target="in", post_process="cp a.csv ${to}"), to="b.csv") == ["in/a.csv", "in/b.csv"]


def test_existing_files_are_replaced(work: Path) -> None:
    _held(work, a_csv="theirs")
    (work / "a.csv").write_text("code's")
    (work / "m.py").write_text("print(open('a.csv').read())")
    assert _run(work, _spec(["m"], sources=[_files()])).stdout == "theirs\n"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("c.json", '{\n  "lr": 0.5,\n  "net": {\n    "size": 3\n  }\n}\n'),
        ("c.ini", "[DEFAULT]\nlr = 0.5\n\n[net]\nsize = 3\n\n"),
    ],
)
def test_configs_get_params_then_flags(work: Path, name: str, written: str) -> None:
    (work / "m.py").write_text(f"print(open('{name}').read())")
    content = {"lr": 0.1, "net": {"size": 1}} if name == "c.json" else {"net": {"size": 1}}
    source = {"kind": "config", "uri": name, "name": name, "target": "", "content": content, "params": {"net.size": 2}}
    spec = _spec(["m"], {"net-size": {"name": "net.size"}, "lr": {}}, sources=[source])
    assert _run(work, spec, **{"net-size": "3", "lr": "0.5"}).stdout == written + "\n"


def test_flags_into_a_config_are_no_arguments(work: Path) -> None:
    (work / "m.py").write_text("import sys\nprint(sys.argv[1:], open('c.json').read())")
    source = {"kind": "config", "uri": "c.json", "name": "c.json", "target": "", "content": {}, "dest": True}
    done = _run(work, _spec(["m"], {"lr": {}}, sources=[source], dest="config:c.json"), lr="2")
    assert done.stdout.split() == ["[]", "{", '"lr":', "2", "}"]


# -- checks


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ([{"output": "^acc: 0\\.[0-9]"}], 0),
        ([{"output": "nothing"}], 3),
        ([{"file": "*.txt"}], 0),
        ([{"file": "*.csv"}], 3),
        ([{"file": "a.txt", "contains": "hel+o"}], 0),
        ([{"file": "a.txt", "contains": "bye"}], 3),
        ([{"file": "a.txt", "compare_to": "same"}], 0),
        ([{"file": "a.txt", "compare_to": "other"}], 3),
        ([{"file": "a.txt", "compare_to": "none"}], 3),
    ],
)
def test_checks_after_a_step(work: Path, expect: list[dict[str, str]], code: int) -> None:
    (work / "m.py").write_text("import os\nprint('x')\nos.system('echo acc: 0.9')\nopen('a.txt', 'w').write('hello')\n")
    (work / "same").write_text("hello")
    (work / "other").write_text("else")
    done = _run(work, _spec(["m"], expect=expect))
    assert done.returncode == code, done.stderr
    assert done.stdout == "x\nacc: 0.9\n"
    assert bool(done.stderr) is bool(code)


def test_a_step_that_fails_is_not_checked(work: Path) -> None:
    (work / "m.py").write_text("raise SystemExit(5)\n")
    done = _run(work, _spec(["m"], expect=[{"output": "x"}]))
    assert (done.returncode, done.stderr) == (5, "")


def test_the_program_needs_nothing_of_ours() -> None:
    source = source_of(_spec(["m"], sources=[_files()], expect=[{"output": "x"}]))
    assert "argosy." not in source.replace("argosy-", "").replace("__argosy_flag__", "")
    assert program.__doc__
