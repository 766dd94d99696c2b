"""Argo's end-to-end cases, run by the command line as a person would, on one of the runtimes.

The cases are read in place. What is listed here is only what their own test bed gives them, what cannot be expected
on one machine, and why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CASES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "argo" / "e2e"
IMAGES = Path(__file__).resolve().parents[1] / "images"
EVERYWHERE = ("sandbox", "podman")

# What the images of the cases hold, where there is no container engine.
_ARGOSAY = {"entrypoint": [f"{IMAGES}/argosay"], "path": [str(IMAGES)], "files": {"/argosay": f"{IMAGES}/argosay"}}
MEANINGS = {
    "python:alpine": {"path": [f"{sys.base_prefix}/bin"]},
    "argoproj/argosay:v2": _ARGOSAY,
    "argoproj/argosay:v1": _ARGOSAY,
    "docker/whalesay": {"path": [str(IMAGES)]},
}

# Files with fields that Argo does not know either; its test bed reads loosely, and so must we.
LOOSE = {
    "db-semaphore-TestSynchronizationWfLevelMutex-1.yaml",
    "functional-TestDAGLevelMemoize.yaml",
    "functional-TestTemplateLevelTimeoutWithForbidden.yaml",
    "functional-TestWorkflowLifecycleHookWithWorkflowTemplate.yaml",
    "functional-TestWorkflowTemplateRefWithExitHandlerError.yaml",
    "workflow-configmap-substitution-TestDefaultParamValueWhenNotFound.yaml",
    "workflow-configmap-substitution-TestKeySubstitution.yaml",
    "workflow-inputs-orverridable-TestArgsValueFromParamsOverrideInputParamsValueFrom.yaml",
    "workflow-inputs-orverridable-TestArgsValueParamsOverrideInputParamsValueFrom.yaml",
}


class Otherwise(NamedTuple):
    """A case whose expectation does not hold here. outcome: what happens instead: a phase, refused, or outside."""

    outcome: str
    why: str
    runtimes: tuple[str, ...] = EVERYWHERE


_NO_HOST = "its host is on the internet or in Argo's test bed, which these machines do not reach"
OTHERWISE: dict[str, Otherwise] = {
    "artifacts-TestGitArtifactDepthClone.yaml": Otherwise("outside", _NO_HOST),
    "cli-TestArgoSetOutputs.yaml": Otherwise("outside", "it waits for a person, whom Argo's test plays"),
    "cli-TestRetryWorkflowWithContinueOn.yaml": Otherwise("outside", "a WorkflowTemplate, which Argo's test submits"),
    "db-semaphore-TestSynchronizationTmplLevelMutexAndSemaphore.yaml": Otherwise(
        "refused", "the limit of its semaphore stands in a controller's database"
    ),
    "executor-plugins-TestTemplateExecutor.yaml": Otherwise("refused", "executor plugins run beside an agent pod"),
    "executor-plugins-TestCompressedTemplateExecutor-WorkflowTaskSetIsProperlyCleaned.yaml": Otherwise(
        "refused", "executor plugins run beside an agent pod"
    ),
    "functional-TestOptionalInputArtifacts.yaml": Otherwise("outside", _NO_HOST),
    "functional-TestOutputArtifactS3BucketCreationEnabled.yaml": Otherwise("outside", _NO_HOST),
    "functional-TestWorkflowInvalidServiceAccountError.yaml": Otherwise(
        "Succeeded", "service accounts belong to a cluster: carried along, not used"
    ),
    "functional-TestWorkflowTemplateRefWithExitHandlerError.yaml": Otherwise(
        "refused", "its exit handler is no valid template; Argo finds that out when the run has begun"
    ),
    "http-artifacts-TestInputArtifactHttp.yaml": Otherwise("outside", _NO_HOST),
    "http-artifacts-TestOutputArtifactHttp.yaml": Otherwise("outside", _NO_HOST),
    "http-artifacts-TestBasicAuthArtifactHttp.yaml": Otherwise("outside", _NO_HOST),
    "http-artifacts-TestOAuthArtifactHttp.yaml": Otherwise("outside", _NO_HOST),
    "http-artifacts-TestArtifactoryArtifacts.yaml": Otherwise("outside", _NO_HOST),
    "resource-template-TestResourceTemplateWithPod.yaml": Otherwise("refused", "it makes a Pod"),
    "resource-template-TestResourceTemplateWithOutputs.yaml": Otherwise("refused", "it makes a Pod"),
    "signals-TestSignaledContainerSet.yaml": Otherwise(
        "Succeeded", "it runs out of memory; only a container engine makes a limit bind", ("sandbox",)
    ),
    "tracing-TestOtelCliTraceContext.yaml": Otherwise("outside", _NO_HOST),
    "tracing-TestDataTemplateTracing.yaml": Otherwise("outside", _NO_HOST),
    "workflow-TestWorkflowFailedWhenAllPodSetFailedFromPending.yaml": Otherwise(
        "Succeeded", "it expects pods that stay Pending past their deadline while images are pulled"
    ),
}


def cases() -> list[dict[str, Any]]:
    """All cases, as the file beside them lists them."""
    return json.loads((CASES / "expected.json").read_text())


def text_of(case: dict[str, Any]) -> str:
    """The workflow of a case; some are links to an example, kept as the text of the link."""
    text = (CASES / case["file"]).read_text()
    if "\n" not in text.strip() and text.strip().endswith(".yaml"):
        text = (CASES.parent / "examples" / Path(text.strip()).name).read_text()
    return text


def run(case: dict[str, Any], folder: Path, runtime: str) -> tuple[int, dict[str, Any], str]:
    """Run a case in a fresh home: the exit code, the status, and what was said on stderr."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "argosy.toml").write_text(_configuration())
    objects = [_document(text) for text in case["objects"]]
    for name, data in case["configmaps"].items():
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
    for number, document in enumerate(objects):
        (folder / f"object-{number}.json").write_text(json.dumps(document))
        applied = _argosy(folder, "apply", "-f", f"object-{number}.json")
        if applied.returncode != 0:
            return applied.returncode, {}, applied.stderr
    (folder / case["file"]).write_text(text_of(case))
    loose = ["--no-strict"] if case["file"] in LOOSE else []
    done = _argosy(folder, "run", case["file"], "--runtime", runtime, "-o", "json", *loose)
    status = json.loads(done.stdout)["status"] if done.stdout.strip().startswith("{") else {}
    return done.returncode, status, done.stderr


def _configuration() -> str:
    lines: list[str] = []
    for image, meaning in MEANINGS.items():
        lines.append(f'[images."{image}"]')
        for key, value in meaning.items():
            if isinstance(value, dict):
                shown = "{ " + ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items()) + " }"
            else:
                shown = json.dumps(value)
            lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


def _document(text: str) -> dict[str, Any]:
    document = yaml.safe_load(text)
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", **document}


def _argosy(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argosy", *arguments, "--home", str(folder / ".argosy")],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def differences(case: dict[str, Any], status: dict[str, Any], errors: str) -> list[str]:
    """How an outcome differs from the expected one; empty if it does not."""
    if not status:
        return [f"no status: {errors.strip()[-600:]}"]
    found: list[str] = []
    if case["phase"] and status["phase"] != case["phase"]:
        found.append(f"phase {status['phase']} ({status.get('message', '')}), expected {case['phase']}")
    by_name: dict[str, list[str]] = {}
    for node in status["nodes"].values():
        by_name.setdefault(node["displayName"], []).append(node["phase"])
    for name, phase in case["nodes"].items():
        if phase and phase not in by_name.get(name, []):
            found.append(f"node {name} {by_name.get(name, 'absent')}, expected {phase}")
    return found
