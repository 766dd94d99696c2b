"""Short ways to read dstack's files in tests."""

from __future__ import annotations

from pathlib import Path

from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.dstack.reading import Beside, load
from argosy.model.manifest import Artifact, Template, Workflow
from argosy.project.dstack_files import load as load_file

FILES = Path(__file__).parent / "files"


def read(workflows: str, variables: str = "", providers: str = "", *, repository: str = "") -> Loaded:
    """Workflows (the items of the list), variables (below `variables:`), providers (the items of the list)."""
    files: list[tuple[str, str | bytes]] = []
    if variables:
        files.append(("variables.yaml", f"variables:\n{_indented(variables)}"))
    if providers:
        files.append(("providers.yaml", f"providers:\n{_indented(providers)}"))
    beside = Beside(files=tuple(files), repository=repository)
    return load(f"workflows:\n{_indented(workflows)}", "workflows.yaml", beside=beside)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.strip("\n").splitlines())


def read_era(era: str, name: str = "workflows.yaml") -> Loaded:
    """The shipped file of a dialect, with what stands beside it."""
    path = FILES / era / ".dstack" / name
    return load_file(path.read_bytes(), str(path))


def document(loaded: Loaded, name: str) -> LoadedDocument:
    """The document of a workflow, free of errors."""
    loaded.checked()
    return next(one for one in loaded.documents if one.value.metadata.annotations["argosy.dev/workflow"] == name)


def template(loaded: Loaded, name: str, of: str = "") -> Template:
    """The template of a workflow, in the document of another one that runs it first."""
    return next(one for one in templates(loaded, of or name) if one.name == name)


def templates(loaded: Loaded, name: str) -> tuple[Template, ...]:
    """All templates of a workflow's document."""
    value = document(loaded, name).value
    assert isinstance(value, Workflow)
    return value.spec.templates


def source(loaded: Loaded, name: str) -> str:
    """The script of a workflow."""
    found = template(loaded, name).script
    assert found is not None
    return found.source


def env(loaded: Loaded, name: str) -> dict[str, str | None]:
    """The environment that a workflow's step is given."""
    found = template(loaded, name).script
    assert found is not None
    return {one.name: one.value for one in found.env}


def inputs(loaded: Loaded, name: str, of: str = "") -> tuple[Artifact, ...]:
    """The artifacts that a workflow is given."""
    found = template(loaded, name, of).inputs
    return found.artifacts if found is not None else ()


def outputs(loaded: Loaded, name: str) -> dict[str, str]:
    """The artifacts that a workflow gives, with their paths."""
    found = template(loaded, name).outputs
    return {one.name: one.path for one in found.artifacts} if found is not None else {}


def requests(loaded: Loaded, name: str) -> dict[str, str]:
    """What a workflow asks of the machine."""
    found = template(loaded, name).script
    assert found is not None
    return found.resources.requests if found.resources is not None else {}


def problem(loaded: Loaded, rule: str) -> tuple[str, str, int]:
    """The one finding of a rule: its message, its hint, its line."""
    (found,) = [one for one in loaded.diagnostics if one.rule == rule]
    assert found.span is not None
    return found.message, found.hint, found.span.line
