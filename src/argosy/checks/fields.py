"""What becomes of each field of a manifest on one machine: the table behind docs/fidelity.md and the report of a run.

It knows fields and what is promised of each, not how a promise is kept. A field of a struct that others build on
stands once, with that struct.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from argosy.checks.texts import fields_of
from argosy.model import manifest as m

# supported: as Argo does it. differs: done, or done in part, as the note says. cluster-only: it acts on pods or on
# the cluster; carried along untouched, without effect here. refused: a workflow that uses it is not run.
Status = Literal["supported", "differs", "cluster-only", "refused"]


class Row(msgspec.Struct, frozen=True):
    """What becomes of one field. note: how it differs, or what to do instead."""

    status: Status
    note: str = ""


SUPPORTED = Row("supported")
PLACES_PODS = "only places pods"
BELONGS_TO_CLUSTER = "written by a cluster"
TABLE: dict[type[m.Part], dict[str, Row]] = {}


def _fields(
    struct: type[m.Part],
    supported: str = "",
    differs: dict[str, str] | None = None,
    cluster_only: dict[str, str] | None = None,
    refused: dict[str, str] | None = None,
) -> None:
    rows = dict.fromkeys(supported.split(), SUPPORTED)
    rows |= {key: Row("differs", note) for key, note in (differs or {}).items()}
    rows |= {key: Row("cluster-only", note) for key, note in (cluster_only or {}).items()}
    rows |= {key: Row("refused", note) for key, note in (refused or {}).items()}
    TABLE[struct] = rows


def own_keys(struct: type[m.Part]) -> tuple[str, ...]:
    """The keys that a struct adds to those of the struct it builds on, in the manifest's words."""
    inherited = {key for base in struct.__mro__[1:] if _is_part(base) for _, key in fields_of(base)}
    return tuple(key for _, key in fields_of(struct) if key not in inherited)


def _is_part(kind: type) -> bool:
    return issubclass(kind, m.Part) and kind is not m.Part


def row_of(struct: type[m.Part], key: str) -> Row:
    """What becomes of a field of a struct, its own or inherited. Raises KeyError for one that the table lacks."""
    for kind in struct.__mro__:
        rows = TABLE.get(kind)
        if rows is not None and key in rows:
            return rows[key]
    raise KeyError(f"{struct.__name__}.{key}")


# Documents
_fields(m.Workflow, "metadata spec apiVersion kind status")
_fields(m.WorkflowTemplate, "metadata spec apiVersion kind")
_fields(m.CronWorkflow, "metadata spec apiVersion kind status")
_fields(
    m.CronWorkflowSpec,
    "workflowSpec workflowMetadata",
    differs=dict.fromkeys(
        (
            "schedules",
            "timezone",
            "concurrencyPolicy",
            "suspend",
            "startingDeadlineSeconds",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
            "stopStrategy",
            "when",
        ),
        "checked, but nothing is started by the clock: a run of it is started by hand",
    ),
)
_fields(m.StopStrategy, "expression")
_fields(m.ConfigMap, "metadata data binaryData immutable apiVersion kind")
_fields(m.Secret, "metadata data stringData type immutable apiVersion kind")
_fields(
    m.PersistentVolumeClaim,
    "metadata apiVersion kind status",
    differs={"spec": "a folder on this machine; size, class and access modes have no effect"},
)
_fields(
    m.ObjectMeta,
    "name generateName namespace labels annotations uid creationTimestamp",
    cluster_only=dict.fromkeys(
        (
            "resourceVersion",
            "generation",
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "finalizers",
            "managedFields",
            "ownerReferences",
        ),
        BELONGS_TO_CLUSTER,
    ),
)

# The workflow
_fields(
    m.PlacementFields,
    differs={
        "securityContext": "honoured as far as a container engine does; without one, steps run as you",
        "podSpecPatch": "the fields that apply here are honoured: containers' command, args, env, resources, image",
    },
    cluster_only=dict.fromkeys(
        (
            "affinity",
            "tolerations",
            "nodeSelector",
            "schedulerName",
            "serviceAccountName",
            "automountServiceAccountToken",
            "executor",
            "resourceClaims",
            "podResources",
        ),
        PLACES_PODS,
    )
    | {"hostAliases": "the names of this machine are used"},
)
_fields(
    m.WorkflowSpec,
    "entrypoint arguments templates templateDefaults workflowTemplateRef onExit hooks parallelism "
    "activeDeadlineSeconds retryStrategy suspend shutdown synchronization volumes workflowMetadata "
    "artifactRepositoryRef",
    differs={
        "volumeClaimTemplates": "a folder for each run; size, class and access modes have no effect",
        "volumeClaimGC": "says when the run's folders for claims are deleted",
        "metrics": "recorded with the run; there is no endpoint to scrape",
        "ttlStrategy": "says when `prune` may delete the run",
        "podGC": "says when `prune` may delete the folders of steps",
        "artifactGC": "says when `prune` may delete artifacts",
        "archiveLogs": "logs are always kept with the run",
        "podMetadata": "kept with the run; there is no pod to carry it",
        "imagePullSecrets": "one login for each registry, the first; besides it the container engine's own count",
    },
    cluster_only={
        "dnsConfig": "the resolver of this machine is used",
        "dnsPolicy": "the resolver of this machine is used",
        "hostNetwork": "steps use the network of this machine",
        "podDisruptionBudget": PLACES_PODS,
        "podPriorityClassName": PLACES_PODS,
        "priority": "orders the workflows of a cluster; {{workflow.priority}} has its value",
    },
    refused={"executorPlugins": "they run beside an agent pod; use an http or container template instead"},
)
_fields(m.WorkflowTemplateRef, "name clusterScope")
_fields(m.WorkflowMetadata, "labels annotations labelsFrom")
_fields(m.LabelValueFrom, "expression")
_fields(m.Metadata, "labels annotations")
_fields(m.TTLStrategy, "secondsAfterCompletion secondsAfterSuccess secondsAfterFailure")
_fields(
    m.PodGC,
    "strategy deleteDelayDuration",
    cluster_only={"labelSelector": "there are no pods to select from"},
)
_fields(m.VolumeClaimGC, "strategy")
_fields(
    m.ArtifactGC,
    "strategy",
    cluster_only={"serviceAccountName": PLACES_PODS, "podMetadata": PLACES_PODS},
)
_fields(m.WorkflowLevelArtifactGC, cluster_only={"forceFinalizerRemoval": PLACES_PODS, "podSpecPatch": PLACES_PODS})
_fields(m.ArtifactRepositoryRef, "configMap key")

# Templates and calls of them
_fields(
    m.Template,
    "name inputs outputs container script containerSet resource dag steps suspend http data daemon initContainers "
    "sidecars volumes archiveLocation activeDeadlineSeconds timeout retryStrategy parallelism failFast memoize "
    "synchronization annotations",
    differs={
        "pendingTimeout": "counts the time that a step waits for room on this machine",
        "metrics": "recorded with the run; there is no endpoint to scrape",
        "metadata": "kept with the run; there is no pod to carry it",
    },
    cluster_only={"priorityClassName": PLACES_PODS},
    refused={"plugin": "executor plugins run beside an agent pod; use an http or container template instead"},
)
_fields(
    m.CallFields,
    "template templateRef inline arguments when withItems withParam withSequence continueOn onExit hooks",
)
_fields(m.WorkflowStep, "name")
_fields(m.DAGTask, "name dependencies depends")
_fields(m.DAGTemplate, "tasks target failFast")
_fields(m.TemplateRef, "name template clusterScope")
_fields(m.ContinueOn, "error failed")
_fields(m.Sequence, "count start end format")
_fields(m.LifecycleHook, "template templateRef arguments expression")
_fields(m.SuspendTemplate, "duration")
_fields(
    m.ResourceTemplate,
    "action manifest manifestFrom successCondition failureCondition mergeStrategy",
    differs={
        "flags": "kubectl is not called: a kind and name, --ignore-not-found, --force and -n are understood; "
        "another flag that would change the outcome is an error",
        "setOwnerReference": "written to the object; a run that is waited for ends with its owner, none is deleted",
    },
)
_fields(m.ManifestFrom, "artifact")
_fields(m.HTTPTemplate, "url method headers body bodyFrom timeoutSeconds successCondition insecureSkipVerify")
_fields(m.HTTPHeader, "name value valueFrom")
_fields(m.HTTPHeaderSource, "secretKeyRef")
_fields(m.HTTPBodySource, "bytes")
_fields(m.Data, "source transformation")
_fields(m.DataSource, "artifactPaths")
_fields(m.ArtifactPaths, "name")
_fields(m.TransformationStep, "expression")
_fields(m.RetryStrategy, "limit retryPolicy expression backoff", cluster_only={"affinity": PLACES_PODS})
_fields(m.Backoff, "duration factor maxDuration cap")
_fields(m.Memoize, "key cache maxAge")
_fields(m.Cache, "configMap")
_fields(m.LocalObjectReference, "name")
_fields(m.Synchronization, "mutexes semaphores")
_DATABASE = "the limit stands in a controller's database; use a semaphore from a ConfigMap"
_fields(m.Mutex, "name", {"namespace": "part of the lock's name", "database": "every lock is in the record of runs"})
_fields(m.SemaphoreRef, "configMapKeyRef", {"namespace": "part of the lock's name"}, refused={"database": _DATABASE})
_fields(m.SyncDatabaseRef, "key")
_fields(m.Metrics, "prometheus")
_fields(m.Prometheus, "name help when labels counter gauge histogram")
_fields(m.MetricLabel, "key value")
_fields(m.MetricValue, "value realtime operation buckets")

# Parameters and artifacts
_fields(m.Arguments, "parameters artifacts")
_fields(m.Inputs)
_fields(m.Outputs, "result exitCode")
_fields(m.Parameter, "name value default enum valueFrom globalName description")
_fields(
    m.ValueFrom,
    "path parameter expression jsonPath jqFilter supplied default configMapKeyRef",
    refused={"event": "events are delivered by Argo's server; pass the parameter when the run starts"},
)
_fields(m.KeySelector, "key name optional")
_fields(m.Artifact, "name")
_fields(
    m.ArtifactFields,
    "path from fromExpression subPath mode recurseMode optional archive globalName deleted readOnly",
    differs={"artifactGC": "says when `prune` may delete the artifact"},
)
_fields(
    m.ArtifactLocation,
    "s3 gcs azure oss hdfs http git artifactory raw digest named",
    differs={"archiveLogs": "logs are always kept with the run"},
    refused={"plugin": "artifact plugins are images that run in a pod; use one of the stores instead"},
)
_fields(m.NamedData, "kind ref artifact path type metrics existing asked found")
_fields(m.RawArtifact, "data")
_fields(m.ArchiveStrategy, "none tar zip")
_fields(m.TarStrategy, "compressionLevel")

# Containers
_IN_CONTAINERS = "honoured by a container engine; without one, steps are processes"
_fields(
    m.ContainerFields,
    "image command args env envFrom workingDir volumeMounts resources",
    differs={
        "securityContext": "honoured as far as a container engine does; without one, steps run as you",
        "imagePullPolicy": _IN_CONTAINERS,
        "lifecycle": "hooks of a container are not run",
        "livenessProbe": "not asked: a step that hangs is ended by its deadline",
        "readinessProbe": "asked of daemon steps; others are ready when they have started",
        "startupProbe": "asked of daemon steps; others are ready when they have started",
        "ports": "steps use the network of this machine; ports are not mapped",
        "restartPolicy": "a container ends when it ends; sidecars end with the step",
        "stdin": "standard input is empty",
        "stdinOnce": "standard input is empty",
        "tty": "podman and docker give the step a terminal; elsewhere there is none",
        "terminationMessagePath": "the message of a step is its exit code or signal",
        "terminationMessagePolicy": "the message of a step is its exit code or signal",
    },
    cluster_only={
        "resizePolicy": "the resources of a running step do not change",
        "restartPolicyRules": "a container ends when it ends; retries are for retryStrategy",
    },
    refused={"volumeDevices": "there are no block devices to hand out; mount a folder instead"},
)
_fields(m.Container, "name")
_fields(m.ScriptTemplate, "source name")
_fields(m.UserContainer, "name mirrorVolumeMounts")
_fields(m.ContainerNode, "name dependencies")
_fields(m.ContainerSetTemplate, "containers volumeMounts retryStrategy")
_fields(m.ContainerSetRetryStrategy, "retries duration")
_fields(
    m.Resources,
    differs={
        "limits": "memory and cpu are limited by a container engine; nvidia.com/gpu is handed out by index",
        "requests": "a step waits until this machine has so much free",
    },
    cluster_only={"claims": PLACES_PODS},
)
_fields(m.EnvVar, "name value valueFrom")
_fields(
    m.EnvVarSource,
    "configMapKeyRef secretKeyRef",
    differs={
        "fieldRef": "metadata.* and status.* of the pod are those of the step here",
        "resourceFieldRef": "the step's own requests and limits",
    },
    refused={"fileKeyRef": "files of other containers are not read; write the value to an output parameter"},
)
_fields(m.EnvFromSource, "prefix configMapRef secretRef")
_fields(m.EnvFromRef, "name optional")
_fields(m.FieldRef, "fieldPath apiVersion")
_fields(
    m.VolumeMount,
    "name mountPath subPath subPathExpr readOnly",
    differs={"recursiveReadOnly": "as readOnly"},
    cluster_only={"mountPropagation": "mounts are not propagated"},
)
_fields(
    m.Volume,
    "name emptyDir configMap secret hostPath projected",
    differs={
        "persistentVolumeClaim": "a folder on this machine, kept between runs",
        "downwardAPI": "metadata.* of the pod is that of the step here",
        "ephemeral": "a folder for each step",
    },
    refused={
        "csi": "drivers of volumes are a cluster's; mount it on this machine and use hostPath",
        "nfs": "mount it on this machine and use hostPath",
        "image": "take the files out of the image, or use it as the step's own",
    },
)
