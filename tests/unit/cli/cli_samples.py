"""What tests of the command line share: the answer of a call, and a few workflows."""

from __future__ import annotations

from collections.abc import Callable


class Answer:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Argosy = Callable[..., Answer]


HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: world, enum: [world, moon]}]}
  templates:
  - name: main
    container: {image: none, command: [echo], args: ["hello {{workflow.parameters.who}}"]}
"""

# b fails while the parameter code is not 0.
DIAMOND = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: dag-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  onExit: bye
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: say}
      - {name: b, depends: a, template: end}
      - {name: c, depends: b, template: say}
      - {name: s, depends: a, when: "{{tasks.a.outputs.result}} == no", template: say}
  - name: say
    container: {image: none, command: [echo], args: [said]}
  - name: end
    container:
      image: none
      command: [sh, -c]
      args: ["echo ending >&2; exit $CODE"]
      env: [{name: CODE, value: "{{workflow.parameters.code}}"}]
  - name: bye
    container: {image: none, command: [echo], args: ["bye {{workflow.status}}"]}
"""

GATED = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: gated}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: gate, template: gate}
    - - name: tell
        template: tell
        arguments: {parameters: [{name: m, value: "{{steps.gate.outputs.parameters.answer}}"}]}
  - name: gate
    suspend: {}
    outputs: {parameters: [{name: answer, valueFrom: {supplied: {}}}]}
  - name: tell
    inputs: {parameters: [{name: m}]}
    container: {image: none, command: [echo], args: ["{{inputs.parameters.m}}"]}
"""

MAKING_A_WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: make-}
spec:
  entrypoint: main
  templates:
  - name: main
    resource:
      action: create
      successCondition: status.phase == Succeeded
      failureCondition: status.phase in (Failed, Error)
      manifest: |
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {name: child}
        spec:
          entrypoint: main
          templates:
          - name: main
            container: {image: none, command: [echo, born]}
"""
