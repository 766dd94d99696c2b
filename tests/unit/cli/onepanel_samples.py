"""What tests of Onepanel's templates on the command line share: a template, node pools, a run and its values."""

from __future__ import annotations

import json
from typing import Any

from cli_samples import Argosy

TEMPLATE = """\
entrypoint: main
arguments:
  parameters:
  - {name: message, value: 'from {{workflow.namespace}}', displayName: Message, hint: What to say, required: true}
  - name: size
    type: select.select
    value: s
    options: [{name: Small, value: s}, {name: Large, value: l}]
  - {name: sys-node-pool, type: select.nodepool, value: default, displayName: Node pool, visibility: internal}
  - {name: workflow-execution-name, value: '', visibility: private}
templates:
- name: main
  dag:
    tasks:
    - name: say
      template: say
      arguments: {parameters: [{name: message, value: '{{workflow.parameters.message}}'}]}
- name: say
  inputs: {parameters: [{name: message}]}
  nodeSelector: {node.kubernetes.io/instance-type: '{{workflow.parameters.sys-node-pool}}'}
  container:
    image: none
    command: [sh, -c, 'echo "$MESSAGE|$EXTRA|$ONEPANEL_RESOURCE_UID|$ONEPANEL_RESOURCE_NAMESPACE|$ONEPANEL_PROVIDER"']
    env: [{name: MESSAGE, value: '{{inputs.parameters.message}}'}]
"""
POOLS = """\
[run]
runtime = "process"
[node-pools.small]
cpu = 0.5
memory = "16Mi"
label = "CPU: 0.5"
[node-pools."large.gpu"]
gpus = 900
"""


def run(argosy: Argosy, *words: str) -> dict[str, Any]:
    done = argosy("run", *words, "-q", "-o", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def values(run: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in run["spec"]["arguments"]["parameters"]}
