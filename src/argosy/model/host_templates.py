"""Host templates: templates that name no image and run with the project's interpreter; and which files are its code.

It knows the annotations that say so and their values, not where anything runs nor how code is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from argosy.model.manifest import ContainerFields, Metadata, Outputs, Template, WorkflowSpec

# On a template (metadata.annotations): "true" makes it a host template. As an image, where no container engine is: the
# project's interpreter.
HOST = "argosy.dev/host"
# The value that gives a template the code in its working folder as a host template has it, but in the image it names.
IN_IMAGE = "image"
PREFIX = "argosy.dev/"
# On a template: "true" for an app, whose step writes `open http://...` when it begins, and ends when it is stopped.
APP = "argosy.dev/app"
# On a host template: where in its working folder the code goes; absent means the folder itself, NO_CODE nowhere.
CODE_DEST = "argosy.dev/code-dest"
NO_CODE = "none"
# On a host template: the Python function that its command calls: FILE.py:NAME below the root of the code, MODULE:NAME.
FUNCTION = "argosy.dev/function"
# The module whose program calls it.
FUNCTION_MODULE = "argosy.dsl.inside"
# On a template: what `argosy plan` takes for its output parameters, which have types there: a JSON object of texts.
ASSUMED = "argosy.dev/assumed"
# On a workflow: the `CodeRules` of its code, as JSON.
CODE_RULES = "argosy.dev/code-rules"
# Written by us on a host template that was made ready to run: the image that its file named, perhaps none.
HOST_IMAGE = "argosy.dev/host-image"
# The input artifact of a host template that holds the code.
CODE_ARTIFACT = "argosy-code"
# Where a container of a host template has its code, and begins.
CODE_FOLDER = "/argosy/code"

TRUE = ("true", "yes", "1")
# On a host template: "true" when its step makes virtual environments, which are to be kept for the steps after it.
ENVIRONMENTS = "argosy.dev/environments"
# Where these are in a step whose own home is not kept, and the volume that they are on.
ENVIRONMENTS_FOLDER = "/argosy/environments"
ENVIRONMENTS_VOLUME = "argosy-environments"

# On a template: the ports that its container has, with commas between them; 0 stands for any that is free.
PORTS = "argosy.dev/ports"

# On a template: the names of output artifacts, with commas between them, that are worth keeping at any moment: they are
# also kept of a step that was ended without grace.
KEPT_LIVE = "argosy.dev/kept-live"

LARGEST_BYTES = 1 << 20
MOST_FILES = 100


class CodeRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Takes files in or leaves them out.

    pattern: of the whole path below the code's root, or of its last name if it has no slash; *, ?, [...] as in a shell,
    ** for any folders. kind: "" any file; "dir" folders, with all below; "text" or "binary" files of that content.
    """

    include: bool
    pattern: str
    kind: str = ""


def read_rule(text: str) -> CodeRule | None:
    """The rule in a text such as "exclude *.csv" or "include binary figures/*.png"; None if it is none."""
    words = text.split(None, 2)
    if len(words) < 2 or words[0] not in ("include", "exclude"):
        return None
    if len(words) == 3 and words[1] in ("dir", "text", "binary"):
        return CodeRule(include=words[0] == "include", kind=words[1], pattern=words[2])
    return CodeRule(include=words[0] == "include", pattern=text.split(None, 1)[1])


class CodeRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which files are the code of a run; of several rules that fit a file the last one counts.

    root: a folder of the project, relative to it. dest: where the code goes in a step's working folder. The limits
    hold for files that no version control knows and that no rule includes: largest_bytes for one, most_files for all.
    """

    rules: tuple[CodeRule, ...] = ()
    root: str = ""
    dest: str = ""
    largest_bytes: int = LARGEST_BYTES
    most_files: int = MOST_FILES


def is_ours(metadata: Metadata) -> bool:
    """Whether there is nothing in a template's metadata but what these modules act on."""
    return not metadata.labels and all(name.startswith(PREFIX) for name in metadata.annotations)


def is_host(template: Template, defaults: Template | None = None) -> bool:
    """Whether it is a container or script template that says it runs on the host."""
    if template.container is None and template.script is None:
        return False
    return annotation(template, HOST, defaults).lower() in (*TRUE, IN_IMAGE)


def needs_image(template: Template, defaults: Template | None = None) -> bool:
    """Whether a host template is one for its code only: where it runs is for its image to say."""
    return annotation(template, HOST, defaults).lower() == IN_IMAGE


def annotation(template: Template, name: str, defaults: Template | None = None) -> str:
    """An annotation of a template, or of templateDefaults where it has none; "" for none."""
    for one in (template, defaults):
        if one is not None and one.metadata is not None and name in one.metadata.annotations:
            return one.metadata.annotations[name]
    return ""


def apps_of(spec: WorkflowSpec) -> frozenset[str]:
    """The names of the templates that are apps."""
    return frozenset(one.name for one in spec.templates if annotation(one, APP).lower() in TRUE)


def templates_in(spec: WorkflowSpec) -> Iterator[Template]:
    """The templates of a document, those written in place too."""
    waiting = list(spec.templates)
    while waiting:
        template = waiting.pop()
        yield template
        for group in template.steps or ():
            waiting += [one.inline for one in group if one.inline is not None]
        if template.dag is not None:
            waiting += [one.inline for one in template.dag.tasks if one.inline is not None]


def main_container(template: Template) -> ContainerFields | None:
    """The container of a container or script template."""
    return template.container or template.script


def without_halves(template: Template) -> Template:
    """The template of a step that was ended without grace: of its outputs only what is worth keeping at any moment."""
    kept = annotation(template, KEPT_LIVE).split(",")
    given = template.outputs.artifacts if template.outputs is not None else ()
    artifacts = tuple(one for one in given if one.name in kept)
    return msgspec.structs.replace(template, outputs=Outputs(artifacts=artifacts) if artifacts else None)
