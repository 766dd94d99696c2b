"""A run written to an MLflow server, by MLflow's own client, which is an extra.

It knows what MLflow calls things; when it is done, and what happens when it fails, is the project's matter.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.record.experiments import Metric, Series

MISSING = "pip install 'argosy[mlflow]'"
UID, GENERATION, COMPLETE = "argosy.uid", "argosy.generation", "argosy.complete"
# What MLflow takes in one request, and of one value.
_PARAMETERS, _METRICS, _LETTERS, _TAG_LETTERS = 100, 1000, 6000, 5000
_STATUS = {"Succeeded": "FINISHED", "Failed": "FAILED", "Error": "FAILED"}
# MLflow's names know these letters only.
_OTHER = re.compile(r"[^\w\-./ :]")
# MLflow would otherwise try for minutes while a person waits; whoever sets these knows better.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is to be logged. artifacts: name, digest or location, and size of each. tags: besides our own."""

    name: str
    uid: str
    generation: int
    phase: str
    started_at: float
    finished_at: float
    comment: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str | None]
    metrics: Sequence[tuple[Metric, Series]]
    artifacts: Sequence[Mapping[str, Any]]


def log(run: Logged, *, tracking_uri: str, experiment: str) -> bool:
    """Write the run, unless this generation of it is there whole; whether it was written.

    What an earlier call left half done is completed. Raises EnvironmentTrouble when the extra is missing or the server
    does not take it.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise EnvironmentTrouble("MLflow's client is not installed", hint=MISSING)
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        tracking: Any = importlib.import_module("mlflow.tracking")
        entities: Any = importlib.import_module("mlflow.entities")
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        return _log(tracking.MlflowClient(tracking_uri=tracking_uri), entities, run, experiment)
    except Exception as error:  # The client raises what it, its store and requests like; none of it is ours to know.
        said = re.sub(
            r"//[^/@\s]+@", "//***@", f"{type(error).__name__}: {error}".split("\n")[0].partition(" (Caused by")[0]
        )
        raise EnvironmentTrouble(f"MLflow did not take it ({said[:300]})") from None


def _log(client: Any, entities: Any, run: Logged, experiment: str) -> bool:
    found = client.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found is not None else client.create_experiment(experiment)
    known = client.search_runs(
        [experiment_id], f"tags.`{UID}` = '{run.uid}' AND tags.`{GENERATION}` = '{run.generation}'", max_results=1
    )
    if known and known[0].data.tags.get(COMPLETE) == "true":
        return False
    id = known[0].info.run_id if known else _create(client, experiment_id, run)
    parameters = [entities.Param(_name(key), (value or "")[:_LETTERS]) for key, value in run.parameters.items()]
    for start in range(0, len(parameters), _PARAMETERS):
        client.log_batch(id, params=parameters[start : start + _PARAMETERS])
    points = [entities.Metric(*point) for point in _points(run)]
    for start in range(0, len(points), _METRICS):
        client.log_batch(id, metrics=points[start : start + _METRICS])
    if run.artifacts:
        # The list, not the bytes: these are in the store, under their digests.
        text = msgspec.json.encode(run.artifacts).decode()
        client.set_tag(id, "argosy.artifacts", text if len(text) <= _TAG_LETTERS else f"{len(run.artifacts)} artifacts")
    client.set_terminated(id, status=_STATUS.get(run.phase, "KILLED"), end_time=int(run.finished_at * 1000))
    client.set_tag(id, COMPLETE, "true")
    return True


def _create(client: Any, experiment_id: str, run: Logged) -> str:
    tags = {UID: run.uid, GENERATION: str(run.generation), "argosy.status": run.phase, **run.tags}
    if run.comment:
        tags["mlflow.note.content"] = run.comment
    kept = {_name(key): value[:_TAG_LETTERS] for key, value in tags.items() if value}
    created = client.create_run(experiment_id, start_time=int(run.started_at * 1000), tags=kept, run_name=run.name)
    return created.info.run_id


def _name(text: str) -> str:
    return _OTHER.sub("_", text)[:250]


def _points(run: Logged) -> Iterator[tuple[str, float, int, int]]:
    """Each value with its time in milliseconds and its step; one whose time is not known has the series' own."""
    names: dict[str, str] = {}
    for metric, series in run.metrics:
        name = _name(metric.name)
        # Two steps of one metric are two metrics.
        if names.setdefault(name, metric.node) != metric.node:
            name = _name(f"{metric.step}/{metric.name}")
        for place, (step, value) in enumerate(zip(series.steps, series.values, strict=True)):
            at = series.times[place] if series.times else series.at
            yield name, value, int(at * 1000), step
