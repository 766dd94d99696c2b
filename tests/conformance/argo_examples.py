"""Argo's example files, run in containers by the command line: what each needs, and how it ends or why it is not run.

The files are read in place. A file that is not listed here needs nothing and succeeds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "argo" / "examples"

# Objects that the examples' own comments ask for, with values of ours.
OBJECTS = """
{apiVersion: v1, kind: ConfigMap, metadata: {name: simple-parameters}, data: {msg: hello}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: my-config}, data: {workflow: "1", template: "2"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: my-secret}, stringData: {mypassword: a-word}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: my-existing-volume}, spec: {}}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: workflow-template-print-message}
spec:
  templates:
  - name: print-message
    inputs: {parameters: [{name: message}]}
    container: {image: busybox, command: [echo], args: ["{{inputs.parameters.message}}"]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: workflow-template-inner-dag}
spec:
  templates:
  - name: inner-diamond
    inputs: {parameters: [{name: message, value: inner}]}
    dag: {tasks: [{name: a, templateRef: {name: workflow-template-print-message, template: print-message},
                   arguments: {parameters: [{name: message, value: "{{inputs.parameters.message}}"}]}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: workflow-template-random-fail-template}
spec:
  templates:
  - {name: random-fail-template, container: {image: busybox, command: ["true"]}}
"""

_TEMPLATE = "holds templates only; others refer to them, or nothing does"
_CRON = "a CronWorkflow: scheduling comes later"
_NETWORK = "its artifact, URL or store is on a network that is not reached"
_IMAGE = "its image cannot be made without its registry"
_SLOW = "sleeps for minutes; run with ARGOSY_SLOW=1"

NOT_RUN: dict[str, str] = {
    "artifactory-artifact.yaml": _NETWORK,
    "artifacts-workflowtemplate.yaml": _TEMPLATE,
    "buildkit-template.yaml": _TEMPLATE,
    "ci-workflowtemplate.yaml": _TEMPLATE,
    "ci.yaml": _NETWORK,
    "clustertemplates.yaml": _TEMPLATE,
    "cron-when.yaml": _CRON,
    "cron-workflow-multiple-schedules.yaml": _CRON,
    "cron-workflow.yaml": _CRON,
    "daemon-nginx.yaml": _IMAGE,
    "dag-daemon-retry-strategy.yaml": _IMAGE,
    "event-consumer-workflowtemplate.yaml": _TEMPLATE,
    "github-path-filter-workflowtemplate.yaml": _TEMPLATE,
    "hello-windows.yaml": _IMAGE,
    "http-hello-world.yaml": _NETWORK,
    "input-artifact-azure.yaml": _NETWORK,
    "input-artifact-git.yaml": _NETWORK,
    "input-artifact-http.yaml": _NETWORK,
    "input-artifact-oss.yaml": _NETWORK,
    "input-artifacts.yaml": _TEMPLATE,
    "loops-param-argument.yaml": _IMAGE,
    "scripts-javascript.yaml": _IMAGE,
    "sidecar-dind.yaml": _IMAGE,
    "sidecar.yaml": _IMAGE,
    "suspend-template-outputs.yaml": "waits for a person",
    "variables-showcase.yaml": "its daemon is alpine's nc, which the busybox image at hand lacks; simulated instead",
    "webhdfs-input-output-artifacts.yaml": _NETWORK,
}

SLOW = {
    "colored-logs.yaml",
    "k8s-wait-wf.yaml",
    "loops-param-result.yaml",
    "parallelism-nested-dag.yaml",
    "parallelism-nested-workflow.yaml",
    "parallelism-nested.yaml",
    "parallelism-template-limit.yaml",
    "step-level-timeout.yaml",
    "timeouts-step.yaml",
    "timeouts-workflow.yaml",
    "dag-disable-failFast.yaml",
}

# Refused before anything runs (exit 3), and the words that say why.
REFUSED: dict[str, str] = {
    "daemoned-stateful-set-with-service.yaml": "exists on a cluster only",
    "github-path-filter-workfloweventbinding.yaml": "is not run here",
    "k8s-jobs.yaml": "exists on a cluster only",
    "k8s-orchestration.yaml": "exists on a cluster only",
    "k8s-patch-json-workflow.yaml": "stands twice in one mapping",
    "k8s-patch-pod.yaml": "exists on a cluster only",
    "k8s-resource-log-selector.yaml": "exists on a cluster only",
    "resource-flags.yaml": "exists on a cluster only",
    "synchronization-db-wf-level.yaml": "cannot be used on one machine",
    "workflow-level-executor-plugin.yaml": "cannot be used on one machine",
}

# Made to fail, or of random outcome: the phases that it may reach.
_FAILS = ("Failed",)
_RANDOM = ("Succeeded", "Failed", "Error")
PHASES: dict[str, tuple[str, ...]] = {
    "coinflip-recursive.yaml": ("Succeeded",),
    "custom-metrics.yaml": _RANDOM,
    "dag-custom-metrics.yaml": _RANDOM,
    "dag-disable-failFast.yaml": _FAILS,
    "exit-handlers.yaml": _FAILS,
    "loops-arbitrary-sequential-steps.yaml": _FAILS,
    "pod-gc-strategy-with-label-selector.yaml": _FAILS,
    "pod-gc-strategy.yaml": _FAILS,
    "resubmit.yaml": _RANDOM,
    "retry-conditional.yaml": _RANDOM,
    "retry-container-to-completion.yaml": _RANDOM,
    "retry-container.yaml": _RANDOM,
    "retry-on-error.yaml": _RANDOM,
    "retry-script.yaml": _RANDOM,
    "retry-with-steps.yaml": _RANDOM,
    "step-level-timeout.yaml": _FAILS,
    "timeouts-step.yaml": _FAILS,
    "timeouts-workflow.yaml": _FAILS,
}


def files() -> list[Path]:
    """All examples."""
    return sorted(EXAMPLES.rglob("*.yaml"))


def reason_not_to_run(file: Path) -> str:
    """Why it is not run now, or ""."""
    if file.name in SLOW and not os.environ.get("ARGOSY_SLOW"):
        return _SLOW
    return NOT_RUN.get(file.name, "")


def argosy(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "argosy", *arguments, "--home", str(folder / ".argosy")],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
