"""What of the host is in a sandbox: not where containers' mounts come and go."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from argosy.runners.local.runtimes import layers
from argosy.runners.local.runtimes.layers import HostLayers, Layers
from argosy.runners.local.runtimes.sandbox import SandboxRuntime


def _bound(host: HostLayers) -> list[str]:
    return [host.options[place + 1] for place, word in enumerate(host.options) if word == "--ro-bind"]


def test_a_folder_with_a_store_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("lib/containers/storage", "lib/data/files", "lib/empty", "other/things"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "link").symlink_to("other")
    host = HostLayers([])
    top = str(tmp_path)
    host.folders = [top, "/usr"]
    monkeypatch.setattr(layers, "SYSTEMS_OWN", frozenset())
    host._divide([f"{top}/lib/containers", f"{top}/lib/docker"])
    assert sorted(host.folders) == sorted(["/usr", f"{top}/lib/data", f"{top}/other"])
    assert host.links[f"{top}/link"] == "other"


def test_no_store_and_nothing_above_one_is_bound() -> None:
    bound = _bound(HostLayers())
    assert "/usr" in bound
    assert "/run" not in bound
    present = [store for store in layers.STORES if Path(store).is_dir()]
    assert [(one, store) for store in present for one in bound if f"{store}/".startswith(f"{one}/")] == []


def test_without_stores_a_folder_is_bound_whole() -> None:
    assert "/var" in _bound(HostLayers([]))


def test_links_that_were_made_are_not_made_again(tmp_path: Path) -> None:
    host = HostLayers()
    (tmp_path / "odd").symlink_to("usr")
    host.options = (*host.options, "--symlink", "usr", "/odd", "--symlink", "usr", "/new")
    options = Layers(host, str(tmp_path)).options()
    assert "/odd" not in options
    assert "/new" in options


def test_what_steps_need_of_var_and_run_is_there() -> None:
    runtime = SandboxRuntime()
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    host = HostLayers()
    script = "test -d /run && test -w /run && test -d /var/tmp && cat /etc/resolv.conf >/dev/null && ls -d /var/*"
    argv = [runtime._bwrap, *host.options, "--unshare-pid", "--", "sh", "-c", script]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    # Not even the mounts of others are in its table.
    mounts = subprocess.run([*argv[:-3], "cat", "/proc/self/mounts"], capture_output=True, text=True, check=True)
    places = [line.split()[1] for line in mounts.stdout.splitlines()]
    assert [place for place in places if "/containers/" in place or "/netns" in place] == []
