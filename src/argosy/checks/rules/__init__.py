"""Every rule that lint has, in one list. docs/rules.md is made from it."""

from argosy.checks.finding import Rule
from argosy.checks.rules import (
    arguments,
    calls,
    containers,
    dags,
    expressions,
    kinds,
    limits,
    loops,
    metrics,
    names,
    objects,
    outputs,
    references,
    resources,
    schedules,
    scripts,
)

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *kinds.RULES,
    *calls.RULES,
    *arguments.RULES,
    *references.RULES,
    *expressions.RULES,
    *dags.RULES,
    *loops.RULES,
    *outputs.RULES,
    *containers.RULES,
    *limits.RULES,
    *resources.RULES,
    *metrics.RULES,
    *schedules.RULES,
    *scripts.RULES,
    *objects.RULES,
)
