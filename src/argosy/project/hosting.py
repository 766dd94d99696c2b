"""What a run needs of this machine besides runtimes: the code of the project, and its Python interpreter.

It knows when they are needed and in which order they are had; snapshots and interpreters are the experiments' matter.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from argosy.checks.finding import Finding
from argosy.errors import EnvironmentTrouble, InvalidFile, NotFound, UsageError
from argosy.experiments.provenance import Python, Snapshot, Stored
from argosy.model.host_templates import (
    CODE_RULES,
    FUNCTION,
    HOST,
    HOST_IMAGE,
    CodeRules,
    annotation,
    is_host,
    main_container,
    needs_image,
    templates_in,
)
from argosy.model.manifest import ContainerFields, Template, Workflow
from argosy.model.programs import PROGRAM, is_of_program, lacks_packages, with_files

if TYPE_CHECKING:
    from argosy.project.configuration import Configuration
    from argosy.project.needs import Surroundings
    from argosy.project.project import Project
    from argosy.project.submission import Prepared, RunOptions

# No word of a command that is longer is looked for as a file.
LONGEST_NAME = 255
ENGINES = ("podman", "docker")


class CodeWanted(msgspec.Struct, frozen=True, kw_only=True):
    """The code that a run is to have. take: None means when it has host templates.

    snapshot: this one rather than the working folder's. rules: None means those of the workflow or of argosy.toml.
    """

    take: bool | None = None
    snapshot: Snapshot | None = None
    rules: CodeRules | None = None


class Leaves(msgspec.Struct, frozen=True, kw_only=True):
    """The templates of a run that become processes, by where they run. images: what the others name.

    coded: those of the others that are given the code. elsewhere: those on the host with artifacts at absolute paths.
    functions: those on the host that are calls of Python functions. bare: those of the others that import a program
    whose packages are not in their image. own: the images that those on the host have in a container, "" the project's.
    """

    hosts: tuple[str, ...]
    others: tuple[str, ...]
    images: tuple[str, ...]
    coded: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def leaves_of(workflow: Workflow, surroundings: Surroundings) -> Leaves:
    """The container, script and container set templates of a run."""
    hosts: list[str] = []
    others: list[str] = []
    coded: list[str] = []
    elsewhere: list[str] = []
    functions: list[str] = []
    bare: list[str] = []
    own: dict[str, None] = {}
    images: dict[str, None] = {}
    defaults = workflow.spec.template_defaults
    for template in _templates(workflow, surroundings):
        main = main_container(template)
        if main is not None and needs_image(template, defaults):
            others.append(template.name)
            coded.append(template.name)
            if lacks_packages(main):
                bare.append(template.name)
            beside = (main, *template.init_containers, *template.sidecars)
        elif is_host(template, defaults):
            hosts.append(template.name or "a step written in place")
            if _is_elsewhere(template):
                elsewhere.append(hosts[-1])
            if annotation(template, FUNCTION):
                functions.append(hosts[-1])
            if main is not None:
                own[_own_image(template, main)] = None
            beside = (*template.init_containers, *template.sidecars)
        elif main is not None:
            others.append(template.name)
            beside = (main, *template.init_containers, *template.sidecars)
        elif template.container_set is not None:
            others.append(template.name)
            beside = (*template.container_set.containers, *template.init_containers, *template.sidecars)
        else:
            continue
        images.update((one.image, None) for one in beside if one.image and "{{" not in one.image)
    return Leaves(
        hosts=tuple(hosts),
        others=tuple(others),
        images=tuple(images),
        coded=tuple(coded),
        elsewhere=tuple(elsewhere),
        functions=tuple(functions),
        bare=tuple(bare),
        own=tuple(own),
    )


def _own_image(template: Template, main: ContainerFields) -> str:
    """The image that a host template names for where a container runs it; "" for the project's."""
    return annotation(template, HOST_IMAGE) if main.image == HOST else main.image


def _is_elsewhere(template: Template) -> bool:
    """Whether it has artifacts at absolute paths, which a plain process cannot have for its own."""
    given = (template.inputs, template.outputs)
    return any(one.path.startswith("/") for each in given if each is not None for one in each.artifacts)


def _templates(workflow: Workflow, surroundings: Surroundings) -> Iterator[Template]:
    yield from templates_in(workflow.spec)
    for one in surroundings.templates.values():
        yield from templates_in(one.spec)


def chosen_runtime(
    name: str,
    leaves: Leaves,
    images: Iterable[str],
    configuration: Configuration,
    logins: Mapping[str, Path] | None = None,
) -> tuple[str, str]:
    """The runtime of a run, and why. images: all that the run names. Raises UsageError, EnvironmentTrouble.

    logins: for each container engine, the folder with logins to registries that images are pulled with.

    A run has one runtime. Steps on the host are plain processes unless somebody asks for something else; where images
    are named as well, these decide, and an engine that has them runs the host templates in the project's Python image.
    """
    from argosy.project.submission import chosen_runtime as chosen

    if name == "auto" and leaves.bare:
        for runtime in ("sandbox", "process"):
            with contextlib.suppress(EnvironmentTrouble):
                why = f"{leaves.bare[0]} imports the program, whose packages its image has not"
                return chosen(runtime, [], configuration)[0], f"{runtime}, because {why}"
    if not leaves.hosts:
        return chosen(name, list(images), configuration, logins)
    if name == "auto" and not leaves.others and not leaves.images:
        if leaves.elsewhere:
            with contextlib.suppress(EnvironmentTrouble):
                return chosen("sandbox", [], configuration)[
                    0
                ], f"sandbox, for the absolute paths of {leaves.elsewhere[0]}"
        if leaves.functions:
            return "function", f"function, because {leaves.functions[0]} is a Python function"
        return "process", "process, because every step runs on the host"
    if name not in ("auto", *ENGINES):
        return chosen(name, [], configuration)
    named = dict.fromkeys(one or python_image(configuration) for one in leaves.own)
    used = [one for one in named if "{{" not in one]
    runtime, reason = chosen(name, [*leaves.images, *used], configuration, logins)
    shown = ", ".join(leaves.hosts[:3]) + (", ..." if len(leaves.hosts) > 3 else "")
    if runtime in ENGINES:
        return runtime, f"{reason}; {shown} run in {', '.join(named)}: --runtime process runs them on the host"
    return runtime, reason


def python_image(configuration: Configuration) -> str:
    """The image that host templates run in where a container runs them. Raises EnvironmentTrouble."""
    from argosy.experiments.python_environment import interpreter_of, minor_version

    if configuration.python_image:
        return configuration.python_image
    return f"python:{minor_version(interpreter_of(configuration.interpreter, os.environ))}"


def settled(project: Project, prepared: Prepared) -> Prepared:
    """The prepared run with the code and the interpreter that it needs, the code in the store. Raises ArgosyError."""
    workflow, options, findings = with_code(project, prepared.workflow, prepared.options, prepared.code)
    if options is prepared.options:
        return prepared
    return replace(prepared, workflow=workflow, options=options, findings=(*prepared.findings, *findings))


def with_code(
    project: Project, workflow: Workflow, options: RunOptions, wanted: CodeWanted
) -> tuple[Workflow, RunOptions, tuple[Finding, ...]]:
    """A run's workflow and options with the code that is wanted, and notes on it. Raises ArgosyError."""
    leaves = leaves_of(workflow, options.surroundings)
    program = is_of_program(workflow.metadata.annotations)
    needed = bool(leaves.hosts or leaves.coded) or program
    take = wanted.take
    if take is None:
        take = needed or wanted.snapshot is not None or project.configuration.keep_code
    if not needed and not take:
        return workflow, options, ()
    if take and wanted.snapshot is None and (leaves.coded or leaves.functions):
        _check_is_inside(project, workflow)
    snapshot = _snapshot(project, workflow, wanted) if take else None
    python, environment = _python(project)
    if _calls_functions(workflow, options):
        python = _with_package(project, python, always=options.runtime in ENGINES)
    options = replace(options, code=snapshot, python=python, environment=environment)
    findings: tuple[Finding, ...] = ()
    if snapshot is not None and snapshot is not wanted.snapshot and (missing := snapshot.told()):
        findings = (Finding(rule="code-left-out", severity="note", path=(), message=missing),)
    if program and leaves.images and options.runtime not in ENGINES:
        findings = (*findings, _instead_of_images(python, leaves))
    if leaves.hosts or leaves.coded:
        elsewhere = _named_from(Path.cwd(), project.folder, workflow) if snapshot is not wanted.snapshot else ()
        workflow, options = _hosted(project, workflow, options)
        return workflow, options, (*findings, *elsewhere)
    return workflow, options, findings


def _check_is_inside(project: Project, workflow: Workflow) -> None:
    """Raises UsageError when steps import a program that is not in the code that they get."""
    program = workflow.metadata.annotations.get(PROGRAM, "")
    if program.startswith("/"):
        raise UsageError(
            f"Steps import {program.partition(':')[0]}, which is not in the project's folder {project.folder}",
            hint=f"run it from its own folder: cd {os.path.dirname(program)}",
        )


def _calls_functions(workflow: Workflow, options: RunOptions) -> bool:
    return any(annotation(template, FUNCTION) for template in _templates(workflow, options.surroundings))


def _with_package(project: Project, python: Python, *, always: bool) -> Python:
    """The interpreter with what calls of functions import. always: whatever it has, a container has not.

    Raises EnvironmentTrouble when it is too old to import that.
    """
    from argosy.experiments.function_package import OLDEST, has_it, package_below
    from argosy.experiments.python_environment import describe

    if has_it(python) and not always:
        return python
    version = describe(python.interpreter, project.home.folder).version
    if not always and tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise EnvironmentTrouble(
            f"Steps that call Python functions need Python {OLDEST[0]}.{OLDEST[1]} or later, and {python.interpreter} "
            f"is {version}.",
            hint='name another one in argosy.toml: [python] interpreter = "..."',
        )
    return replace(python, package=str(package_below(project.home.folder)))


def _instead_of_images(python: Python, leaves: Leaves) -> Finding:
    """That a program's steps run with the project's interpreter where no engine has their images."""
    shown = ", ".join(leaves.images[:3]) + (", ..." if len(leaves.images) > 3 else "")
    message = f"without containers, steps in {shown} are run by this machine's programs, with {python.interpreter}"
    return Finding(rule="program-python", severity="note", path=(), message=message)


def _named_from(folder: Path, project: Path, workflow: Workflow) -> tuple[Finding, ...]:
    """A note when host templates name files as seen from this folder, and steps begin in another one."""
    if folder == project or not folder.is_relative_to(project):
        return ()
    for template in templates_in(workflow.spec):
        main = main_container(template)
        if main is None or not is_host(template, workflow.spec.template_defaults):
            continue
        for word in (*main.command, *main.args):
            if word.startswith(("/", "-")) or "{{" in word or len(word) > LONGEST_NAME:
                continue
            if (folder / word).is_file() and not (project / word).exists():
                below = folder.relative_to(project).as_posix()
                message = (
                    f"steps begin in a copy of the project's folder {project}, where there is no {word}: write "
                    f"{below}/{word}, or put an argosy.toml into {below} to make it a project of its own"
                )
                return (Finding(rule="code-elsewhere", severity="note", path=(), message=message),)
    return ()


def same_code(options: RunOptions) -> CodeWanted:
    """The code that a run has kept, for another one; none when it ran without."""
    if options.code is not None:
        return CodeWanted(take=True, snapshot=options.code)
    return CodeWanted(take=False if options.python is not None else None)


def _snapshot(project: Project, workflow: Workflow, wanted: CodeWanted) -> Snapshot:
    if wanted.snapshot is not None:
        if not project.store.hold(wanted.snapshot.digest):
            raise NotFound(
                f"The code that the run has kept is not in the store any more: {wanted.snapshot.digest}",
                hint="--code-from working takes the working folder's as it is now",
            )
        return wanted.snapshot
    from argosy.experiments.snapshot import take

    rules = wanted.rules or rules_of(workflow) or project.configuration.code
    rules = with_files(rules, workflow.metadata.annotations)
    return take(project.store, project.folder, rules, project.home.folder)


def rules_of(workflow: Workflow) -> CodeRules | None:
    """The rules on code that a workflow carries. Raises InvalidFile."""
    text = workflow.metadata.annotations.get(CODE_RULES)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=CodeRules)
    except msgspec.DecodeError as error:
        raise InvalidFile(f"The annotation {CODE_RULES} is not valid: {error}") from error


def _python(project: Project) -> tuple[Python, Stored]:
    from argosy.experiments.python_environment import describe, interpreter_of, python_at

    project.home.make()
    folder = project.home.folder
    interpreter = interpreter_of(project.configuration.interpreter, os.environ)
    found = describe(interpreter, folder)
    return python_at(interpreter, folder), Stored(digest=project.store.put_bytes(msgspec.json.encode(found)))


def _empty_folder(project: Project) -> str:
    digest = project.store.put_tree([])
    project.store.sync()
    return digest


def _environments() -> str:
    """Where virtual environments are kept of steps with a home of their own.

    Not among those that plain processes use, since what is in a container may be nobody's to trust.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(cache) if cache.startswith("/") else Path("~/.cache").expanduser()
    return str(folder / "argosy" / "environments-apart")


def _hosted(project: Project, workflow: Workflow, options: RunOptions) -> tuple[Workflow, RunOptions]:
    from argosy.experiments.hosting import Setting, hosted

    code = options.code
    engine = options.runtime in ENGINES
    package = options.python.package if options.python is not None else ""
    setting = Setting(
        package=package,
        package_digest=project.store.put(Path(package)) if package and engine else "",
        image=python_image(project.configuration) if engine else "",
        nothing=_empty_folder(project) if engine else "",
        code=code.digest if code is not None else "",
        dest=code.dest if code is not None else "",
        environments=_environments() if options.runtime in (*ENGINES, "sandbox") else "",
    )
    defaults = workflow.spec.template_defaults
    templates = {key: hosted(one, setting, defaults) for key, one in options.surroundings.templates.items()}
    surroundings = replace(options.surroundings, templates=templates)
    return hosted(workflow, setting, defaults), replace(options, surroundings=surroundings)
