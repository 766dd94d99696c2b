"""Gradient specs as a project has them: its own actions and machines, and what this machine can be of the usual ones.

It knows where a project keeps such things; how a spec is read is the front-end's matter.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.dialects.gradient.instances import Instance
from argosy.dialects.gradient.load import Setting
from argosy.dialects.gradient.load import load as read
from argosy.project.home import HOME, project_folder
from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits

if TYPE_CHECKING:
    from argosy.dialects.argo import Loaded

ACTIONS = "actions"
FOLDER = Path(".gradient", "workflows")
_WIDEST = Limits(size_bytes=LARGEST_FILE_BYTES)


def load(data: bytes, path: str, *, strict: bool = True, limits: Limits = _WIDEST) -> Loaded:
    """The spec of a file, with the actions and machines of the project around this folder. Raises InvalidFile."""
    return read(data, path, strict=strict, limits=limits, setting=setting_of(Path.cwd()))


def setting_of(folder: Path) -> Setting:
    """What the project around a folder says of actions and machines. Raises InvalidFile for a wrong argosy.toml."""
    from argosy.project.configuration import read_configuration

    project = project_folder(folder)
    given = read_configuration(project).instance_types
    instances = {name: Instance(cpu=one.cpu, memory=one.memory, gpus=one.gpus) for name, one in given.items()}
    return Setting(actions=project / HOME / ACTIONS, instances=instances, project=project.resolve().name, fitted=fitted)


def fitted(instance: Instance) -> tuple[Instance, str]:
    """A machine of the service as far as this one can be it, and what it lacks, in words; "" for nothing."""
    from argosy.runners.local.resources import quantity

    cpus, memory_bytes, gpus = _capacity()
    lacking: list[str] = []
    cpu, memory, devices = instance.cpu, instance.memory, instance.gpus
    if cpu and quantity(cpu) > cpus:
        lacking.append(f"{cpu} CPUs")
        cpu = str(int(cpus)) if cpus >= 1 else ""
    if memory and quantity(memory) > memory_bytes:
        lacking.append(f"{memory} of memory")
        memory = str(memory_bytes)
    if devices > gpus:
        lacking.append(f"{devices} GPU{'s' if devices > 1 else ''}")
        devices = gpus
    return Instance(cpu=cpu, memory=memory, gpus=devices), " and ".join(lacking)


@cache
def _capacity() -> tuple[float, int, int]:
    """CPUs, bytes of memory and GPUs of this machine."""
    from argosy.runners.local.resources import machine_capacity

    capacity = machine_capacity("")
    return capacity.cpus, capacity.memory_bytes, len(capacity.gpus)
