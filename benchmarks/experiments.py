"""Lists and comparisons of many runs beside a bare start: `python benchmarks/experiments.py [--runs N] [--rounds N]`.

Makes a record of N runs with 20 parameters and 20 metrics each, through the functions that write one, and prints what
each command takes, as a process of its own, and what that is more than `argosy version`. The commands take turns, so
that a busy moment of the machine meets all of them. The aim is 0.5 s more than a bare start at 10,000 runs.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from argosy.record.experiments import Experiments, Gathered, Series
from argosy.record.journal import Journal, NewRun

ARGOSY = str(Path(sys.executable).parent / "argosy")
EACH = 20
POINTS = 10
AIM_SECONDS = 0.5


def make_record(path: Path, runs: int) -> None:
    """A record of finished runs."""
    journal = Journal.open(path, now=time.time)
    experiments = Experiments(journal.database)
    dice = random.Random(7)
    begin = time.time() - runs * 60
    for start in range(0, runs, 1000):
        with journal.database.write():
            for number in range(start, min(runs, start + 1000)):
                add_run(journal, experiments, dice, number, begin + number * 60)
    journal.database.execute("UPDATE runs SET phase = 'Succeeded', finished = 1, started_at = created_at + 1")
    journal.database.execute("UPDATE runs SET finished_at = created_at + 30")
    journal.close()


def add_run(journal: Journal, experiments: Experiments, dice: random.Random, number: int, created_at: float) -> None:
    """One run with its parameters, metrics and now and then a label."""
    parameters = [{"name": f"p{i:02}", "value": str(dice.choice((0.1, 0.01, 0.001, "adam", i)))} for i in range(EACH)]
    manifest = {"metadata": {"generateName": "train-"}, "spec": {"arguments": {"parameters": parameters}}}
    run_id = journal.create_run(
        NewRun(
            name=f"train-{number:06}",
            uid=f"uid-{number:06}",
            namespace="default",
            created_at=created_at,
            manifest=msgspec.json.encode(manifest),
        )
    )
    series: list[Series] = []
    for i in range(EACH):
        values = [dice.random() for _ in range(POINTS)]
        series.append(Series(name=f"m{i:02}", source="output", steps=range(POINTS), values=values, at=created_at))
    experiments.put(run_id, [Gathered(node=f"node-{number}", step="train", series=tuple(series))], done=True)
    if number % 10 == 0:
        experiments.note(run_id, label="tuned")


COMMANDS: dict[str, list[str]] = {
    "version (a bare start)": ["version"],
    "list": ["list"],
    "runs": ["runs"],
    "runs --where --sort": ["runs", "-w", "m03 < 0.3 and p04 = 0.01 and label = tuned", "-s", "m07"],
    "runs --where --sort --all -o csv": [
        "runs",
        "-w",
        "m03 < 0.5 or not p04 = 0.01",
        "-s",
        "-p07",
        "--all",
        "-o",
        "csv",
    ],
    "compare of 100": ["compare", "-n", "100", "-s", "-m05"],
    "compare of 100 -o csv": ["compare", "-w", "m01 > 0.2", "-n", "100", "-o", "csv"],
    "runs of a name that is none": ["runs", "-w", "m99 < 1"],
}


def main() -> None:
    """Make the record, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        began = time.monotonic()
        make_record(home / "argosy.db", given.runs)
        size = (home / "argosy.db").stat().st_size
        print(f"{given.runs} runs made in {time.monotonic() - began:.1f} s; {size >> 20} MiB")
        took: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(given.rounds):
            for name, command in COMMANDS.items():
                more = [] if command == ["version"] else ["--home", str(home)]
                start = time.monotonic()
                subprocess.run([ARGOSY, *command, *more], cwd=folder, capture_output=True, check=False)
                took[name].append(time.monotonic() - start)
        bare = statistics.median(took["version (a bare start)"])
        print(f"{'command':<36}{'median s':>10}{'more than a bare start':>24}")
        for name, times in took.items():
            median = statistics.median(times)
            print(f"{name:<36}{median:>10.3f}{median - bare:>24.3f}")
        print(f"the aim: {AIM_SECONDS} s more than a bare start")


if __name__ == "__main__":
    main()
