"""What a step that calls a Python function imports of this program, where its interpreter does not have it anyway.

It is the front-end's part, which needs the standard library only. It knows files and templates, not what is in them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from msgspec.structs import replace

from argosy.dsl.places import PACKAGE
from argosy.experiments.provenance import Python
from argosy.model.host_templates import FUNCTION, annotation, main_container
from argosy.model.manifest import Artifact, EnvVar, Inputs, Template
from argosy.model.programs import with_path

FOLDER = "function-package"
# Where a container has it, and the input artifact that it is.
IN_CONTAINER = "/argosy/function-package"
ARTIFACT = "argosy-function-package"
# Of Python, that can import it.
OLDEST = (3, 10)
_PARTS = ("__init__.py", "errors.py", "api", "dsl")


def has_it(python: Python) -> bool:
    """Whether it is the interpreter that this program runs with, or the same environment's."""
    if python.virtual_env:
        return os.path.realpath(python.virtual_env) == os.path.realpath(sys.prefix)
    return sys.prefix == sys.base_prefix and os.path.realpath(python.interpreter) == os.path.realpath(sys.executable)


def package_below(home: Path) -> Path:
    """The folder with the package, to be named on PYTHONPATH; made if it is not there. Raises OSError.

    Its name follows from what is in it, so that steps that are run again find what they had.
    """
    source = PACKAGE
    files = package_files()
    told = hashlib.blake2b(digest_size=8)
    for file in files:
        told.update(f"{file.relative_to(source)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    target = home / FOLDER / told.hexdigest()
    if target.is_dir():
        return target
    making = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    for file in files:
        place = making / "argosy" / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    try:
        os.rename(making, target)
    except OSError:
        # Another run has just made the same.
        shutil.rmtree(making, ignore_errors=True)
        if not target.is_dir():
            raise
    return target


def package_files() -> list[Path]:
    """The files of the package, in the folder that `argosy` is imported from."""
    source = PACKAGE
    return sorted(file for part in _PARTS for file in _files(source / part))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))


def with_package(template: Template, folder: str, digest: str) -> Template:
    """A template that calls a function with the way to the package; any other as it is.

    folder: where this machine has it, "" if it needs none. digest: what a container is given instead. Doing it again
    gives the same as doing it first.
    """
    container = main_container(template)
    if container is None or not annotation(template, FUNCTION):
        return template
    env = tuple(kept for one in container.env if (kept := _without(one)) is not None)
    wanted = IN_CONTAINER if digest else folder
    container = replace(container, env=with_path(env, (wanted,)) if wanted else env)
    inputs = template.inputs or Inputs()
    artifacts = tuple(one for one in inputs.artifacts if one.name != ARTIFACT)
    if digest:
        artifacts += (Artifact(name=ARTIFACT, path=IN_CONTAINER, digest=digest, read_only=True),)
    if artifacts != inputs.artifacts:
        template = replace(template, inputs=replace(inputs, artifacts=artifacts))
    return replace(template, **{"script" if template.script is not None else "container": container})


def _without(variable: EnvVar) -> EnvVar | None:
    """A variable without the way to a package; None if nothing else was in it."""
    if variable.name != "PYTHONPATH" or variable.value is None:
        return variable
    folders = variable.value.split(os.pathsep)
    left = [one for one in folders if one != IN_CONTAINER and Path(one).parent.name != FOLDER]
    if left == folders:
        return variable
    return replace(variable, value=os.pathsep.join(left)) if left else None
