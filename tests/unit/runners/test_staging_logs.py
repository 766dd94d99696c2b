"""Reading logs back: whole, their end, as they grow, and without secrets."""

from __future__ import annotations

import json
import os
import threading
import time
import tracemalloc
from io import FileIO
from pathlib import Path

import pytest
from attempt_bench import AttemptBench
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import EnvironmentTrouble, NotFound
from argosy.runners.local.logs import AttemptLogs, Mask, offset_of_tail, saved_log
from argosy.runners.local.staging import prepare


def prepared(bench: AttemptBench, text: bytes = b"", **more: object) -> tuple[AttemptLogs, Path]:
    """An attempt with this log, as it was when logs were kept as they were written and masked when they were read."""
    start = bench.sh("true", **more)  # type: ignore[arg-type]
    pod = prepare(start, bench.context, bench.options)
    if pod.write_record is not None:
        pod.write_record()
    folder = bench.context.attempt_folder(start.node)
    record = json.loads((folder / "attempt.json").read_bytes())
    if record.pop("masked", False) and "volumes" in more:
        record["secretVolumes"] = list(record["secrets"])
    (folder / "attempt.json").write_text(json.dumps(record))
    (folder / "main.log").write_bytes(text)
    return AttemptLogs(folder, bench.context.secret), folder


def text(logs: AttemptLogs, **more: object) -> bytes:
    return b"".join(line.data for line in logs.lines(**more))  # type: ignore[arg-type]


def test_all_lines_with_the_last_that_has_no_newline(bench: AttemptBench) -> None:
    logs, _ = prepared(bench, b"one\ntwo\r\n\xff\x1b[1m\nlast")
    found = list(logs.lines())
    assert [line.data for line in found] == [b"one\n", b"two\r\n", b"\xff\x1b[1m\n", b"last"]
    assert {line.container for line in found} == {"main"}


def test_a_container_that_said_nothing(bench: AttemptBench) -> None:
    logs, folder = prepared(bench)
    (folder / "main.log").unlink()
    assert text(logs) == b""
    with pytest.raises(NotFound, match="other"):
        text(logs, containers=("other",))
    with pytest.raises(NotFound):
        AttemptLogs(folder / "none", bench.context.secret)


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), max_size=30),
    ends=st.booleans(),
    tail=st.integers(0, 40),
)
def test_the_tail_is_that_of_a_list(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ends: bool, tail: int
) -> None:
    whole = [line + b"\n" for line in lines]
    if not ends:
        whole.append(b"without a newline")
    path = tmp_path_factory.mktemp("tail") / "log"
    path.write_bytes(b"".join(whole))
    with FileIO(path) as file:
        file.seek(offset_of_tail(file, tail))
        assert file.readall() == b"".join(whole[max(0, len(whole) - tail) :])


def test_the_tail_of_a_long_log(bench: AttemptBench) -> None:
    logs, _ = prepared(bench, b"".join(b"line %d\n" % number for number in range(100_000)))
    assert text(logs, tail=2) == b"line 99998\nline 99999\n"
    assert text(logs, tail=0) == b""
    assert text(logs, tail=20_000).startswith(b"line 80000\n")


def test_memory_stays_the_same(bench: AttemptBench) -> None:
    logs, folder = prepared(bench)
    with (folder / "main.log").open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 100_000)
        for _ in range(200):
            file.write(b"word\n" * 20_000)
    tracemalloc.start()
    total = sum(len(line.data) for line in logs.lines())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 40_000_000
    assert peak < 4_000_000


def test_following_a_log_to_its_end(bench: AttemptBench) -> None:
    logs, folder = prepared(bench, b"first\nha")
    over = threading.Event()

    def write() -> None:
        time.sleep(0.15)
        with (folder / "main.log").open("ab") as file:
            file.write(b"lf\nsecond\nend")
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    found = [line.data for line in logs.lines(until=over.is_set)]
    writer.join()
    assert found == [b"first\n", b"half\n", b"second\n", b"end"]


def test_old_files_are_left_out(bench: AttemptBench) -> None:
    logs, folder = prepared(bench, b"old\n")
    os.utime(folder / "main.log", (1000, 1000))
    assert text(logs, since=2000) == b""
    assert text(logs, since=500) == b"old\n"


ENV = {"env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}]}


def test_secrets_are_masked_also_across_pieces(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2hunter2", other="visible")
    secret = b"hunter2hunter2"
    long_line = b"x" * 65_530 + secret + b"y" * 200_000 + secret + b"\n"
    logs, _ = prepared(bench, b"it is hunter2hunter2, visible\n" + long_line, container=ENV)
    found = text(logs)
    assert found.startswith(b"it is ***, visible\n")
    assert secret not in found
    assert found.count(b"***") == 3
    assert len(found) == len(b"it is ***, visible\n" + long_line) - 2 * len(secret) + 6


def test_secrets_of_volumes_are_masked(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2", other="hidden too")
    more = {
        "container": {"volumeMounts": [{"name": "s", "mountPath": "/s"}]},
        "volumes": [{"name": "s", "secret": {"secretName": "login"}}],
    }
    logs, _ = prepared(bench, b"hunter2 and hidden too\n", **more)
    assert text(logs) == b"*** and ***\n"


def test_a_log_that_cannot_be_masked_is_not_shown(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2")
    logs, _ = prepared(bench, b"hunter2\n", container=ENV)
    bench.secrets.clear()
    with pytest.raises(EnvironmentTrouble, match="login"):
        text(logs)


def test_a_saved_log_is_masked(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2")
    _, folder = prepared(bench, b"my hunter2\n", container=ENV)
    saved = saved_log(bench.context, folder.name, "main")
    assert saved is not None
    assert saved.read_text() == "my ***\n"
    (folder / "main.log").unlink()
    assert saved_log(bench.context, folder.name, "main") is None


def test_what_was_masked_when_it_was_written_needs_no_secret(bench: AttemptBench) -> None:
    bench.add_secret("login", password="hunter2")
    start = bench.sh("true", container=ENV)
    prepare(start, bench.context, bench.options)
    folder = bench.context.attempt_folder(start.node)
    (folder / "main.log").write_text("my ***\n")
    bench.secrets.clear()
    assert text(AttemptLogs(folder, bench.context.secret)) == b"my ***\n"
    assert saved_log(bench.context, start.node, "main") == folder / "main.log"


def test_a_mask_without_secrets_changes_nothing() -> None:
    assert Mask([]).hold == 0
    assert Mask([]).apply(b"code=1 Bearer abc") == b"code=1 Bearer abc"
