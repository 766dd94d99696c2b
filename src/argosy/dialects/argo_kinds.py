"""Argo's words that are not fields: versions, kinds of Kubernetes that are refused and why, spellings of old.

It knows names only; what the accepted kinds hold is in `argosy.model.manifest`.
"""

from __future__ import annotations

from argosy.model.manifest import ObjectMeta
from argosy.syntax.decoders import Older

API_GROUP = "argoproj.io"
API_VERSION = "argoproj.io/v1alpha1"
CORE_KINDS = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})

# Spellings that Argo 3 had and Argo 4 no longer reads (Argo docs: synchronization.md, cron-workflows.md).
OLDER: dict[tuple[str, str], Older] = {
    ("Synchronization", "mutex"): Older(field="mutexes", in_list=True),
    ("Synchronization", "semaphore"): Older(field="semaphores", in_list=True),
    ("CronWorkflowSpec", "schedule"): Older(field="schedules", in_list=True),
}
# Go gives an absent field its zero value. These are required by the model, yet Argo runs manifests without them:
# `templateDefaults` may hold half a script, and a workflow can be named when it starts.
ABSENT: dict[tuple[str, str], object] = {
    ("ScriptTemplate", "source"): "",
    ("Workflow", "metadata"): ObjectMeta(),
    ("Workflow", "kind"): "",
}

# What is better called by its field than by its type.
WORDS = {
    "ObjectMeta": "metadata",
    "WorkflowSpec": "a workflow's spec",
    "CronWorkflowSpec": "a cron workflow's spec",
    "ContainerNode": "a container of a container set",
    "UserContainer": "a sidecar or init container",
    "ValueFrom": "`valueFrom`",
    "EnvVar": "an environment variable",
    "EnvVarSource": "`valueFrom`",
    "EnvFromSource": "an item of `envFrom`",
    "EnvFromRef": "a reference of `envFrom`",
    "ManifestFrom": "`manifestFrom`",
    "HTTPHeaderSource": "`valueFrom`",
    "HTTPBodySource": "`bodyFrom`",
    "LabelValueFrom": "an item of `labelsFrom`",
    "ContinueOn": "`continueOn`",
    "Data": "a data template",
    "Prometheus": "a metric",
    "Cache": "a cache",
    "Metrics": "`metrics`",
}

_CLUSTER = "it is an object of a Kubernetes cluster, and no cluster is here"
_RUN_ITS_PROGRAM = "run its program as a step with a `container`"
_REFUSED: dict[str, tuple[str, str]] = {
    "WorkflowEventBinding": ("it waits for events at Argo's server", "start the workflow with `argosy run`"),
    "WorkflowTaskSet": ("Argo's controller makes these itself", "remove it"),
    "WorkflowTaskResult": ("Argo's executor makes these itself", "remove it"),
    "WorkflowArtifactGCTask": ("Argo's controller makes these itself", "remove it"),
    "EventSource": ("it belongs to Argo Events", "start the workflow with `argosy run`"),
    "Sensor": ("it belongs to Argo Events", "start the workflow with `argosy run`"),
    "ExecutorPlugin": ("plugins run beside a pod of a cluster", "do its work in a step with a `container`"),
    "List": ("a List holds objects, not other lists", "put the objects of both in one List"),
    "Job": (_CLUSTER, _RUN_ITS_PROGRAM),
    "Workspace": (
        "a workspace of Onepanel is a set of programs that people reach until they stop it, not a workflow",
        "start its image with podman or docker",
    ),
    "CronJob": (_CLUSTER, "write a CronWorkflow"),
    "Deployment": (_CLUSTER, "use a template with `daemon: true`"),
    "StatefulSet": (_CLUSTER, "use a template with `daemon: true`"),
    "Service": (_CLUSTER, "steps reach a daemon by its `ip`"),
    "PersistentVolume": (_CLUSTER, "a PersistentVolumeClaim is enough; it is a folder here"),
    **dict.fromkeys(
        (
            "DaemonSet",
            "ReplicaSet",
            "Namespace",
            "Ingress",
            "NetworkPolicy",
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "CustomResourceDefinition",
            "PodDisruptionBudget",
            "PriorityClass",
            "ResourceQuota",
            "LimitRange",
            "StorageClass",
        ),
        (_CLUSTER, "leave it out of the file; nothing here needs it"),
    ),
}


def refusal(kind: str) -> tuple[str, str] | None:
    """Why a kind that exists elsewhere is refused, and what to do instead; None for a kind that nobody knows."""
    return _REFUSED.get(kind)
