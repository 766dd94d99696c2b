"""A plan told the same facts again decides the same; what was decided and not done is asked again."""

import pytest
from simulator import (
    BEGIN,
    FAILED,
    OK,
    Outcome,
    Simulation,
    gave,
    main,
    replayed,
    simulate,
    workflow_of,
)

from argosy.model import events
from argosy.model.events import AttemptExited, AttemptStarted, StopRequested
from argosy.model.manifest import Outputs, Parameter
from argosy.model.status import NodeType, Phase
from argosy.plan.actions import AcquireLocks, Kill, ReadCache, Start
from argosy.plan.names import fnv1a_32
from argosy.plan.plan import Carried, RunIdentity
from argosy.plan.run import RunState
from argosy.plan.templates import Templates

TEXT = main(
    """
    steps:
    - - {name: a, template: leaf, withItems: [1, 2]}
      - {name: l, template: locked}
      - {name: m, template: cached}
    - - {name: b, template: leaf}
    """
)
TEXT += """
- name: locked
  synchronization: {mutexes: [{name: m}]}
  container: {image: none}
- name: cached
  memoize: {key: k, cache: {configMap: {name: c}}}
  container: {image: none}
"""


def kinds(simulation: Simulation, count: int) -> list[str]:
    """What a driver that begins after so many facts is asked for."""
    plan = replayed(simulation, count)
    return sorted(f"{type(one).__name__} {plan.nodes[one.node].display_name}" for one in plan.actions())


def test_decisions_that_were_not_carried_out_are_asked_again() -> None:
    run = Simulation(TEXT)
    run.tell(events.RunStarted(at=BEGIN))
    nodes = {node.display_name: node.id for node in run.plan.nodes.values()}
    assert kinds(run, 1) == ["AcquireLocks l", "ReadCache m", "Start a(0:1)", "Start a(1:2)"]
    run.tell(events.LocksRefused(at=BEGIN, node=nodes["l"], waiting_for="other"))
    run.tell(AttemptStarted(at=BEGIN, node=nodes["a(0:1)"]))
    run.tell(events.CacheRead(at=BEGIN, node=nodes["m"], hit=False))
    assert kinds(run, 4) == ["AcquireLocks l", "Start a(1:2)", "Start m"]
    run.tell(StopRequested(at=BEGIN, strategy="Stop"))
    assert kinds(run, 5) == ["Kill a(0:1)", "ReleaseLocks l"]
    assert [one.name for one in replayed(run).running()] == ["wf[0].a(0:1)"]
    run.tell(AttemptExited(at=BEGIN, node=nodes["a(0:1)"], phase="Failed"))
    assert run.plan.finished


def test_actions_are_given_once() -> None:
    run = Simulation(TEXT)
    run.tell(events.RunStarted(at=BEGIN))
    first = run.plan.actions()
    assert {type(one) for one in first} == {Start, AcquireLocks, ReadCache}
    assert run.plan.actions() == []


def test_a_start_that_was_taken_and_then_stopped_leaves_no_place_taken() -> None:
    text = main("steps: [[{name: a, template: leaf, onExit: leaf}]]", head="parallelism: 1")
    run = Simulation(text)
    run.tell(events.RunStarted(at=BEGIN))
    assert len(run.plan.actions()) == 1
    run.tell(StopRequested(at=BEGIN, strategy="Stop"))
    (handler,) = run.plan.actions()
    assert isinstance(handler, Start)
    assert handler.name == "wf[0].a.onExit"


@pytest.mark.parametrize(
    "fact", ["AttemptStarted", "AttemptReady", "AttemptExited", "LocksGranted", "CacheRead", "Resumed"]
)
def test_facts_about_nodes_that_are_not_there_change_nothing(fact: str) -> None:
    run = Simulation(main("steps: [[{name: a, template: leaf}]]"))
    run.tell(events.RunStarted(at=BEGIN))
    before = run.tree()
    fields = {"AttemptExited": {"phase": "Failed"}, "CacheRead": {"hit": True}}.get(fact, {})
    run.tell(getattr(events, fact)(at=BEGIN, node="nowhere", **fields))
    assert run.tree() == before


def test_a_second_end_of_an_attempt_changes_nothing() -> None:
    run = Simulation(main("steps: [[{name: a, template: leaf}, {name: b, template: leaf}]]"))
    run.tell(events.RunStarted(at=BEGIN))
    node = run.node("a").id
    for phase in ("Succeeded", "Failed"):
        run.tell(AttemptStarted(at=BEGIN, node=node))
        run.tell(AttemptExited(at=BEGIN, node=node, phase=phase))
    assert run.node("a").phase == "Succeeded"


def test_the_clock_never_goes_back() -> None:
    run = Simulation(main("steps: [[{name: a, template: leaf}]]"))
    run.tell(events.RunStarted(at=BEGIN))
    node = run.node("a").id
    run.tell(AttemptStarted(at=BEGIN + 10, node=node))
    run.tell(AttemptExited(at=BEGIN + 5, node=node, phase="Succeeded"))
    assert run.at(run.node("a").finished_at) == 10.0


def test_what_a_run_before_gave_is_taken_over() -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: give}
          - {name: b, template: leaf, dependencies: [a]}
          - name: c
            template: take
            dependencies: [b]
            arguments: {parameters: [{name: message, value: "{{tasks.a.outputs.parameters.message}}"}]}
        """
    )
    first = simulate(text, {"a": gave(message="kept"), "b": FAILED})
    assert first.phase == "Failed"
    a = first.node("a")
    kept = Carried(phase="Succeeded", outputs=a.outputs, started_at=a.started_at, finished_at=a.finished_at)
    again = simulate(text, carried={"wf.a": kept})
    assert (again.phase, again.ran, again.args("c")) == ("Succeeded", ["b", "c"], ("kept",))
    assert (again.node("a").finished_at, again.plan.progress) == (a.finished_at, "3/3")


def test_attempts_that_are_taken_over_count() -> None:
    text = main("steps: [[{name: a, template: again}]]")
    text += "- name: again\n  retryStrategy: {limit: 1}\n  container: {image: none}\n"
    again = simulate(text, {"*": OK}, carried={"wf[0].a(0)": Carried(phase="Failed", message="gone")})
    assert (again.phase, again.ran, again.node("[0].a(0)").message) == ("Succeeded", ["[0].a(1)"], "gone")


def test_a_long_chain_that_is_taken_over() -> None:
    tasks = "".join(
        f"\n  - {{name: t{n}, template: leaf{f', dependencies: [t{n - 1}]' if n else ''}}}" for n in range(1000)
    )
    carried = {f"wf.t{n}": Carried(phase="Succeeded") for n in range(1000)}
    found = simulate(main(f"dag:\n  tasks:{tasks}"), carried=carried)
    assert (found.phase, found.ran, len(found.plan.nodes)) == ("Succeeded", [], 1001)


def test_a_person_answered_before() -> None:
    text = main("steps: [[{name: w, template: wait}]]") + "- name: wait\n  suspend: {}\n"
    outputs = Outputs(parameters=(Parameter(name="x", value="1"),))
    found = simulate(text, carried={"wf[0].w": Carried(phase="Succeeded", outputs=outputs)})
    assert (found.phase, found.outputs("w")) == ("Succeeded", {"x": "1"})


def test_names_of_the_same_hash_have_ids_of_their_own() -> None:
    hashes: dict[int, str] = {}
    clash: tuple[str, str] | None = None
    for number in range(200_000):
        name = f"wf[0].all({number}:{number})"
        other = hashes.setdefault(fnv1a_32(name.encode()), name)
        if other != name:
            clash = (other, name)
            break
    assert clash is not None
    workflow = workflow_of(main("steps: []"))
    identity = RunIdentity(name="wf", uid="u")
    state = RunState(workflow, identity, Templates(workflow, lambda name, cluster: None), lambda reference: None, {})
    nodes = [state.new_node(name, name, NodeType.POD, Phase.PENDING) for name in clash]
    assert nodes[0].id != nodes[1].id
    assert len(state.nodes) == 2


def test_a_run_of_many_leaves_is_replayed_to_the_same() -> None:
    text = main(
        "parallelism: 7\nsteps: [[{name: a, template: leaf, withSequence: {count: '60'}}]]", head="onExit: leaf"
    )
    found = simulate(text, lambda start: Outcome(seconds=len(start.name) % 3 + 1))
    plan = replayed(found)
    assert (plan.phase, dict(plan.nodes), plan.finished_at) == (
        found.plan.phase,
        dict(found.plan.nodes),
        found.plan.finished_at,
    )


def test_a_finished_run_asks_for_no_start() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf}]]"))
    assert [one for one in replayed(found).actions() if isinstance(one, Start | Kill)] == []
