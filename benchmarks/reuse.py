"""A run of unchanged steps with --cache beside doit, Snakemake and ninja: `python benchmarks/reuse.py`.

`--nodes N` (10,000 unless told) and `--rounds N`. Each tool builds the same graph once, which is not counted, and is
then called again with nothing changed; the whole process is timed, the tools taking turns. A step of a tool makes one
file of one number. argosy is shown twice: with steps that give a parameter, and with steps that give a file, whose
content is hashed before it is used again; the others look at the times of files.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine import ARGOSY, HERE, MIB, Took, program, show, timed

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: bench-}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - name: all
            template: leaf
            arguments: {parameters: [{name: number, value: "{{item}}"}]}
            withSequence: {count: NODES}
    - name: leaf
      inputs: {parameters: [{name: number}]}
"""
PARAMETER = """\
      outputs: {parameters: [{name: number, value: "{{inputs.parameters.number}}"}]}
      container: {image: 'alpine:3.23', command: [/bin/true]}
"""
ARTIFACT = """\
      outputs: {artifacts: [{name: file, path: file}]}
      container: {image: 'alpine:3.23', command: [sh, -c], args: ["echo {{inputs.parameters.number}} > file"]}
"""
SNAKEFILE = """\
rule all:
    input: expand("out/{number}", number=range(NODES))

rule one:
    output: "out/{number}"
    shell: "echo {wildcards.number} > {output}"
"""
DODO = """\
from doit.tools import config_changed


def task_one():
    for number in range(NODES):
        yield {
            "name": str(number),
            "actions": [f"echo {number} > out/{number}"],
            "targets": [f"out/{number}"],
            "uptodate": [config_changed(str(number))],
        }
"""


class Tool:
    """How a tool is called, in a folder of its own."""

    def __init__(self, name: str, folder: Path, command: list[str]) -> None:
        self.name, self.folder, self.command = name, folder, command
        self.taken: list[Took] = []

    def call(self) -> Took:
        return timed(self.command, self.folder)


def argosy(name: str, folder: Path, nodes: int, leaf: str) -> Tool:
    (folder / "graph.yaml").write_text(HEAD.replace("NODES", str(nodes)) + leaf)
    arguments = ["run", "graph.yaml", "--cache", "-q", "--runtime", "process", "--home", str(folder / "home")]
    return Tool(name, folder, [ARGOSY, *arguments])


def ninja(path: str, folder: Path, nodes: int) -> Tool:
    lines = ["rule one", "  command = echo $number > $out"]
    for number in range(nodes):
        lines += [f"build out/{number}: one", f"  number = {number}"]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")
    return Tool("ninja", folder, [path, "--quiet"])


def doit(path: str, folder: Path, nodes: int) -> Tool:
    (folder / "dodo.py").write_text(DODO.replace("NODES", str(nodes)))
    (folder / "out").mkdir()
    return Tool("doit", folder, [path, "-v", "0"])


def snakemake(path: str, folder: Path, nodes: int) -> Tool:
    (folder / "Snakefile").write_text(SNAKEFILE.replace("NODES", str(nodes)))
    return Tool("snakemake", folder, [path, "--cores", "4", "--quiet", "all"])


OTHERS: dict[str, Callable[[str, Path, int], Tool]] = {"doit": doit, "ninja": ninja, "snakemake": snakemake}


def tools(folder: Path, nodes: int) -> list[Tool]:
    found: list[Tool] = []
    for name, leaf in (("argosy", PARAMETER), ("argosy, files", ARTIFACT)):
        place = folder / name.replace(", ", "-")
        place.mkdir()
        found.append(argosy(name, place, nodes, leaf))
    for name, make in OTHERS.items():
        path = program(name)
        if path is None:
            print(f"{name} is not here" + (": pip install '.[bench]' brings it" if name != "snakemake" else ""))
            continue
        place = folder / name
        place.mkdir()
        found.append(make(path, place, nodes))
    return found


def check(tool: Tool, nodes: int) -> None:
    """The last run of argosy reused every step."""
    home = ["--home", str(tool.folder / "home")]
    said = subprocess.run([ARGOSY, "list", "-n", "1", *home], capture_output=True, text=True, check=True).stdout
    if f"({nodes} reused)" not in said:
        sys.exit(f"not every step was reused:\n{said}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--nodes", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=HERE))
    try:
        compared = tools(folder, given.nodes)
        first = {tool.name: tool.call().seconds for tool in compared}
        for _ in range(given.rounds):
            for tool in compared:
                tool.taken.append(tool.call())
        for tool in compared:
            if tool.command[0] == ARGOSY:
                check(tool, given.nodes)
        rows: list[tuple[str, ...]] = []
        for tool in compared:
            seconds = [one.seconds for one in tool.taken]
            peak = max(one.peak_bytes for one in tool.taken)
            rows.append(
                (
                    tool.name,
                    f"{min(seconds):.2f}",
                    f"{statistics.median(seconds):.2f}",
                    f"{min(seconds) / given.nodes * 1e6:.0f}",
                    f"{peak / MIB:.0f}",
                    f"{first[tool.name]:.1f}",
                )
            )
        head = ("", "least s", "median s", "us a step", "peak MiB", "first run s")
        show(f"{given.nodes:,} unchanged steps, whole process (aim: 1.50 s)", head, rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
