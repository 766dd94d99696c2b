"""How fast datasets are added and fetched, side by side with `cp -r` and `tar` on the same disk in the same minute.

Run: python benchmarks/datasets.py [--files 10000] [--size-mb 1024] [--rounds 3]. Prints the best of the rounds for each
line, and what a second version that changes one file adds to the store: objects and bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ARGOSY = [sys.executable, "-m", "argosy"]


def best_of(rounds: int, action: Callable[[int], object]) -> float:
    """The shortest of several runs, in seconds."""
    times: list[float] = []
    for number in range(rounds):
        start = time.perf_counter()
        action(number)
        times.append(time.perf_counter() - start)
    return min(times)


def call(*arguments: str | Path) -> None:
    """One command, which has to succeed."""
    subprocess.run([str(one) for one in arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def many_files(folder: Path, count: int) -> None:
    """Small files, 100 in a folder."""
    for number in range(count):
        inside = folder / f"{number // 100:04d}"
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{number:06d}.txt").write_bytes(os.urandom(1000 + number % 3000))


def one_file(folder: Path, size_mb: int) -> None:
    """One big file, and a small one beside it."""
    folder.mkdir(parents=True)
    with (folder / "big.bin").open("wb") as file:
        for _ in range(size_mb):
            file.write(os.urandom(1 << 20))
    (folder / "labels.csv").write_bytes(os.urandom(1000))


def stored(home: Path) -> tuple[int, int]:
    """How many objects a store has, and their bytes."""
    found = [one for part in ("objects", "trees") for one in (home / "store" / part).rglob("*") if one.is_file()]
    return len(found), sum(one.stat().st_size for one in found)


def measure(name: str, work: Path, source: Path, changed: Path, rounds: int) -> None:
    """Add, add again, fetch; `cp -r` and `tar` beside each."""
    os.sync()
    copies = best_of(rounds, lambda n: call("cp", "-r", source, work / f"copy{n}"))
    durable = best_of(rounds, lambda n: (call("cp", "-r", source, work / f"durable{n}"), os.sync()))
    tars = best_of(rounds, lambda n: call("tar", "-cf", work / f"{n}.tar", source))
    clear(work, "copy", "durable")
    home = work / "home0"
    adds = best_of(rounds, lambda n: call(*ARGOSY, "datasets", "add", "data", source, "--home", work / f"home{n}"))
    clear(work, *(f"home{number}" for number in range(1, rounds)))
    same = best_of(rounds, lambda n: call(*ARGOSY, "datasets", "add", "data", source, "--home", home))
    before = stored(home)

    def change(number: int) -> None:
        changed.write_bytes(os.urandom(1000 + number))
        call(*ARGOSY, "datasets", "add", "data", source, "--home", home)

    once = best_of(1, change)
    after = stored(home)
    gets = best_of(rounds, lambda n: call(*ARGOSY, "datasets", "get", "data", "-d", work / f"got{n}", "--home", home))
    clear(work, "got")
    (work / "out").mkdir()
    untar = best_of(rounds, lambda n: call("tar", "-xf", work / f"{n}.tar", "-C", work / "out"))
    clear(work, "out", *(f"{number}.tar" for number in range(rounds)))
    print(f"{name}                           seconds   times of cp -r")
    for line, seconds in (
        ("cp -r", copies),
        ("cp -r; sync", durable),
        ("tar -cf", tars),
        ("tar -xf", untar),
        ("datasets add (durable)", adds),
        ("datasets add, nothing changed", same),
        ("datasets add, one file changed", once),
        ("datasets get (verified)", gets),
    ):
        print(f"  {line:40s} {seconds:8.2f} {seconds / copies:9.1f}")
    print(f"  one file changed adds {after[0] - before[0]} objects, {after[1] - before[1]} bytes of {after[1]}")


def clear(folder: Path, *names: str) -> None:
    """Remove what begins with one of the names."""
    for path in folder.iterdir():
        if path.name.startswith(names) if names else False:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size-mb", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="argosy-datasets-") as text:
        work = Path(text)
        source = work / "source"
        many_files(source, given.files)
        measure(f"{given.files} small files", work, source, source / "0000" / "000000.txt", given.rounds)
        shutil.rmtree(work)
        work.mkdir()
        one_file(source, given.size_mb)
        measure(f"one file of {given.size_mb} MB", work, source, source / "labels.csv", given.rounds)


if __name__ == "__main__":
    main()
