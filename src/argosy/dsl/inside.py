"""What a step that is a Python function runs: `python -m argosy.dsl.inside FILE.py:NAME`.

It knows the function, its arguments and where its results go, not who started it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from argosy.dsl.loading import load_target


def call(target: str, root: Path) -> int:
    """Calls the function that a target names, found below root, and gives the exit code of the step.

    Its arguments come from the environment and the working folder, where its results go too.
    """
    function = load_target(target, root)
    if not callable(function):
        print(f"{target} is not a function", file=sys.stderr)
        return 1
    function()
    return 0


if __name__ == "__main__":
    sys.exit(call(sys.argv[1], Path.cwd()))
