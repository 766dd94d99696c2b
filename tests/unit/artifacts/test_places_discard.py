"""Removing folders, those that nobody may write to among them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from argosy.artifacts.places import discard

# As somebody whom modes bind, whoever runs the tests.
SCRIPT = """
import os, shutil, sys  # shutil now: it may be out of reach later
from pathlib import Path
from argosy.artifacts.places import discard
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
folder = Path(sys.argv[1], "folder")
(folder / "inner").mkdir(parents=True)
(folder / "inner" / "file").touch()
(folder / "link").symlink_to("inner")
for one in (folder / "inner", folder):
    one.chmod(0o555)
discard(folder)
sys.exit(folder.exists())
"""


def test_read_only_folders_go_too() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o777)
        done = subprocess.run([sys.executable, "-c", SCRIPT, place], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_what_is_not_there(tmp_path: Path) -> None:
    discard(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []
