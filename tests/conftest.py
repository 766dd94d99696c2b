"""What holds for every test: the key of secrets is one of the tests' own, never the person's."""

from __future__ import annotations

from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="session")
def key_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOSY_KEY_FILE", str(tmp_path_factory.mktemp("key") / "secrets.key"))
        yield
