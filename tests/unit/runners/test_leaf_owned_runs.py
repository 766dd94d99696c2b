"""resource templates that make a run of their own and wait for it: taken up, driven on, retried, ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from leaf_surroundings import Surroundings

from argosy.model.events import AttemptExited
from argosy.runners.local.context import Objects
from argosy.runners.local.leaves.resource import MOST_DRIVERS

RUN = json.dumps(
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "job"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]},
    }
)
RESOURCE = {
    "action": "apply",
    "manifest": RUN,
    "setOwnerReference": True,
    "successCondition": "status.phase == Succeeded",
    "failureCondition": "status.phase in (Failed, Error)",
}


class Asked(Surroundings):
    """Surroundings that note what is asked of runs."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.driven: list[bool] = []
        self.ends = ["ending", "over"]
        self.ended: list[str] = []
        shelf = self.shelf
        objects = Objects(get=shelf.get, put=shelf.put, delete=shelf.delete, go_on=self._go_on, end=self._end)
        self.context = msgspec.structs.replace(self.context, objects=objects)

    def _go_on(self, name: str, again: bool) -> None:
        self.driven.append(again)
        if again and self.job["status"]["phase"] == "Failed":
            self.job["status"] = {"phase": "Succeeded"}

    def _end(self, name: str, owner: str) -> str:
        assert (name, owner) == ("job", "the-run")
        self.ended.append(name)
        return self.ends[min(len(self.ended), len(self.ends)) - 1]

    @property
    def job(self) -> dict[str, Any]:
        return self.shelf.kept["Workflow", "job"]

    def keep(self, phase: str, uid: str = "uid-1", **status: Any) -> None:
        self.shelf.kept["Workflow", "job"] = json.loads(RUN)
        self.job["metadata"]["ownerReferences"] = [{"uid": uid}]
        self.job["status"] = {"phase": phase, **status}

    def act(self, **how: Any) -> AttemptExited:
        return self.run({"resource": RESOURCE}, **how)


@pytest.fixture
def here(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_new_run_is_made_once_and_owned(here: Asked) -> None:
    def later(count: int) -> None:
        if ("Workflow", "job") in here.shelf.kept:
            here.job["status"] = {"phase": "Succeeded"}

    here.shelf.later = later
    assert here.act().phase == "Succeeded"
    assert here.job["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    assert here.driven == []


def test_a_run_that_is_there_already_goes_on(here: Asked) -> None:
    here.keep("Succeeded")
    assert here.act().phase == "Succeeded"
    assert here.driven == [True]


def test_another_run_of_that_name_is_left_alone(here: Asked) -> None:
    here.keep("Succeeded", uid="uid-2")
    ended = here.act()
    assert (ended.phase, "is another run already" in ended.message) == ("Failed", True)
    assert here.driven == []


def test_a_failed_run_is_retried_by_a_new_attempt(here: Asked) -> None:
    here.keep("Failed")
    assert here.act().phase == "Succeeded"


def test_a_failed_run_is_not_retried_twice_by_one_attempt(here: Asked) -> None:
    here.keep("Succeeded")
    assert here.act().phase == "Succeeded"
    # The driver died before it had written that down, and the run is found failed: the same attempt goes on.
    here.job["status"] = {"phase": "Failed"}
    assert here.act().phase == "Failed"
    assert here.driven == [True, False]


def test_a_run_whose_driver_died_is_driven_on(here: Asked) -> None:
    interrupted = [{"type": "Interrupted", "status": "True"}]
    here.keep("Running", conditions=interrupted)

    def later(count: int) -> None:
        if len(here.driven) > 2:
            here.job["status"] = {"phase": "Succeeded"}

    here.shelf.later = later
    assert here.act().phase == "Succeeded"
    assert here.driven == [True, False, False]


def test_a_run_that_loses_every_driver_is_given_up(here: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.runners.local.leaves.resource.LAST_LOOK_SECONDS", 0.0)
    here.keep("Running", conditions=[{"type": "Interrupted", "status": "True"}])
    ended = here.act()
    assert (ended.phase, "lost its driver" in ended.message) == ("Failed", True)
    assert len(here.driven) == MOST_DRIVERS + 1


def test_a_run_is_ended_with_the_one_that_waits_for_it(here: Asked) -> None:
    here.keep("Running")
    ended = here.act(cancelled=lambda: here.shelf.looked > 2)
    assert (ended.phase, "was stopped" in ended.message) == ("Failed", True)
    assert here.ended == ["job", "job"]
    assert "Workflow job is over" in here.log()


def test_a_driver_that_only_leaves_ends_nothing(here: Asked) -> None:
    here.ends = [""]
    here.keep("Running")
    here.act(cancelled=lambda: here.shelf.looked > 2)
    assert here.ended == ["job"]
    assert "Workflow job goes on" in here.log()


def test_nothing_is_made_once_it_is_stopped(here: Asked) -> None:
    ended = here.act(cancelled=lambda: True)
    assert (ended.phase, "stopped before it began" in ended.message) == ("Failed", True)
    assert here.shelf.kept == {}
