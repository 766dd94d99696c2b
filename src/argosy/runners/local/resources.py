"""What steps ask for and what this machine has: CPUs, memory, GPUs, handed out and taken back.

It knows Kubernetes' quantities and requests; not when a step is started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import InvalidFile, UsageError
from argosy.model.manifest import ContainerFields, Resources, Template

if TYPE_CHECKING:
    from fractions import Fraction

GPU_RESOURCES = ("nvidia.com/gpu", "amd.com/gpu")
# Known to Kubernetes, not handed out here: the disk is shared and not counted.
UNCOUNTED = ("ephemeral-storage", "storage", "pods")
_QUANTITY = r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,4})|([numkMGTPE]|[KMGTPE]i)?)"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a step needs. cpus: in CPUs. gpus: how many. others: names of resources that no single machine has."""

    cpus: float = 0.0
    memory_bytes: int = 0
    gpus: int = 0
    others: tuple[str, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a container may use at most; None where nothing was said."""

    cpus: float | None = None
    memory_bytes: int | None = None


def quantity(text: str | int | float) -> Fraction:
    """The exact value of a Kubernetes quantity: "500m", "1Gi", "1e3", 2. Raises InvalidFile if it is none."""
    from fractions import Fraction

    match = re.fullmatch(_QUANTITY, str(text).strip())
    if match is None:
        raise InvalidFile(f"{text!r} is not a quantity.", hint="Quantities look like 2, 500m, 1.5, 512Mi or 4Gi.")
    number, exponent, suffix = match.groups()
    value = Fraction(number)
    if exponent:
        return value * Fraction(10) ** int(exponent[1:])
    if suffix in _BINARY:
        return value * 2 ** _BINARY[suffix]
    return value * Fraction(10) ** _DECIMAL[suffix or ""]


def limits_of(resources: Resources | None) -> Limits:
    """A container's limits. Raises InvalidFile for what is not a quantity."""
    limits = resources.limits if resources is not None else {}
    return Limits(
        cpus=float(quantity(limits["cpu"])) if "cpu" in limits else None,
        memory_bytes=int(quantity(limits["memory"])) if "memory" in limits else None,
    )


def asks(template: Template) -> bool:
    """Whether a container of the template's pod asks for anything."""
    return any(one.resources is not None for one in (*_mains(template), *template.init_containers))


def request_of(template: Template) -> Request:
    """What a template's pod asks for: its containers together, or its hungriest init container if that is more.

    A limit without a request is a request (Kubernetes). Raises InvalidFile for what is not a quantity.
    """
    total: dict[str, Fraction | int] = {}
    for container in _mains(template):
        for name, amount in _requested(container.resources).items():
            total[name] = total.get(name, 0) + amount
    for container in template.init_containers:
        for name, amount in _requested(container.resources).items():
            total[name] = max(total.get(name, 0), amount)
    return _as_request(total)


def _mains(template: Template) -> list[ContainerFields]:
    mains: list[ContainerFields] = [*template.sidecars]
    mains += [main for main in (template.container, template.script) if main is not None]
    return [*mains, *template.container_set.containers] if template.container_set is not None else mains


def _requested(resources: Resources | None) -> dict[str, Fraction]:
    if resources is None:
        return {}
    amounts = dict(resources.limits) | dict(resources.requests)
    return {name: quantity(amount) for name, amount in amounts.items()}


def _as_request(total: Mapping[str, Fraction | int]) -> Request:
    known = {"cpu", "memory", *GPU_RESOURCES, *UNCOUNTED}
    return Request(
        cpus=float(total.get("cpu", 0)),
        memory_bytes=int(total.get("memory", 0)),
        gpus=int(sum(total.get(name, 0) for name in GPU_RESOURCES)),
        others=tuple(sorted(name for name, amount in total.items() if name not in known and amount > 0)),
    )


def _spoken(size_bytes: int) -> str:
    """A size as people say it: 100 GiB, 1.5 GiB, 64 MiB."""
    big = size_bytes >= 1 << 30
    number = size_bytes / (1 << 30 if big else 1 << 20)
    return f"{number:.1f}".removesuffix(".0") + (" GiB" if big else " MiB")


class Capacity:
    """What is there and what is free. One thread at a time.

    cpus and memory_bytes: the whole; gpus: the indices that may be handed out.
    """

    def __init__(self, *, cpus: float, memory_bytes: int, gpus: Iterable[int] = ()) -> None:
        self.cpus = cpus
        self.memory_bytes = memory_bytes
        self.gpus = tuple(gpus)
        self._free_milli = round(cpus * 1000)
        self._free_bytes = memory_bytes
        self._free_gpus = list(self.gpus)
        self._taken: dict[str, tuple[Request, tuple[int, ...]]] = {}

    def never_fits(self, request: Request) -> str:
        """Why this machine can never meet the request, in a sentence; "" if it can when it is empty."""
        if request.others:
            return f"it asks for {', '.join(request.others)}, which this machine does not have"
        if request.cpus > self.cpus:
            return f"it asks for {request.cpus:g} CPUs, and this machine has {self.cpus:g}"
        if request.memory_bytes > self.memory_bytes:
            asked, there = _spoken(request.memory_bytes), _spoken(self.memory_bytes)
            if asked == there:
                asked, there = f"{request.memory_bytes} bytes", f"{self.memory_bytes}"
            return f"it asks for {asked} of memory, and this machine has {there}"
        if request.gpus > len(self.gpus):
            return f"it asks for {request.gpus} GPUs, and this machine has {len(self.gpus)}"
        return ""

    def fits_ever(self, request: Request) -> bool:
        return not self.never_fits(request)

    def take(self, id: str, request: Request) -> tuple[int, ...] | None:
        """Set aside what `id` needs, and say which GPUs are its own; None if that much is not free now.

        Asking again for an id that has its share gives the same answer.
        """
        if id in self._taken:
            return self._taken[id][1]
        milli = round(request.cpus * 1000)
        if milli > self._free_milli or request.memory_bytes > self._free_bytes or request.gpus > len(self._free_gpus):
            return None
        gpus = tuple(self._free_gpus[: request.gpus])
        self._taken[id] = (request, gpus)
        del self._free_gpus[: request.gpus]
        self._free_milli -= milli
        self._free_bytes -= request.memory_bytes
        return gpus

    def give_back(self, id: str) -> None:
        """Free what `id` had; nothing happens if it had nothing."""
        if id not in self._taken:
            return
        request, gpus = self._taken.pop(id)
        self._free_milli += round(request.cpus * 1000)
        self._free_bytes += request.memory_bytes
        self._free_gpus = sorted({*self._free_gpus, *gpus})


def machine_capacity(gpus: str = "") -> Capacity:
    """This machine's, within what cgroups let this process use.

    gpus: "" to look for them (CUDA_VISIBLE_DEVICES, then nvidia-smi), a count, or indices as in "0,2".
    Raises UsageError if it is neither.
    """
    return Capacity(cpus=_cpus(), memory_bytes=_memory_bytes(), gpus=_gpus(gpus.strip()))


def _cpus() -> float:
    count = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    words = _read("/sys/fs/cgroup/cpu.max").split()
    if len(words) == 2 and words[0].isdigit():
        count = min(count, int(words[0]) / int(words[1]))
    return count


def _memory_bytes() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = _read(path).strip()
        if limit.isdigit():
            total = min(total, int(limit))
    return total


def _gpus(wanted: str) -> tuple[int, ...]:
    if wanted:
        parts = wanted.split(",")
        if not all(part.strip().isdigit() for part in parts):
            raise UsageError(
                f"--gpus {wanted!r} is neither a count nor a list of indices.", hint="--gpus 2 or --gpus 0,3"
            )
        return tuple(range(int(wanted))) if len(parts) == 1 else tuple(sorted({int(part) for part in parts}))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and all(part.strip().isdigit() for part in visible.split(",")):
        return tuple(int(part) for part in visible.split(","))
    if visible is not None and visible.strip() in ("", "-1", "NoDevFiles"):
        return ()
    return _installed_gpus()


def _installed_gpus() -> tuple[int, ...]:
    if not os.path.exists("/dev/nvidiactl"):
        return ()
    import subprocess

    argv = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(int(line) for line in done.stdout.split() if line.isdigit()) if done.returncode == 0 else ()


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
