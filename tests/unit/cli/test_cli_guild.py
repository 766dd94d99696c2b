"""A folder with a guild.yml, used as its people use it: run, look, compare, carry."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import Answer

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "guild"
Argosy = Callable[..., Answer]


@pytest.fixture
def example(folder: Path) -> Path:
    """The example's files in the current folder."""
    for one in EXAMPLE.iterdir():
        if one.is_file():
            shutil.copyfile(one, folder / one.name)
    return folder


def _names(argosy: Argosy) -> list[str]:
    return argosy("list", "-o", "name").out.split()


def test_the_folder_lists_its_operations(argosy: Argosy, example: Path) -> None:
    answer = argosy("run")
    assert answer.code == 0
    assert [line.split("  ")[0].strip() for line in answer.out.splitlines()][:6] == [
        "prepare-data",
        "train",
        "test",
        "end-to-end",
        "short",
        "exposed",
    ]
    assert "Train a model" in answer.out
    assert argosy("lint", "guild.yml").code == 0


def test_what_an_operation_takes(argosy: Argosy, example: Path) -> None:
    for words in (("run", "train", "--help-op"), ("params", "guild.yml", "train")):
        answer = argosy(*words)
        assert answer.code == 0
        assert re.search(r"epochs +int +20 +How often all points are seen", answer.out)
    assert _names_of(argosy("params", "guild.yml", "prepare-data", "-o", "json")) == ["rows", "noise"]
    assert argosy("list").out == ""


def _names_of(answer: Answer) -> list[str]:
    return [one["name"] for one in json.loads(answer.out)["workflows"][0]["inputs"]]


def test_operations_one_after_the_other(argosy: Argosy, example: Path) -> None:
    assert argosy("run", "prepare-data", "rows=10", "-q").code == 0
    assert argosy("run", "guild.yml", "train", "lr=0.3", "epochs=3", "-q").code == 0
    assert argosy("run", "guild.yml:test", "-q").code == 0
    test, train, prepare = _names(argosy)
    assert argosy("ls", train).out.split() == ["model.json"]
    assert argosy("ls", prepare).out.split() == ["test.csv", "train.csv"]
    assert json.loads(argosy("cat", train, "model.json").out).keys() == {"slope", "start"}
    assert argosy("cat", test, "report.txt").out.startswith("5 points, error 0.")
    assert "lr=0.3" in argosy("runs", "-o", "json").out
    metrics = argosy("metrics", test).out
    assert "error" in metrics
    lineage = argosy("lineage", f"run/{train}").out
    assert prepare in lineage
    assert test in lineage


@pytest.mark.parametrize("operation", ["end-to-end", "short", "exposed"])
def test_pipelines_of_the_example(argosy: Argosy, example: Path, operation: str) -> None:
    assert argosy("run", operation, "-q").code == 0
    assert "test/report.txt" in argosy("ls", "@latest").out.split()
    # The steps of a pipeline are found as runs of their operations.
    assert argosy("run", "test", "-q").code == 0


def test_values_of_a_pipeline(argosy: Argosy, example: Path) -> None:
    assert argosy("run", "exposed", "lr=0.3", "rows=12", "train:epochs=2", "-q").code == 0
    logs = argosy("logs", "@latest").out
    assert "rows: 12" in logs
    assert "(step 1)" in logs
    assert "(step 2)" not in logs


def test_the_run_that_an_operation_takes(argosy: Argosy, example: Path) -> None:
    answer = argosy("run", "train")
    assert answer.code == 4
    assert "There is no suitable run for prepare-data: there is no run of it" in answer.err
    assert "--needed" in answer.err
    assert argosy("run", "test", "--needed", "-q").code == 0
    assert [name.rpartition("-")[0] for name in _names(argosy)] == ["test", "train", "prepare-data"]
    first = _names(argosy)[2]
    assert argosy("run", "prepare-data", "rows=8", "-q").code == 0
    second = _names(argosy)[0]
    for chosen, words in ((second, ()), (first, (f"operation:prepare-data={first}",))):
        assert argosy("run", "train", *words, "-q").code == 0
        assert chosen in argosy("lineage", f"run/{_names(argosy)[0]}").out
    argosy("mark", first)
    assert argosy("run", "train", "-q").code == 0
    assert first in argosy("lineage", f"run/{_names(argosy)[0]}").out
    assert argosy("run", "train", "operation:prepare-data=zzz").code == 4


def test_runs_without_files_are_told(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text("a: {exec: 'false'}\nb: {exec: 'true', requires: {operation: a}}\n")
    assert argosy("run", "a", "-q").code == 1
    failed = _names(argosy)[0]
    answer = argosy("run", "b")
    assert answer.code == 4
    assert f"none of its runs has files to take: {failed} (failed)" in answer.err


def test_batches(argosy: Argosy, example: Path) -> None:
    assert argosy("run", "prepare-data", "rows=[8,12]", "-q").code == 0
    assert [name for name in _names(argosy) if re.fullmatch(r"prepare-data-\w+-\d", name)] != []
    (example / "trials.csv").write_text("lr,epochs\n0.1,1\n0.2,2\n")
    assert argosy("run", "train", "@trials.csv", "-q").code == 0
    assert len([name for name in _names(argosy) if re.fullmatch(r"train-\w+-\d", name)]) == 2


def test_a_list_as_default_is_a_batch(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text("op: {exec: 'echo ${x}', flags: {x: [1, 2, 3]}}\n")
    assert argosy("run", "op", "-q").code == 0
    assert len(_names(argosy)) == 4
    assert argosy("run", "op", "x=5", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "5"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("trian",), 4, "did you mean train?"),
        (("guild.yml",), 2, "has 6 operations, and none is the default"),
        (("train", "lrr=1"), 2, "did you mean lr?"),
        (("prepare-data", "rows=2"), 2, "rows is at least 4, not 2"),
        (("prepare-data", "rows=x"), 2, "rows is a whole number, not 'x'"),
        (("guild.yml:none",), 4, "There is neither a file nor an operation 'none'"),
    ],
)
def test_mistakes_on_the_command_line(
    argosy: Argosy, example: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = argosy("run", *words)
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_mistakes_in_the_file_have_places(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text("ok: {exec: 'true'}\nop:\n  main: a ${x}\n")
    answer = argosy("run", "op")
    assert answer.code == 3
    assert "guild.yml:3:9: error: `main` contains the invalid reference `${x}`" in answer.err
    # What is wrong with one operation is of no interest to another.
    assert argosy("run", "ok", "-q").code == 0
    assert argosy("lint", "guild.yml").code == 3


def test_the_default_operation(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text("a: {exec: 'echo a'}\nb: {exec: 'echo b', default: yes}\n")
    assert argosy("run", "guild.yml", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "b"


def test_a_step_that_is_not_as_expected(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(
        "a: {exec: 'echo hello'}\np: {steps: [{run: a, expect: {output: bye}}, {run: a, name: never}]}\n"
    )
    assert argosy("run", "p", "-q").code == 1
    shown = json.loads(argosy("get", "@latest", "-o", "json").out)
    by_step = {one["displayName"]: one for one in shown["status"]["nodes"].values()}
    assert by_step["a"]["outputs"]["exitCode"] == "3"
    assert "never" not in by_step


def test_a_batch_in_a_step_goes_on_after_a_failure(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(
        "a: {exec: 'sh -c \"exit ${x}\"', flags: {x: 0}}\np: {steps: ['a x=[0,1,0]', a]}\n"
    )
    assert argosy("run", "p", "-q").code == 0


def test_a_step_knows_nothing_of_the_flags_of_others(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text("a: {exec: env, flags: {x: 1}}\np: {flags: {secret: 2}, steps: [a x=3]}\n")
    assert argosy("run", "p", "-q").code == 0
    printed = argosy("logs", "@latest").out
    assert "FLAG_X=3" in printed
    assert "FLAG_SECRET" not in printed
    ids = set(re.findall(r"RUN_ID=([0-9a-f]{32})\b", printed))
    assert len(ids) == 1


def test_files_of_the_project_come_along_and_stay_out_of_what_was_made(argosy: Argosy, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "big.bin").write_bytes(b"\0" * 2_000_000)
    (folder / "guild.yml").write_text(
        "op:\n  exec: sh -c 'wc -c < in/big.bin > size'\n  requires: [{file: data/big.bin, target-path: in}]\n"
    )
    assert argosy("run", "op", "-q").code == 0
    assert argosy("ls", "@latest").out.split() == ["size"]
    assert argosy("cat", "@latest", "size").out.strip() == "2000000"
    (folder / "other.bin").write_bytes(b"x")
    assert argosy("run", "op", "file:data/big.bin=other.bin", "-q").code == 0
    assert argosy("cat", "@latest", "size").out.strip() == "1"
    shutil.rmtree(folder / "data")
    answer = argosy("run", "op")
    assert answer.code == 4
    assert "There is nothing at data/big.bin" in answer.err


def test_a_folder_below_the_project_has_its_own_code(
    argosy: Argosy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = folder / "models" / "one"
    below.mkdir(parents=True)
    (folder / "m.py").write_text("print('above')\n")
    (below / "m.py").write_text("import os\nprint('below', sorted(os.listdir()))\n")
    (below / "guild.yml").write_text("op: m\n")
    monkeypatch.chdir(below)
    assert argosy("run", "op", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "below ['guild.yml', 'm.py']"


def test_a_pipeline_as_a_manifest(argosy: Argosy, example: Path) -> None:
    assert argosy("convert", "guild.yml", "end-to-end", "-o", "pipeline.yaml").code == 0
    assert argosy("lint", "pipeline.yaml").code == 0
    assert argosy("run", "pipeline.yaml", "-q").code == 0
    whole = argosy("convert", "guild.yml").out
    assert whole.count("kind: Workflow") == 6
    assert argosy("convert", "guild.yml:train").out.count("kind: Workflow") == 1


def test_notes_on_runs(argosy: Argosy, example: Path) -> None:
    assert argosy("run", "prepare-data", "-q").code == 0
    name = _names(argosy)[0]
    assert argosy("tag", name, "--add", "best").code == 0
    assert "best" in argosy("runs", "-o", "json").out
    assert argosy("tag", name, "--delete", "best").code == 0
    assert "best" not in argosy("runs", "-o", "json").out
    assert argosy("tag", name).code == 2
    answer = argosy("cat", name, "tarin.csv")
    assert answer.code == 4
    assert "did you mean train.csv?" in answer.err


def test_the_same_run_again(argosy: Argosy, example: Path) -> None:
    assert argosy("run", "prepare-data", "rows=8", "-q").code == 0
    assert argosy("run", "train", "-q").code == 0
    train = _names(argosy)[0]
    assert argosy("run", "prepare-data", "rows=20", "-q").code == 0
    assert argosy("resubmit", train, "-q").code == 0
    # What the name meant then is taken again, not what is latest now.
    first = argosy("lineage", f"run/{train}").out.splitlines()[2]
    assert first == argosy("lineage", f"run/{_names(argosy)[0]}").out.splitlines()[2]


def test_a_guild_file_by_its_content(argosy: Argosy, folder: Path) -> None:
    (folder / "other.yml").write_text("- model: m\n  operations:\n    a: {exec: 'true'}\n")
    assert argosy("lint", "other.yml").code == 0
    assert argosy("run", "other.yml", "-q").code == 0
    (folder / "two.yml").write_text("- model: m\n  operations: {a: {exec: 'true'}, b: {exec: 'true'}}\n")
    assert "has 2 operations, and none is the default" in argosy("run", "two.yml").err
    assert argosy("run", "two.yml", "m:b", "-q").code == 0


def test_an_operation_with_the_name_of_a_folder(argosy: Argosy, folder: Path) -> None:
    (folder / "train").mkdir()
    (folder / "train" / "__main__.py").write_text("print('from the folder')\n")
    (folder / "guild.yml").write_text("train: {}\n")
    assert argosy("run", "train", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "from the folder"


def test_steps_at_the_same_time_only_when_asked(argosy: Argosy, folder: Path) -> None:
    """Each of two steps waits for the other's sign: one after the other they would never see it."""
    wait = "import os,sys,time\nopen(sys.argv[2]+sys.argv[1],'w').close()\nend=time.time()+10\n"
    wait += "while not os.path.exists(sys.argv[2]+sys.argv[3]):\n    time.sleep(0.02)\n    assert time.time()<end\n"
    (folder / "wait.py").write_text(wait)
    shared = folder / ".shared"
    shared.mkdir()
    text = f"a: {{exec: python wait.py a {shared}/ b}}\nb: {{exec: python wait.py b {shared}/ a}}\n"
    (folder / "guild.yml").write_text(text + "p: {steps: [a, b]}\nq: {parallel: yes, steps: [a, b]}\n")
    for words in (("p", "--parallel"), ("q",)):
        assert argosy("run", *words, "-j", "2", "-q").code == 0
        for one in shared.iterdir():
            one.unlink()
    manifest = argosy("convert", "guild.yml", "p").out
    assert "dag:" not in manifest
    assert "dag:" in argosy("convert", "guild.yml", "q").out


def test_a_search_as_the_operation_says(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(
        "op:\n  exec: 'echo \"score: ${x}\"'\n  flags: {x: 1.0}\n"
        "  objective: {maximize: score}\n  default-max-trials: 3\n  optimizer: gp\n"
    )

    def tried(*words: str) -> dict[str, object]:
        assert argosy("run", "op", *words, "--random-seed", "1", "-q").code == 0
        sweep = next(one for one in _names(argosy) if re.fullmatch(r"op-[a-z0-9]+", one))
        found: dict[str, object] = json.loads(argosy("trials", sweep, "-o", "json").out)["sweep"]
        return {key: found.get(key, "minimize") for key in ("method", "trials", "objective", "direction")}

    best = {"objective": "score", "direction": "maximize"}
    assert tried("x=[0.1:0.9]") == {"method": "random", "trials": 3, **best}
    assert tried("x=[1,2,3,4]") == {"method": "grid", "trials": 4, **best}
    assert tried("x=[0.1:0.9]", "--optimize", "--max-trials", "2") == {"method": "bayesian", "trials": 2, **best}
    assert tried("x=[0.1:0.9]", "--minimize", "score", "--optimizer", "gbrt") == {
        "method": "bayesian",
        "trials": 3,
        "objective": "score",
        "direction": "minimize",
    }
    assert "--optimize is for a sweep" in argosy("run", "op", "--optimize").err


FILES = """
load:
  exec: sh -c 'cat in-*'
  flags: {file: null, n: 1}
  requires: [{file: in-1.txt, name: file}]
pick:
  exec: sh -c 'cat in-*'
  flags: {n: 1}
  requires: [{file: 'in-${n}.txt'}]
make:
  exec: sh -c 'echo $FLAG_X > made.txt'
  flags: {x: 1}
read:
  exec: cat made.txt
  requires: [{operation: make, name: made}]
pipe:
  flags: {other: in-2.txt, n: 2}
  steps: [load, 'load file=${other}', 'load file=in-3.txt', 'pick n=${n}', 'pick n=3', outer]
outer:
  flags: {m: 3}
  steps: ['pick n=${m}']
"""


def test_flags_say_which_files_are_required(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(FILES)
    for number in (1, 2, 3):
        (folder / f"in-{number}.txt").write_text(f"{number}\n")
    (folder / "argosy.toml").write_text('[code]\nrules = ["exclude in-*"]\n')

    def printed(*words: str) -> list[str]:
        assert argosy("run", *words, "-q").code == 0
        return [line.rpartition(" ")[2] for line in argosy("logs", "@latest").out.splitlines()]

    assert printed("load") == ["1"]
    assert printed("load", "file=in-2.txt") == ["2"]
    assert printed("pick", "n=3") == ["3"]
    assert printed("pipe") == ["1", "2", "3", "2", "3", "3"]
    assert printed("pipe", "other=in-3.txt", "n=1") == ["1", "3", "3", "1", "3", "3"]


def test_a_step_chooses_the_run_that_it_takes(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(FILES.partition("pipe:")[0])
    (folder / "in-1.txt").write_text("1\n")
    assert argosy("run", "make", "x=first", "-q").code == 0
    first = _names(argosy)[0]
    (folder / "guild.yml").write_text(
        FILES.partition("pipe:")[0] + f"pipe: {{steps: [make, 'read made={first}', read]}}\n"
    )
    assert argosy("run", "pipe", "-q").code == 0
    assert [line.rpartition(" ")[2] for line in argosy("logs", "@latest").out.splitlines()] == ["first", "1"]


def test_what_is_selected_may_be_code(argosy: Argosy, folder: Path) -> None:
    (folder / "file.txt").write_text("a")
    (folder / "guild.yml").write_text(
        "a: {exec: 'true'}\nb: {exec: cat b.txt, requires: {operation: a, select: file.*, rename: file b}}\n"
        "c: {exec: 'true', requires: {operation: a, select: other}}\n"
    )
    assert argosy("run", "a", "-q").code == 0
    assert argosy("run", "b", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "a"
    assert argosy("run", "c", "-q").code == 1
    assert "nothing in a fits other" in argosy("logs", "@latest").out


def test_what_a_batch_needs_is_run_once_before_it(argosy: Argosy, example: Path) -> None:
    answer = argosy("run", "train", "lr=[0.1,0.2]", "epochs=1")
    assert answer.code == 4
    assert "There is no suitable run for prepare-data: there is no run of it" in answer.err
    assert _names(argosy) == []
    assert argosy("run", "train", "lr=[0.1,0.2]", "epochs=1", "--needed", "-q").code == 0
    names = _names(argosy)
    assert sum(name.startswith("prepare-data") for name in names) == 1
    assert sum(name.startswith("train") for name in names) == 3


def test_a_folder_that_is_selected_is_renamed_as_a_whole(argosy: Argosy, folder: Path) -> None:
    (folder / "guild.yml").write_text(
        "up: {exec: sh -c 'mkdir -p models/sub && echo hi > models/sub/models.txt'}\n"
        "down: {exec: cat inputs/sub/models.txt, requires: {operation: up, select: models, rename: models inputs}}\n"
        "file: {exec: cat place/inputs.txt, requires: [{operation: up, select: .*/models.txt, target-path: place,"
        " rename: models inputs}]}\n"
    )
    for operation in ("up", "down", "file"):
        assert argosy("run", operation, "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "hi"


@pytest.mark.parametrize("name", ["say", "say.py"])
def test_an_operation_with_the_name_of_a_file(argosy: Argosy, folder: Path, name: str) -> None:
    (folder / name).write_text("print('the file')\n")
    (folder / "guild.yml").write_text(f"{name}: {{exec: echo the operation}}\nother: {{exec: 'true'}}\n")
    assert argosy("run", name, "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "the operation"


def test_a_script_is_an_operation_as_it_is(argosy: Argosy, folder: Path) -> None:
    (folder / "say.py").write_text("text = 'hi'\nprint(text)\n")
    (folder / "guild.yml").write_text("other: {exec: 'true'}\n")
    assert argosy("run", "guild.yml:say.py", "text=hello", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "hello"
    assert "defines no workflow" in argosy("run", "say.py").err
