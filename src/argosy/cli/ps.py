"""`argosy ps`, as dstack's users call `argosy runs`.

It knows the name only.
"""

from __future__ import annotations

from copy import copy

from argosy.cli.runs import command as runs

command = copy(runs)
command.name = "ps"
