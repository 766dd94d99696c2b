"""A workflow in Python means what Python means: random programs are traced and run, and called as they stand.

ARGOSY_PROGRAMS says how many there are; some hundreds unless it does.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import program_steps as steps
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_writer import program
from random_programs import Function

from argosy.checks.catalog import DocumentCatalog
from argosy.checks.check import check
from argosy.dialects import argo
from argosy.dsl import codec
from argosy.dsl.inside import elements
from argosy.dsl.shapes import Dir, File, Json, Many, Shape, Text, leaves, shape_of
from argosy.project.in_process import InProcess, run_in_process

COUNT = int(os.environ.get("ARGOSY_PROGRAMS", "300"))


@pytest.fixture(autouse=True, scope="module")
def fast_folder() -> Iterator[None]:
    """Many small files, which a disk need not see."""
    before = tempfile.tempdir
    around = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    tempfile.tempdir = made = tempfile.mkdtemp(prefix="argosy-programs-", dir=around)
    yield
    tempfile.tempdir = before
    shutil.rmtree(made)


def given_texts(function: Function, values: dict[str, Any]) -> dict[str, str]:
    """A run's arguments as they are given on a command line."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        shape = shape_of(steps.TYPES[function.parameters[name]])
        parts = codec.parts(value, shape, name)
        for leaf in leaves(shape, name):
            if isinstance(leaf.shape, File):
                texts[leaf.name] = str(parts[leaf.name])
            else:
                texts[leaf.name] = codec.to_text(parts[leaf.name], leaf.shape)
    return texts


def result_of(run: InProcess, shape: Shape) -> Any:
    """What a run gave, as the value that it stands for."""
    parts: dict[str, Any] = {}
    for leaf in leaves(shape, ""):
        place = run.artifacts.get(leaf.name)
        if isinstance(leaf.shape, File):
            parts[leaf.name] = Dir(place) if place is not None and leaf.shape.folder else place
        elif isinstance(leaf.shape, Many):
            parts[leaf.name] = elements(leaf.shape, run.parameters[leaf.name], place or Path())
        else:
            assert isinstance(leaf.shape, (Text, Json))
            parts[leaf.name] = codec.from_text(run.parameters[leaf.name], leaf.shape)
    return codec.whole(parts, shape, "")


def in_plain_python(function: Function, values: dict[str, Any]) -> tuple[str, Any]:
    """What the program gives when it is called; the error that it ends with."""
    steps.LOG.clear()
    steps.TRIES = None
    try:
        return "", steps.told(function.workflow(**values))
    except Exception as error:
        return f"{type(error).__name__}: {error}", None


def compare(function: Function, values: dict[str, Any]) -> str:
    """Runs a program both ways. Gives the phase that it ended in."""
    manifest = function.workflow.manifest()
    loaded = argo.load(json.dumps(manifest), "program").checked().documents[0].value
    errors = [one for one in check(loaded, DocumentCatalog()) if one.severity == "error"]
    assert not errors, errors
    trouble, expected = in_plain_python(function, values)
    log = dict(steps.LOG)
    steps.LOG.clear()
    steps.TRIES = {}
    run = run_in_process(loaded, call=steps.target, parameters=given_texts(function, values))
    told = [f"{one.name} {one.phase} {one.message}" for one in run.plan.nodes.values() if one.message]
    if trouble:
        assert run.phase == "Failed", (trouble, run.phase, told)
        return run.phase
    assert run.phase == "Succeeded", told
    assert steps.told(result_of(run, shape_of(function.result()))) == expected
    if function.on_exit:
        number = values.get("number", function.defaults.get("number"))
        log[f"handler Succeeded {number}"] = 1
    assert dict(steps.LOG) == log
    return run.phase


@settings(max_examples=COUNT, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=False)
@given(seed=st.integers(0, 2**40), size=st.integers(1, 14))
def test_a_program_gives_what_plain_python_gives(seed: int, size: int) -> None:
    compare(*program(seed, size))
