"""How steps are run: retries, time, resources, results that are remembered. `fetch` fails the first time."""

import os
from pathlib import Path

from argosy import Retry, run_with, step, workflow

patient = run_with(retry=Retry(3, backoff="1s"), timeout="5m")


@step
@patient
def fetch(name: str, marker: str) -> str:
    there = Path(marker)
    if marker and not there.exists():
        there.touch()
        raise ConnectionError("the first time it does not answer")
    return name.upper()


@step(cache=True, env={"GREETING": "hello"}, labels={"kind": "slow"})
def compute(name: str) -> str:
    print("computed, and not remembered")
    return f"{os.environ['GREETING']} {name}"


@workflow(timeout="1h", parallelism=2)
def options(name: str = "ada", marker: str = "") -> str:
    return compute.using(cpu="100m", memory="64Mi")(fetch(name, marker))
