"""`argosy trials`.

It knows columns; what was tried is the project's matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.console import Console
from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.cli.progress import COLORS, spell

if TYPE_CHECKING:
    from argosy.project.sweep_results import Results

SCHEMA = "argosy.trials/v1"


@click.command("trials")
@run_argument
@click.option("--best", type=click.IntRange(min=1), metavar="N", help="Only the N best.")
@output_option("json", "yaml", "name")
@home_option
def command(run: str, best: int | None, output: str | None, home: Path | None) -> int:
    """Show the trials of a sweep: their values, how they ended, and the metric that is looked for.

    With an objective the best come first, without one they stand in their order.
    """
    from argosy.project.sweep_results import results_of

    project = open_project(home)
    found = results_of(project, project.find(run))
    rows = found.trials[:best]
    talk = console()
    if output in ("json", "yaml"):
        document = {"schema": SCHEMA, **_as_json(found, len(rows))}
        talk.json(document) if output == "json" else talk.yaml(document)
        return 0
    if output == "name":
        for one in rows:
            talk.data(one.name)
        return 0
    sweep = found.sweep
    objective = [sweep.objective.upper()] if sweep.objective else []
    talk.table(
        ["TRIAL", "NAME", "PHASE", "TOOK", *objective, *sweep.spaces],
        [
            [
                str(one.number),
                one.name,
                one.phase,
                spell(one.seconds) if one.seconds is not None else "",
                *([_number(one.objective)] if objective else []),
                *(one.values.get(name, "") for name in sweep.spaces),
            ]
            for one in rows
        ],
        colors=COLORS,
    )
    tell(talk, found)
    return 0


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _as_json(found: Results, count: int) -> dict[str, Any]:
    import msgspec

    return {
        "name": found.name,
        "sweep": msgspec.to_builtins(found.sweep),
        "trials": [msgspec.to_builtins(one) for one in found.trials[:count]],
    }


def tell(talk: Console, found: Results) -> None:
    """How a sweep went, in a few lines."""
    sweep = found.sweep
    counts = {phase: sum(one.phase == phase for one in found.trials) for phase in {one.phase for one in found.trials}}
    parts = [f"{count} {phase.lower()}" for phase, count in sorted(counts.items(), key=lambda one: -one[1])]
    missing = sweep.trials - len(found.trials)
    if missing:
        parts.append(f"{missing} not begun")
    by_chance = sweep.method != "grid" or sweep.left_out
    seed = f"; --random-seed {sweep.seed}" if by_chance else ""
    talk.say(f"{found.name}: {sweep.method} sweep of {sweep.trials} trials: {', '.join(parts)}{seed}")
    if sweep.left_out:
        talk.say(f"  {sweep.left_out} more of the grid were left out by --max-trials")
    failed = [one.name for one in found.trials if one.phase in ("Failed", "Error")]
    if failed:
        shown = ", ".join(failed[:5]) + (", ..." if len(failed) > 5 else "")
        talk.say(f"  failed: {shown}; argosy retry {found.name} runs them again")
    best = found.best
    if best is not None:
        values = " ".join(f"{name}={value}" for name, value in best.values.items())
        talk.say(f"  best: {best.name} with {sweep.objective} {_number(best.objective)}: {values}")
    elif sweep.objective and any(one.phase == "Succeeded" for one in found.trials):
        known = f"; they have {', '.join(found.metrics[:8])}" if found.metrics else "; they have no metrics"
        talk.say(f"  no trial has a metric {sweep.objective}{known}")
