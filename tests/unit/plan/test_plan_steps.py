"""Steps: groups one after the other, calls side by side, loops, conditions, results."""

from simulator import FAILED, OK, simulate, tree

TWO_GROUPS = """
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: leaf, withItems: [1, 2]}
  - - {name: b, template: inner}
- name: inner
  dag:
    tasks:
    - {name: first, template: leaf}
    - {name: second, template: leaf, dependencies: [first]}
- name: leaf
  retryStrategy: {limit: 2}
  container: {image: none}
"""


def test_the_tree_of_nodes() -> None:
    found = simulate(TWO_GROUPS, {"second": [FAILED, OK]})
    assert found.phase == "Succeeded"
    assert found.tree() == tree(
        """
        /: Steps Succeeded > [0]
        [0]: StepGroup Succeeded > [0].a(0:1), [0].a(1:2)
        [0].a(0:1): Retry Succeeded > [0].a(0:1)(0)
        [0].a(0:1)(0): Pod Succeeded > [1]
        [0].a(1:2): Retry Succeeded > [0].a(1:2)(0)
        [0].a(1:2)(0): Pod Succeeded > [1]
        [1]: StepGroup Succeeded > [1].b
        [1].b: DAG Succeeded > [1].b.first
        [1].b.first: Retry Succeeded > [1].b.first(0)
        [1].b.first(0): Pod Succeeded > [1].b.second
        [1].b.second: Retry Succeeded > [1].b.second(0), [1].b.second(1)
        [1].b.second(0): Pod Failed (main: Error (exit code 1))
        [1].b.second(1): Pod Succeeded
        """
    )
