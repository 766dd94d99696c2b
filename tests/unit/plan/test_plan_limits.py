"""How many may be active at once, failing fast, and how deep templates may call one another."""

from simulator import FAILED, Outcome, Simulation, main, simulate


def most_at_once(run: Simulation) -> int:
    """How many leaves ran at the same time, at most."""
    times = [(run.at(node.started_at), 1) for node in run.plan.nodes.values() if node.type == "Pod"]
    times += [(run.at(node.finished_at), -1) for node in run.plan.nodes.values() if node.type == "Pod"]
    active = most = 0
    for _, change in sorted(times):
        active += change
        most = max(most, active)
    return most


def test_parallelism_of_the_workflow() -> None:
    text = main("steps: [[{name: a, template: inner, withSequence: {count: '4'}}]]", head="parallelism: 3")
    text += "- name: inner\n  steps: [[{name: x, template: leaf}, {name: z, template: leaf}]]\n"
    found = simulate(text)
    assert (found.phase, most_at_once(found), len(found.ran)) == ("Succeeded", 3, 8)


def test_parallelism_of_a_template_counts_its_own_children() -> None:
    text = main("parallelism: 2\nsteps: [[{name: a, template: inner, withSequence: {count: '5'}}]]")
    text += "- name: inner\n  steps: [[{name: x, template: leaf}, {name: z, template: leaf}]]\n"
    found = simulate(text)
    assert (found.phase, most_at_once(found), len(found.ran)) == ("Succeeded", 4, 10)


def test_a_child_that_has_no_room_yet_has_no_node() -> None:
    text = main("parallelism: 1\nsteps: [[{name: a, template: leaf, withSequence: {count: '3'}}]]")
    seen: list[int] = []
    found = simulate(text, before=lambda run, fact: seen.append(len(run.plan.nodes)))
    assert (sorted(set(seen)), found.phase) == ([0, 3, 4, 5], "Succeeded")


def test_retries_do_not_take_more_than_one_place() -> None:
    text = main("parallelism: 1\nsteps: [[{name: a, template: again, withSequence: {count: '3'}}]]")
    text += "- name: again\n  retryStrategy: {limit: 2}\n  container: {image: none}\n"
    found = simulate(text, {"again": [FAILED, Outcome(), FAILED, Outcome()]})
    assert (found.phase, most_at_once(found)) == ("Succeeded", 1)


def test_a_daemon_takes_no_place_once_it_runs() -> None:
    text = main(
        "parallelism: 1\nsteps: [[{name: d, template: daemon}], [{name: a, template: leaf}]]", head="parallelism: 1"
    )
    text += "- name: daemon\n  daemon: true\n  container: {image: none}\n"
    found = simulate(text)
    assert (found.phase, found.ran) == ("Succeeded", ["[0].d", "[1].a"])


def test_a_template_that_fails_fast_starts_no_more_children() -> None:
    text = main("parallelism: 2\nfailFast: true\nsteps: [[{name: a, template: leaf, withSequence: {count: '9'}}]]")
    found = simulate(text, {"a(1:1)": FAILED, "a(0:0)": Outcome(seconds=5)})
    message = "template has failed or errored children and failFast enabled"
    assert (found.phase, found.message, len(found.ran)) == ("Failed", message, 2)
    assert (found.node("[0]").phase, found.node("[0]").message) == ("Failed", message)
    assert found.at(found.plan.finished_at) == 5.0


def test_a_dag_template_that_fails_fast() -> None:
    tasks = "".join(f"\n  - {{name: t{n}, template: leaf}}" for n in range(6))
    found = simulate(main(f"parallelism: 2\nfailFast: true\ndag:\n  tasks:{tasks}"), {"t0": FAILED})
    assert (found.phase, len(found.ran)) == ("Failed", 2)


RECURSION = """
entrypoint: main
arguments: {parameters: [{name: first, value: "COUNT"}]}
templates:
- name: main
  inputs: {parameters: [{name: left, value: "{{workflow.parameters.first}}"}]}
  KIND
- name: leaf
  container: {image: none}
"""
STEPS = """steps:
  - - name: again
      template: main
      when: "{{inputs.parameters.left}} > 0"
      arguments: {parameters: [{name: left, value: "{{=asInt(inputs.parameters.left) - 1}}"}]}
  - - {name: up, template: leaf}"""
DAG = """dag:
    tasks:
    - name: again
      template: main
      when: "{{inputs.parameters.left}} > 0"
      arguments: {parameters: [{name: left, value: "{{=asInt(inputs.parameters.left) - 1}}"}]}
    - {name: up, template: leaf, dependencies: [again]}"""


def recursion(kind: str, count: int) -> str:
    return RECURSION.replace("KIND", kind).replace("COUNT", str(count))


def test_recursion_as_deep_as_is_allowed() -> None:
    for kind in (STEPS, DAG):
        found = simulate(recursion(kind, 97))
        assert (found.phase, len(found.ran)) == ("Succeeded", 98)


def test_recursion_without_end() -> None:
    for kind, phase in ((STEPS, "Failed"), (DAG, "Error")):
        found = simulate(recursion(kind, 10_000))
        deepest = [node for node in found.plan.nodes.values() if node.message == "Maximum recursion depth exceeded"]
        assert (found.phase, len(deepest), deepest[0].name.count("again")) == (phase, 1, 99)


def test_a_recursion_that_retries_ends_too() -> None:
    found = simulate(recursion(STEPS, 10_000), {"*": FAILED})
    assert found.phase == "Failed"
