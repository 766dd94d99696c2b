"""Driving a run: everything that a driver needs put together, in this process or in one of its own.

It knows how the parts of a local run fit; what happens in a run is up to the plan and the loop.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from argosy.errors import ArgosyError, EnvironmentTrouble
from argosy.model.events import Fact, RunStarted
from argosy.model.status import Phase
from argosy.project.reuse import reusing_of
from argosy.project.submission import RunOptions, runtime_options
from argosy.project.views import manifest_of, new_plan, options_of

if TYPE_CHECKING:
    import subprocess

    from argosy.experiments.gathering import Gatherer
    from argosy.model.manifest import Workflow
    from argosy.plan.plan import Plan
    from argosy.project.project import Project
    from argosy.record.journal import Lease
    from argosy.record.queries import RunSummary
    from argosy.runners.local.context import RunContext
    from argosy.runners.local.loop import Driver
    from argosy.runners.local.resources import Capacity
    from argosy.runners.local.reusing import Reusing
    from argosy.runners.local.runtimes.runner import SupervisedRunner
    from argosy.runners.local.runtimes.runtime import Runtime

LEASE_SECONDS = 30.0
DRIVER_LOG = "driver.log"
# How long a driver in a process of its own has until it holds the run.
BEGIN_SECONDS = 20.0

Change = Callable[["Plan"], None]
Listener = Callable[[Callable[[str, str], None]], None]


def drive(
    project: Project,
    run_id: int,
    *,
    on_change: Change | None = None,
    on_stop: Listener | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Plan:
    """Drive the run to its end and return its plan. Safe to call again after any crash.

    on_stop: is handed a function that asks for the run's end, "Stop" or "Terminate". say: is told what there is to
    say of the run when it is over. Raises LeaseHeld when another process drives the run, LeaseLost when one takes it
    over.
    """
    from argosy.artifacts.places import forget_in_memory
    from argosy.project.metrics_of_runs import gatherer_of
    from argosy.project.mlflow_of_runs import log_if_wanted
    from argosy.record.ownership import this_process
    from argosy.runners.local.collector import collect_seldom

    collect_seldom()
    journal = project.journal
    lease = journal.acquire(run_id, owner=this_process(), seconds=LEASE_SECONDS)
    try:
        summary = project.queries.numbered(run_id)
        workflow, options = manifest_of(project, run_id), options_of(project, run_id)
        with (
            _logins(project, summary, workflow, options) as logins,
            closing(_begun(project, summary, workflow, options, logins)) as means,
            closing(gatherer_of(project, summary, workflow, options.runtime)) as gatherer,
        ):

            def changed(plan: Plan) -> None:
                gatherer.look(plan.nodes)
                if on_change is not None:
                    on_change(plan)

            plan, driver = _driver(project, lease, summary, options, means, changed, gatherer)
            if on_stop is not None:
                on_stop(driver.stop)
            driver.drive()
            # Steps that never began may have been given files of secrets.
            forget_in_memory(summary.uid)
            _finish_metrics(gatherer, plan, say)
    finally:
        journal.release(lease)
    log_if_wanted(project, run_id, say)
    return plan


def _logins(
    project: Project, summary: RunSummary, workflow: Workflow, options: RunOptions
) -> AbstractContextManager[Mapping[str, Path]]:
    """The logins to registries that the run's images are pulled with, as long as it is driven here."""
    if not workflow.spec.image_pull_secrets:
        return nullcontext({})
    from argosy.project.image_logins import logins_for_run

    secret = project.shared_documents.secret
    return logins_for_run(workflow, options.runtime, secret, summary.uid, project.home.run(summary.uid))


def _finish_metrics(gatherer: Gatherer, plan: Plan, say: Callable[[str], None]) -> None:
    """Metrics never fail a run: what could not be gathered now is when somebody asks for it."""
    try:
        for note in gatherer.finish(plan.nodes):
            say(note)
    except (ArgosyError, OSError) as error:
        say(f"its metrics are not gathered yet: {error}")


class _Means(NamedTuple):
    """What the steps of a run are run with."""

    context: RunContext
    runtime: Runtime
    reusing: Reusing | None
    runner: SupervisedRunner

    def close(self) -> None:
        self.runner.close()


def _begun(
    project: Project, summary: RunSummary, workflow: Workflow, options: RunOptions, logins: Mapping[str, Path]
) -> _Means:
    """The means, with a supervisor that is there or starting: while it does, the rest of the driver is loaded.

    logins: for its container engine, the folder with logins to registries.
    """
    from argosy.runners.local.runtimes.choose import make
    from argosy.runners.local.runtimes.runner import SupervisedRunner

    context = context_of(project, summary, workflow)
    context.folder.mkdir(parents=True, exist_ok=True)
    runtime = make(options.runtime, runtime_options(project.configuration, options.python, logins))
    _check_runtime(runtime)
    reusing = reusing_of(project, context, runtime, options)
    runner = SupervisedRunner.open(runtime, context.folder / "supervisor", summary.uid, needed_now=reusing is None)
    return _Means(context, runtime, reusing, runner)


def _driver(
    project: Project,
    lease: Lease,
    summary: RunSummary,
    options: RunOptions,
    means: _Means,
    on_change: Change | None,
    gatherer: Gatherer,
) -> tuple[Plan, Driver]:
    """The driver of a run that this process holds, and the run's plan with all facts so far.

    gatherer: is told of what becomes durable.
    """
    from argosy.record.cache import Cache
    from argosy.record.locks import Locks
    from argosy.runners.local.loop import Driver
    from argosy.runners.local.staging import StagingOptions

    journal, run_id = project.journal, lease.run_id
    context, runtime, reusing, runner = means
    plan = new_plan(project, summary, context.workflow, options)
    published = publication_of(project, summary, context, plan)
    begun = False

    def told(facts: Sequence[Fact]) -> None:
        published(facts)
        gatherer.note(facts)

    for _, fact in journal.events(run_id):
        plan.apply(fact)
        published([fact])
        begun = True
    if not begun:
        started = RunStarted(at=runner.now())
        journal.append(lease, [started])
        plan.apply(started)
    driver = Driver(
        journal=journal,
        lease=lease,
        plan=plan,
        context=context,
        runner=runner,
        locks=Locks(journal.database, now=runner.now),
        cache=Cache(journal.database),
        capacity=_capacity(options),
        jobs=options.jobs,
        options=StagingOptions.of(runtime, summary.uid),
        reusing=reusing,
        on_change=on_change,
        on_facts=told,
        on_idle=lambda: gatherer.glance(plan.nodes),
    )
    return plan, driver


def publication_of(
    project: Project, summary: RunSummary, context: RunContext, plan: Plan
) -> Callable[[Sequence[Fact]], None]:
    """What is to be told of the run's facts, and once more before its end, so that outputs with a name get theirs."""
    from argosy.catalog.publication import Publication, tags_of
    from argosy.project.named_data import outputs_of

    def step(node: str) -> str:
        found = plan.nodes.get(node)
        return found.display_name if found is not None else node

    publication = Publication(
        project.names, project.store, run=summary.uid, run_name=summary.name, attempt=context.attempt, step=step
    )
    tags = tags_of(context.workflow)

    def told(facts: Sequence[Fact]) -> None:
        publication.take(facts)
        if tags and plan.finished and plan.phase is Phase.SUCCEEDED:
            publication.tag(tags, outputs_of(plan.nodes)[0])

    return told


def _check_runtime(runtime: Runtime) -> None:
    if trouble := runtime.trouble():
        raise EnvironmentTrouble(
            f"The runtime {runtime.name} does not work here any more: {trouble}", hint="argosy doctor tells more"
        )


def _capacity(options: RunOptions) -> Capacity | None:
    from argosy.runners.local.resources import machine_capacity

    return None if options.ignore_resources else machine_capacity(options.gpus)


def context_of(project: Project, summary: RunSummary, workflow: Workflow) -> RunContext:
    """The surroundings of a run on this machine. Its questions may be asked from any thread."""
    from argosy.plan.workflow_names import RunIdentity
    from argosy.project.objects import objects_of
    from argosy.runners.local.context import RunContext

    documents = project.shared_documents
    return RunContext(
        identity=RunIdentity(
            name=summary.name, uid=summary.uid, namespace=summary.namespace, created_at=summary.created_at
        ),
        workflow=workflow,
        folder=project.home.run(summary.uid),
        claims=project.home.claims,
        store=project.store,
        repository=project.repository_of(workflow),
        generation=summary.generation,
        config_map=documents.config_map,
        secret=documents.secret,
        secret_version=documents.secret_version,
        claim_exists=documents.claim_exists,
        grace_seconds=project.configuration.grace_seconds,
        objects=objects_of(project.home, project.folder),
    )


def detach(project: Project, name: str) -> None:
    """Have the run driven by a process of its own, and return when that process holds it.

    What it has to say goes to driver.log in the run's folder. Raises EnvironmentTrouble when it does not begin.
    """
    summary = project.find(name)
    log = project.home.run(summary.uid) / DRIVER_LOG
    process = _start_driver(project, summary.name, log)
    deadline = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < deadline:
        summary = project.find(summary.name)
        if summary.driven or summary.finished:
            # It is not waited for: it goes on without this process.
            process.returncode = process.poll() or 0
            return
        if process.poll() is not None and not project.find(summary.name).finished:
            break
        time.sleep(0.02)
    from argosy.project.step_files import tail

    said = " ".join(tail(log, 2))
    raise EnvironmentTrouble(
        f"The driver of {summary.name} did not begin: {said or 'it said nothing'}",
        hint=f"{log} has what it said; argosy resume {summary.name} drives the run here",
    )


def _start_driver(project: Project, name: str, log: Path) -> subprocess.Popen[bytes]:
    import subprocess  # only for this

    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if key not in ("ARGOSY_HOME", "ARGOSY_RUN")}
    with open(log, "ab") as file:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "argosy.cli.main",
                "resume",
                name,
                "--drive-only",
                "--home",
                str(project.home.folder),
            ],
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env=environment,
        )
