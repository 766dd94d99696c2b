"""`argosy restart`, as dstack's users call `argosy resubmit`.

It knows the name only.
"""

from __future__ import annotations

from copy import copy

from argosy.cli.resubmit import command as resubmit

command = copy(resubmit)
command.name = "restart"
