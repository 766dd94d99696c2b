"""A pipeline of tiny scripts from one guild.yml, by argosy and by Guild AI: `python benchmarks/guild.py --guild PATH`.

PATH is the `guild` command of an environment that has guildai 0.9.0 and click 8.1.7 (`pip install guildai==0.9.0
click==8.1.7`, apart from this one's); without it argosy is shown alone. The tools take turns, each call a process of
its own. Overhead is what a step takes beyond what Python takes for its script: pipelines of two lengths are run, so
that what comes once for a whole pipeline is told from what comes with each step.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from engine import ARGOSY, show, timed

STEPS = (3, 9)
SCRIPT = 'print("x: 1")\nwith open("{name}.txt", "w") as file:\n    file.write("1")\n'


def write_project(folder: Path) -> None:
    """One operation for each step, and a pipeline of each length."""
    longest = max(STEPS)
    lines: list[str] = []
    for number in range(longest):
        (folder / f"step{number}.py").write_text(SCRIPT.format(name=f"step{number}"))
        lines += [f"step{number}:", f"  main: step{number}"]
        lines += ["  requires:", f"    - operation: step{number - 1}"] if number else []
    for count in STEPS:
        lines += [f"pipe{count}:", "  steps: [" + ", ".join(f"step{number}" for number in range(count)) + "]"]
    (folder / "guild.yml").write_text("\n".join(lines) + "\n")
    (folder / "argosy.toml").write_text('[run]\nruntime = "process"\n')
    (folder / ".guild").mkdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guild", default="", help="the guild command of another environment")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_project(folder)
        os.environ["GUILD_HOME"] = str(folder / ".guild")
        commands = {"argosy": [ARGOSY, "run", "{}", "-q"]}
        if given.guild:
            commands["guild"] = [str(Path(shutil.which(given.guild) or given.guild).absolute()), "run", "-y", "{}"]
        took: dict[tuple[str, int], list[float]] = {}
        python: list[float] = []
        for _ in range(given.rounds):
            python.append(timed([sys.executable, "step0.py"], folder).seconds)
            for name, command in commands.items():
                for count in STEPS:
                    words = [word.format(f"pipe{count}") for word in command]
                    took.setdefault((name, count), []).append(timed(words, folder).seconds)
    script = statistics.median(python)
    rows: list[tuple[str, ...]] = []
    for name in commands:
        short, long = (statistics.median(took[name, count]) for count in STEPS)
        step = (long - short) / (STEPS[1] - STEPS[0])
        rows.append((name, f"{short:.3f}", f"{long:.3f}", f"{step * 1000:.1f}", f"{(step - script) * 1000:.1f}"))
    rows.append(("python, one script", "", "", f"{script * 1000:.1f}", ""))
    head = ("", f"{STEPS[0]} steps, s", f"{STEPS[1]} steps, s", "a step, ms", "beyond the script, ms")
    show("a pipeline of tiny scripts", head, rows)


if __name__ == "__main__":
    main()
