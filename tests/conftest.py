"""What holds for every test: the key of secrets is one of the tests' own, never the person's; interrupts are heard."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="session")
def key_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOSY_KEY_FILE", str(tmp_path_factory.mktemp("key") / "secrets.key"))
        yield


@pytest.fixture(autouse=True, scope="session")
def interrupts() -> None:
    """A shell has what it starts in the background ignore SIGINT, and so would every command that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
