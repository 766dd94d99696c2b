"""Which outcomes a retry takes over."""

from __future__ import annotations

from argosy.model.status import Node, NodeFlag, NodeType, Phase
from argosy.project.rerunning import divided


def _nodes(*given: tuple[str, NodeType, Phase, list[str]], boundary: str = "w") -> dict[str, Node]:
    nodes = {"w": Node(id="w", name="w", display_name="w", type=NodeType.DAG, phase=Phase.FAILED)}
    for name, kind, phase, children in given:
        nodes[name] = Node(
            id=name,
            name=f"w.{name}",
            display_name=name,
            type=kind,
            phase=phase,
            boundary_id=boundary,
            children=children,
        )
    return nodes


def test_what_follows_a_failure_runs_again() -> None:
    nodes = _nodes(
        ("a", NodeType.POD, Phase.SUCCEEDED, ["b", "c"]),
        ("b", NodeType.POD, Phase.FAILED, ["d"]),
        ("c", NodeType.POD, Phase.SUCCEEDED, []),
        ("d", NodeType.POD, Phase.SUCCEEDED, []),
        ("e", NodeType.SKIPPED, Phase.OMITTED, []),
    )
    carried, again = divided(nodes, "w", [])
    assert (list(carried), again) == (["w.a", "w.c"], ["w.b", "w.d"])
    carried, again = divided(nodes, "w", ["c"])
    assert (list(carried), again) == (["w.a"], ["w.b", "w.c", "w.d"])


def test_what_a_chosen_step_called_runs_again() -> None:
    nodes = _nodes(("outer", NodeType.STEPS, Phase.SUCCEEDED, []))
    nodes |= {
        id: node
        for id, node in _nodes(("in", NodeType.POD, Phase.SUCCEEDED, ["after"]), boundary="outer").items()
        if id != "w"
    }
    nodes |= {id: node for id, node in _nodes(("after", NodeType.POD, Phase.SUCCEEDED, [])).items() if id != "w"}
    assert divided(nodes, "w", ["outer"]) == ({}, ["w.in", "w.after"])


def test_attempts_that_a_later_one_made_good_stay_what_they_were() -> None:
    nodes = _nodes(
        ("r", NodeType.RETRY, Phase.SUCCEEDED, ["r(0)", "r(1)"]),
        ("r(0)", NodeType.POD, Phase.FAILED, []),
        ("r(1)", NodeType.POD, Phase.SUCCEEDED, []),
        ("x", NodeType.POD, Phase.FAILED, []),
    )
    carried, again = divided(nodes, "w", [])
    assert {name: outcome.phase for name, outcome in carried.items()} == {"w.r(0)": "Failed", "w.r(1)": "Succeeded"}
    assert again == ["w.x"]


def test_attempts_of_a_retry_that_failed_all_run_again() -> None:
    nodes = _nodes(
        ("r", NodeType.RETRY, Phase.FAILED, ["r(0)", "r(1)"]),
        ("r(0)", NodeType.POD, Phase.FAILED, []),
        ("r(1)", NodeType.POD, Phase.ERROR, []),
    )
    assert divided(nodes, "w", []) == ({}, ["w.r(0)", "w.r(1)"])


def test_exit_handlers_and_daemons_run_again() -> None:
    nodes = _nodes(("onExit", NodeType.POD, Phase.SUCCEEDED, []), ("d", NodeType.POD, Phase.SUCCEEDED, []))
    nodes["onExit"].node_flag = NodeFlag(hooked=True)
    nodes["d"].daemoned = True
    assert divided(nodes, "w", [])[0] == {}
