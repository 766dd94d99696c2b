"""The manifest as frozen values: Workflow, its templates, arguments and artifacts.

It knows the fields and their shapes (Argo docs: fields.md), not where a value came from nor what executes it.
Fragments that only Kubernetes acts on stay opaque: they are `object`, carried along untouched.
"""

# Without annotations from __future__, which are texts: each would be evaluated when a manifest is first decoded.
from typing import Annotated, Any

import msgspec
from msgspec import field

# A parameter's value: numbers and booleans in the file are strings in the model.
AnyString = Annotated[str, "any-string"]
IntOrString = int | str
# A fragment that only the runner looks into, as plain mappings and lists.
Opaque = Any


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A piece of a manifest. Absent fields are None or empty, and are left out when written."""


class LocalObjectReference(Part, frozen=True, kw_only=True):
    name: str = ""


class KeySelector(Part, frozen=True, kw_only=True):
    """A key of a ConfigMap or a Secret."""

    key: str
    name: str = ""
    optional: bool = False


class FieldRef(Part, frozen=True, kw_only=True):
    field_path: str
    api_version: str = ""


class EnvVarSource(Part, frozen=True, kw_only=True):
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: FieldRef | None = None
    resource_field_ref: Opaque = None
    file_key_ref: Opaque = None


class EnvVar(Part, frozen=True, kw_only=True):
    name: str
    value: AnyString | None = None
    value_from: EnvVarSource | None = None


class EnvFromRef(Part, frozen=True, kw_only=True):
    name: str = ""
    optional: bool = False


class EnvFromSource(Part, frozen=True, kw_only=True):
    prefix: str = ""
    config_map_ref: EnvFromRef | None = None
    secret_ref: EnvFromRef | None = None


class VolumeMount(Part, frozen=True, kw_only=True):
    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""
    read_only: bool = False
    recursive_read_only: str = ""
    mount_propagation: str = ""


class Resources(Part, frozen=True, kw_only=True):
    limits: dict[str, AnyString] = {}
    requests: dict[str, AnyString] = {}
    claims: Opaque = None


class ContainerFields(Part, frozen=True, kw_only=True):
    """What a container is, whichever of Argo's five container kinds it stands in."""

    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    working_dir: str = ""
    volume_mounts: tuple[VolumeMount, ...] = ()
    resources: Resources | None = None
    security_context: Opaque = None
    image_pull_policy: str = ""
    lifecycle: Opaque = None
    liveness_probe: Opaque = None
    readiness_probe: Opaque = None
    startup_probe: Opaque = None
    ports: Opaque = None
    resize_policy: Opaque = None
    restart_policy: str = ""
    restart_policy_rules: Opaque = None
    stdin: bool = False
    stdin_once: bool = False
    termination_message_path: str = ""
    termination_message_policy: str = ""
    tty: bool = False
    volume_devices: Opaque = None


class Container(ContainerFields, frozen=True, kw_only=True):
    name: str = ""


class ScriptTemplate(ContainerFields, frozen=True, kw_only=True):
    source: str
    name: str = ""


class UserContainer(ContainerFields, frozen=True, kw_only=True):
    """A sidecar or an init container."""

    name: str
    mirror_volume_mounts: bool = False


class ContainerNode(ContainerFields, frozen=True, kw_only=True):
    """One container of a container set."""

    name: str
    dependencies: tuple[str, ...] = ()


class ContainerSetRetryStrategy(Part, frozen=True, kw_only=True):
    retries: IntOrString
    duration: str = ""


class ContainerSetTemplate(Part, frozen=True, kw_only=True):
    containers: tuple[ContainerNode, ...]
    volume_mounts: tuple[VolumeMount, ...] = ()
    retry_strategy: ContainerSetRetryStrategy | None = None


class ValueFrom(Part, frozen=True, kw_only=True):
    """Where a parameter's value comes from."""

    path: str = ""
    parameter: str = ""
    expression: str = ""
    json_path: str = ""
    jq_filter: str = ""
    event: str = ""
    supplied: dict[str, Opaque] | None = None
    default: AnyString | None = None
    config_map_key_ref: KeySelector | None = None


class Parameter(Part, frozen=True, kw_only=True):
    name: str
    value: AnyString | None = None
    default: AnyString | None = None
    enum: tuple[AnyString, ...] | None = None
    value_from: ValueFrom | None = None
    global_name: str = ""
    description: AnyString = ""


class TarStrategy(Part, frozen=True, kw_only=True):
    compression_level: int | None = None


class ArchiveStrategy(Part, frozen=True, kw_only=True):
    none: dict[str, Opaque] | None = None
    tar: TarStrategy | None = None
    zip: dict[str, Opaque] | None = None


class RawArtifact(Part, frozen=True, kw_only=True):
    data: AnyString


class ArtifactGC(Part, frozen=True, kw_only=True):
    strategy: str = ""
    service_account_name: str = ""
    pod_metadata: Opaque = None


class NamedData(Part, frozen=True, kw_only=True):
    """Ours: data of the catalog, by name. Of an input what is to be found, of an output what it becomes.

    kind: dataset, model, tag, or of an input also run: the latest run of the workflow `ref` that succeeded. artifact:
    of a run or a tag, one of its outputs instead of all in one folder, as NAME or STEP/NAME. path: one thing inside.
    type: of a model. metrics: the output parameters of the template that become the model's metrics. existing: of an
    output, that there has to be such a name already.

    asked, found: written when a run is made: `ref` as it was looked up, and the version that it meant then.
    """

    kind: str
    ref: str
    artifact: str = ""
    path: str = ""
    type: str = ""
    metrics: tuple[str, ...] = ()
    existing: bool = False
    asked: str = ""
    found: str = ""


class ArtifactLocation(Part, frozen=True, kw_only=True):
    """One of these says where an artifact's bytes are."""

    s3: dict[str, Opaque] | None = None
    gcs: dict[str, Opaque] | None = None
    azure: dict[str, Opaque] | None = None
    oss: dict[str, Opaque] | None = None
    hdfs: dict[str, Opaque] | None = None
    http: dict[str, Opaque] | None = None
    git: dict[str, Opaque] | None = None
    artifactory: dict[str, Opaque] | None = None
    plugin: dict[str, Opaque] | None = None
    raw: RawArtifact | None = None
    archive_logs: bool | None = None
    # Ours: the content of the artifact in the local store, by its hash. Argo's schema does not have it.
    digest: str = ""
    # Ours: a name for its content.
    named: NamedData | None = None


class ArtifactFields(ArtifactLocation, frozen=True, kw_only=True):
    """What an artifact is besides its name."""

    path: str = ""
    from_: str = field(default="", name="from")
    from_expression: str = ""
    sub_path: str = ""
    mode: int | None = None
    recurse_mode: bool = False
    optional: bool = False
    archive: ArchiveStrategy | None = None
    global_name: str = ""
    artifact_gc: ArtifactGC | None = field(default=None, name="artifactGC")
    deleted: bool = False
    # Ours: of an input, that the step cannot write to it.
    read_only: bool = False


class Artifact(ArtifactFields, frozen=True, kw_only=True):
    name: str


class Arguments(Part, frozen=True, kw_only=True):
    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


class Inputs(Arguments, frozen=True, kw_only=True):
    """What a template takes."""


class Outputs(Arguments, frozen=True, kw_only=True):
    """What a template gives; `result` and `exit_code` only in a status."""

    result: str | None = None
    exit_code: str | None = None


class TemplateRef(Part, frozen=True, kw_only=True):
    name: str = ""
    template: str = ""
    cluster_scope: bool = False


class ContinueOn(Part, frozen=True, kw_only=True):
    error: bool = False
    failed: bool = False


class Sequence(Part, frozen=True, kw_only=True):
    count: IntOrString | None = None
    start: IntOrString | None = None
    end: IntOrString | None = None
    format: str = ""


class LifecycleHook(Part, frozen=True, kw_only=True):
    template: str = ""
    template_ref: TemplateRef | None = None
    arguments: Arguments | None = None
    expression: str = ""


class CallFields(Part, frozen=True, kw_only=True):
    """A call of a template: a step or a DAG task."""

    template: str = ""
    template_ref: TemplateRef | None = None
    inline: "Template | None" = None
    arguments: Arguments | None = None
    when: AnyString = ""
    with_items: tuple[Opaque, ...] | None = None
    with_param: AnyString = ""
    with_sequence: Sequence | None = None
    continue_on: ContinueOn | None = None
    on_exit: str = ""
    hooks: dict[str, LifecycleHook] = {}


class WorkflowStep(CallFields, frozen=True, kw_only=True):
    name: str = ""


class DAGTask(CallFields, frozen=True, kw_only=True):
    name: str
    dependencies: tuple[str, ...] = ()
    depends: str = ""


class DAGTemplate(Part, frozen=True, kw_only=True):
    tasks: tuple[DAGTask, ...]
    target: str = ""
    fail_fast: bool | None = None


class SuspendTemplate(Part, frozen=True, kw_only=True):
    duration: AnyString = ""


class ManifestFrom(Part, frozen=True, kw_only=True):
    artifact: Artifact


class ResourceTemplate(Part, frozen=True, kw_only=True):
    action: str
    manifest: str = ""
    manifest_from: ManifestFrom | None = None
    merge_strategy: str = ""
    set_owner_reference: bool = False
    success_condition: str = ""
    failure_condition: str = ""
    flags: tuple[str, ...] = ()


class HTTPHeaderSource(Part, frozen=True, kw_only=True):
    secret_key_ref: KeySelector | None = None


class HTTPHeader(Part, frozen=True, kw_only=True):
    name: str
    value: AnyString = ""
    value_from: HTTPHeaderSource | None = None


class HTTPBodySource(Part, frozen=True, kw_only=True):
    bytes: str = ""


class HTTPTemplate(Part, frozen=True, kw_only=True):
    url: str
    method: str = ""
    headers: tuple[HTTPHeader, ...] = ()
    body: str = ""
    body_from: HTTPBodySource | None = None
    timeout_seconds: int | None = None
    success_condition: str = ""
    insecure_skip_verify: bool = False


class ArtifactPaths(ArtifactFields, frozen=True, kw_only=True):
    """An artifact whose files are listed; its name may be left out."""

    name: str = ""


class DataSource(Part, frozen=True, kw_only=True):
    artifact_paths: ArtifactPaths | None = None


class TransformationStep(Part, frozen=True, kw_only=True):
    expression: str


class Data(Part, frozen=True, kw_only=True):
    source: DataSource
    transformation: tuple[TransformationStep, ...] = ()


class Backoff(Part, frozen=True, kw_only=True):
    duration: AnyString = ""
    factor: IntOrString | None = None
    max_duration: AnyString = ""
    cap: AnyString = ""


class RetryStrategy(Part, frozen=True, kw_only=True):
    limit: IntOrString | None = None
    retry_policy: str = ""
    expression: str = ""
    backoff: Backoff | None = None
    affinity: Opaque = None


class Mutex(Part, frozen=True, kw_only=True):
    name: str = ""
    namespace: str = ""
    database: bool = False


class SyncDatabaseRef(Part, frozen=True, kw_only=True):
    key: str


class SemaphoreRef(Part, frozen=True, kw_only=True):
    config_map_key_ref: KeySelector | None = None
    database: SyncDatabaseRef | None = None
    namespace: str = ""


class Synchronization(Part, frozen=True, kw_only=True):
    mutexes: tuple[Mutex, ...] = ()
    semaphores: tuple[SemaphoreRef, ...] = ()


class Cache(Part, frozen=True, kw_only=True):
    config_map: LocalObjectReference


class Memoize(Part, frozen=True, kw_only=True):
    key: str
    cache: Cache | None = None
    max_age: AnyString = ""


class MetricLabel(Part, frozen=True, kw_only=True):
    key: str
    value: AnyString


class MetricValue(Part, frozen=True, kw_only=True):
    value: AnyString
    realtime: bool = False
    operation: str = ""
    buckets: tuple[float, ...] = ()


class Prometheus(Part, frozen=True, kw_only=True):
    name: str
    help: str
    when: str = ""
    labels: tuple[MetricLabel, ...] = ()
    counter: MetricValue | None = None
    gauge: MetricValue | None = None
    histogram: MetricValue | None = None


class Metrics(Part, frozen=True, kw_only=True):
    prometheus: tuple[Prometheus, ...]


class Metadata(Part, frozen=True, kw_only=True):
    """Labels and annotations of what a template makes."""

    labels: dict[str, AnyString] = {}
    annotations: dict[str, AnyString] = {}


class Volume(Part, frozen=True, kw_only=True):
    """A named volume; its source is looked into by the runner."""

    name: str
    empty_dir: dict[str, Opaque] | None = None
    config_map: dict[str, Opaque] | None = None
    secret: dict[str, Opaque] | None = None
    persistent_volume_claim: dict[str, Opaque] | None = None
    host_path: dict[str, Opaque] | None = None
    projected: Opaque = None
    downward_api: Opaque = field(default=None, name="downwardAPI")
    csi: Opaque = None
    ephemeral: Opaque = None
    nfs: Opaque = None
    image: Opaque = None


class PlacementFields(Part, frozen=True, kw_only=True):
    """Fields that only place pods: carried along, reported once."""

    affinity: Opaque = None
    tolerations: Opaque = None
    node_selector: Opaque = None
    scheduler_name: str = ""
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    executor: Opaque = None
    host_aliases: Opaque = None
    security_context: Opaque = None
    pod_spec_patch: str = ""
    resource_claims: Opaque = None
    pod_resources: Opaque = None


class Template(PlacementFields, frozen=True, kw_only=True):
    """A thing that can be run: exactly one of its kinds is set."""

    name: str = ""
    inputs: Inputs | None = None
    outputs: Outputs | None = None
    container: Container | None = None
    script: ScriptTemplate | None = None
    container_set: ContainerSetTemplate | None = None
    resource: ResourceTemplate | None = None
    dag: DAGTemplate | None = None
    steps: tuple[tuple[WorkflowStep, ...], ...] | None = None
    suspend: SuspendTemplate | None = None
    http: HTTPTemplate | None = None
    data: Data | None = None
    plugin: Opaque = None
    daemon: bool | None = None
    init_containers: tuple[UserContainer, ...] = ()
    sidecars: tuple[UserContainer, ...] = ()
    volumes: tuple[Volume, ...] = ()
    archive_location: ArtifactLocation | None = None
    active_deadline_seconds: IntOrString | None = None
    timeout: AnyString = ""
    pending_timeout: AnyString = ""
    retry_strategy: RetryStrategy | None = None
    parallelism: int | None = None
    fail_fast: bool | None = None
    memoize: Memoize | None = None
    synchronization: Synchronization | None = None
    metrics: Metrics | None = None
    metadata: Metadata | None = None
    annotations: dict[str, AnyString] = {}
    priority_class_name: str = ""


class WorkflowTemplateRef(Part, frozen=True, kw_only=True):
    name: str = ""
    cluster_scope: bool = False


class LabelValueFrom(Part, frozen=True, kw_only=True):
    expression: str


class WorkflowMetadata(Part, frozen=True, kw_only=True):
    labels: dict[str, AnyString] = {}
    annotations: dict[str, AnyString] = {}
    labels_from: dict[str, LabelValueFrom] = {}


class TTLStrategy(Part, frozen=True, kw_only=True):
    seconds_after_completion: int | None = None
    seconds_after_success: int | None = None
    seconds_after_failure: int | None = None


class PodGC(Part, frozen=True, kw_only=True):
    strategy: str = ""
    label_selector: Opaque = None
    delete_delay_duration: AnyString = ""


class WorkflowLevelArtifactGC(ArtifactGC, frozen=True, kw_only=True):
    force_finalizer_removal: bool = False
    pod_spec_patch: str = ""


class VolumeClaimGC(Part, frozen=True, kw_only=True):
    strategy: str = ""


class ArtifactRepositoryRef(Part, frozen=True, kw_only=True):
    config_map: str = ""
    key: str = ""


class WorkflowSpec(PlacementFields, frozen=True, kw_only=True):
    entrypoint: str = ""
    arguments: Arguments | None = None
    templates: tuple[Template, ...] = ()
    template_defaults: Template | None = None
    workflow_template_ref: WorkflowTemplateRef | None = None
    on_exit: str = ""
    hooks: dict[str, LifecycleHook] = {}
    parallelism: int | None = None
    active_deadline_seconds: int | None = None
    retry_strategy: RetryStrategy | None = None
    suspend: bool = False
    shutdown: str = ""
    synchronization: Synchronization | None = None
    volumes: tuple[Volume, ...] = ()
    volume_claim_templates: tuple[Opaque, ...] = ()
    volume_claim_gc: VolumeClaimGC | None = field(default=None, name="volumeClaimGC")
    metrics: Metrics | None = None
    workflow_metadata: WorkflowMetadata | None = None
    pod_metadata: Metadata | None = None
    ttl_strategy: TTLStrategy | None = None
    pod_gc: PodGC | None = field(default=None, name="podGC")
    artifact_gc: WorkflowLevelArtifactGC | None = field(default=None, name="artifactGC")
    artifact_repository_ref: ArtifactRepositoryRef | None = None
    archive_logs: bool | None = None
    executor_plugins: Opaque = None
    dns_config: Opaque = None
    dns_policy: str = ""
    host_network: bool | None = None
    image_pull_secrets: Opaque = None
    pod_disruption_budget: Opaque = None
    pod_priority_class_name: str = ""
    priority: int | None = None


class ObjectMeta(Part, frozen=True, kw_only=True):
    """Argo reads the first five; the rest is carried along."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    labels: dict[str, AnyString] = {}
    annotations: dict[str, AnyString] = {}
    uid: str = ""
    creation_timestamp: str | None = None
    resource_version: str = ""
    generation: int | None = None
    self_link: str = ""
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: Opaque = None
    managed_fields: Opaque = None
    owner_references: Opaque = None


class Workflow(Part, frozen=True, kw_only=True):
    metadata: ObjectMeta
    spec: WorkflowSpec
    api_version: str = ""
    kind: str
    status: Opaque = None


class WorkflowTemplate(Part, frozen=True, kw_only=True):
    """A WorkflowTemplate, or a ClusterWorkflowTemplate: `kind` tells."""

    metadata: ObjectMeta
    spec: WorkflowSpec
    api_version: str = ""
    kind: str


class StopStrategy(Part, frozen=True, kw_only=True):
    expression: str


class CronWorkflowSpec(Part, frozen=True, kw_only=True):
    workflow_spec: WorkflowSpec
    schedules: tuple[str, ...]
    timezone: str = ""
    concurrency_policy: str = ""
    suspend: bool = False
    starting_deadline_seconds: int | None = None
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None
    workflow_metadata: ObjectMeta | None = None
    stop_strategy: StopStrategy | None = None
    when: str = ""


class CronWorkflow(Part, frozen=True, kw_only=True):
    metadata: ObjectMeta
    spec: CronWorkflowSpec
    api_version: str = ""
    kind: str
    status: Opaque = None


class ConfigMap(Part, frozen=True, kw_only=True):
    metadata: ObjectMeta
    data: dict[str, AnyString] = {}
    binary_data: dict[str, str] = {}
    immutable: bool = False
    api_version: str = ""
    kind: str


class Secret(Part, frozen=True, kw_only=True):
    """A Secret: `data` is base64, `string_data` is plain."""

    metadata: ObjectMeta
    data: dict[str, str] = {}
    string_data: dict[str, AnyString] = {}
    type: str = ""
    immutable: bool = False
    api_version: str = ""
    kind: str


class PersistentVolumeClaim(Part, frozen=True, kw_only=True):
    metadata: ObjectMeta
    spec: Opaque = None
    api_version: str = ""
    kind: str
    status: Opaque = None


Document = Workflow | WorkflowTemplate | CronWorkflow | ConfigMap | Secret | PersistentVolumeClaim

KINDS: dict[str, type[Part]] = {
    "Workflow": Workflow,
    "WorkflowTemplate": WorkflowTemplate,
    "ClusterWorkflowTemplate": WorkflowTemplate,
    "CronWorkflow": CronWorkflow,
    "ConfigMap": ConfigMap,
    "Secret": Secret,
    "PersistentVolumeClaim": PersistentVolumeClaim,
}
