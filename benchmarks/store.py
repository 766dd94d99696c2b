"""How fast the artifact store is, side by side with `cp` and `sha256sum` on the same disk.

Run: python benchmarks/store.py [--size-mb 1024] [--rounds 3]. Prints the best of the rounds for each line.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from argosy.artifacts.store import Store


def best_of(rounds: int, action: Callable[[int], object]) -> float:
    """The shortest of several runs, in seconds."""
    times: list[float] = []
    for number in range(rounds):
        start = time.perf_counter()
        action(number)
        times.append(time.perf_counter() - start)
    return min(times)


def plain_copy(source: Path, target: Path, *, durable: bool) -> None:
    """What people do by hand: copy the file, then hash it."""
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)
    if durable:
        subprocess.run(["sync", target], check=True)


def big_file(folder: Path, size_mb: int, rounds: int) -> None:
    """One big file in and out, against `cp` and `sha256sum`."""
    source = folder / "big"
    with source.open("wb") as file:
        for _ in range(size_mb):
            file.write(os.urandom(1 << 20))
    os.sync()

    def put(number: int) -> None:
        Store.open(folder / f"store{number}").put(source)

    def put_without_sync(number: int) -> None:
        Store.open(folder / f"lazy{number}").put(source, sync=False)

    by_hand = best_of(rounds, lambda n: plain_copy(source, folder / f"copy{n}", durable=False))
    clear(folder, "copy")
    by_hand_durable = best_of(rounds, lambda n: plain_copy(source, folder / f"copy{n}", durable=True))
    clear(folder, "copy")
    lazily = best_of(rounds, put_without_sync)
    clear(folder, "lazy")
    durably = best_of(rounds, put)
    store = Store.open(folder / "store0")
    digest = store.put(source)
    clear(folder, "store", keep="store0")
    out = best_of(rounds, lambda n: store.materialize(digest, folder / f"out{n}"))
    clear(folder, "out")
    link = best_of(rounds, lambda n: store.materialize(digest, folder / f"link{n}", writable=False))
    clear(folder, "link")
    clear(folder, "store")
    print(f"one file of {size_mb} MB                        seconds   MB/s   speed of cp + sha256sum")
    show("cp + sha256sum", by_hand, size_mb, by_hand)
    show("put, not yet durable", lazily, size_mb, by_hand)
    show("materialize (verified copy)", out, size_mb, by_hand)
    show("materialize, read only (verified once)", link, size_mb, by_hand)
    show("cp + sha256sum + sync", by_hand_durable, size_mb, by_hand_durable)
    show("put, durable", durably, size_mb, by_hand_durable)
    source.unlink()


def show(name: str, seconds: float, size_mb: int, against: float) -> None:
    """One line of the table of the big file."""
    print(f"  {name:40s} {seconds:8.2f} {size_mb / max(seconds, 1e-9):7.0f} {against / max(seconds, 1e-9):9.2f}")


def many_small_files(folder: Path, count: int, rounds: int) -> None:
    """A folder of many small files, and many small puts that share their syncs or not."""
    source = folder / "many"
    source.mkdir()
    for number in range(count):
        (source / f"{number:06}").write_bytes(os.urandom(1000))
    os.sync()
    first = best_of(rounds, lambda n: Store.open(folder / f"store{n}").put(source))
    store = Store.open(folder / "store0")
    again = best_of(rounds, lambda n: store.put(source))
    digest = store.put(source)
    copied = best_of(rounds, lambda n: store.materialize(digest, folder / f"out{n}"))
    linked = best_of(rounds, lambda n: store.materialize(digest, folder / f"ro{n}", writable=False))
    by_hand = best_of(rounds, lambda n: subprocess.run(["cp", "-r", source, folder / f"copy{n}"], check=True))
    few = min(count, 200)
    # What the rounds above wrote is not to be paid for below.
    os.sync()
    each = best_of(1, lambda n: [store.put_bytes(os.urandom(100)) for _ in range(few)])

    def together(number: int) -> None:
        for _ in range(few):
            store.put_bytes(os.urandom(100), sync=False)
        store.sync()

    os.sync()
    shared = best_of(1, together)
    print(f"{count} files of 1 kB                          seconds   microseconds each")
    for name, seconds in (
        ("cp -r", by_hand),
        ("put the folder", first),
        ("put it again", again),
        ("materialize (verified copies)", copied),
        ("materialize, read only (links)", linked),
    ):
        print(f"  {name:40s} {seconds:8.2f} {seconds / count * 1e6:9.0f}")
    print(f"  {f'{few} puts, a sync each':40s} {each:8.2f} {each / few * 1e6:9.0f}")
    print(f"  {f'{few} puts, one sync':40s} {shared:8.2f} {shared / few * 1e6:9.0f}")


def clear(folder: Path, start: str, *, keep: str = "") -> None:
    """Remove what a round made."""
    for path in folder.glob(f"{start}*"):
        if path.name != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mb", type=int, default=1024)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to measure")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        big_file(Path(name), given.size_mb, given.rounds)
        many_small_files(Path(name), given.files, given.rounds)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
