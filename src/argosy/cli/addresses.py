"""The addresses of apps that a run's steps are: said once each, as soon as the app has written its own.

It knows the line that an app's step begins with, not how steps run. It looks from a thread, as nothing else happens
in a run whose app waits for people.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy.model.status import Node, Phase
from argosy.project.step_files import address_of

PAUSE_SECONDS = 0.2


class Addresses:
    """folder: of the run's own files. templates: the names of those that are apps; nothing is done without any."""

    def __init__(self, folder: Path, generation: int, templates: frozenset[str], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._generation = generation
        self._templates = templates
        self._say = say
        # By node: its name. The driver's thread adds, the looking one takes.
        self._waiting: dict[str, str] = {}
        self._seen: set[str] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, nodes: Mapping[str, Node]) -> None:
        """How the run stands now."""
        if not self._templates:
            return
        for id, node in nodes.items():
            if id not in self._seen and node.template_name in self._templates and node.phase is Phase.RUNNING:
                self._seen.add(id)
                self._waiting[id] = node.display_name
        if self._waiting and self._thread is None:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def end(self) -> None:
        """The run is over."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            for id, name in list(self._waiting.items()):
                address = address_of(self._folder, id, self._generation)
                if address:
                    del self._waiting[id]
                    self._say(f"{name} is at {address}")
