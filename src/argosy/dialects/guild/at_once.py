"""Steps that may run at the same time: a step as a task, which waits for those whose files it takes.

It knows steps and tasks of a manifest, not where they come from.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from argosy.model.manifest import DAGTask, WorkflowStep

_FROM_STEP = re.compile(r"\{\{steps\.([^.}]+)\.")


def task_of(step: WorkflowStep) -> DAGTask:
    """The step as a task: it waits for those whose files it takes, and for nothing else."""
    arguments = step.arguments
    waits: dict[str, None] = {}
    if arguments is not None:
        given = arguments.artifacts
        waits = dict.fromkeys(found[1] for one in given if (found := _FROM_STEP.match(one.from_)))
        from_tasks = tuple(replace(one, from_=one.from_.replace("{{steps.", "{{tasks.", 1)) for one in given)
        arguments = replace(arguments, artifacts=from_tasks)
    return DAGTask(
        name=step.name,
        template=step.template,
        arguments=arguments,
        continue_on=step.continue_on,
        dependencies=tuple(waits),
    )
