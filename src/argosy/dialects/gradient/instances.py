"""What a machine of the service had, by the name of its type: what a job on one asks of this machine.

It knows names and amounts; a project's own are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

GPU = "nvidia.com/gpu"


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """cpu and memory as Kubernetes writes them, "" for nothing asked. gpus: how many."""

    cpu: str = ""
    memory: str = ""
    gpus: int = 0

    def requests(self) -> dict[str, str]:
        """As a manifest's requests."""
        asked = {"cpu": self.cpu, "memory": self.memory, GPU: str(self.gpus) if self.gpus else ""}
        return {name: amount for name, amount in asked.items() if amount}


def _gpu(cpu: int, memory: int, gpus: int = 1) -> Instance:
    return Instance(cpu=str(cpu), memory=f"{memory}Gi", gpus=gpus)


def _cpu(cpu: int, memory: str) -> Instance:
    return Instance(cpu=str(cpu), memory=memory)


def _several(name: str, cpu: int, memory: int) -> dict[str, Instance]:
    return {f"{name}x{count}": _gpu(cpu * count, memory * count, count) for count in (2, 4)}


# What was published of the machines; a project that knows better writes [instance-types.NAME] in argosy.toml.
INSTANCES: Mapping[str, Instance] = {
    "C1": _cpu(1, "512Mi"),
    "C2": _cpu(1, "1Gi"),
    "C3": _cpu(2, "2Gi"),
    "C4": _cpu(2, "4Gi"),
    "C5": _cpu(4, "8Gi"),
    "C6": _cpu(8, "16Gi"),
    "C7": _cpu(12, "30Gi"),
    "C8": _cpu(16, "60Gi"),
    "C9": _cpu(24, "120Gi"),
    "C10": _cpu(32, "244Gi"),
    "GPU+": _gpu(8, 30),
    "Free-CPU": _cpu(2, "4Gi"),
    "Free-GPU": _gpu(8, 30),
    **{
        name: _gpu(8, 30)
        for name in ("M4000", "P4000", "P5000", "P6000", "K80", "RTX4000", "RTX5000", "V100", "V100-32G")
    },
    **{name: _gpu(8, 45) for name in ("A4000", "A5000", "A6000")},
    **{name: _gpu(12, 90) for name in ("A100", "A100-80G")},
    "H100": _gpu(20, 250),
    **_several("P4000", 8, 30),
    **_several("P5000", 8, 30),
    **_several("P6000", 8, 30),
    **_several("RTX4000", 8, 30),
    **_several("RTX5000", 8, 30),
    **_several("V100", 8, 30),
    **_several("V100-32G", 8, 30),
    **_several("A4000", 8, 45),
    **_several("A5000", 8, 45),
    **_several("A6000", 8, 45),
    "A100-80Gx8": _gpu(96, 720, 8),
    "H100x8": _gpu(128, 1640, 8),
}


def instance_of(name: str, own: Mapping[str, Instance]) -> Instance | None:
    """The machine of that name, whatever its case; a project's own before the usual ones. None for one not known."""
    for table in (own, INSTANCES):
        if name in table:
            return table[name]
        for known, instance in table.items():
            if known.lower() == name.lower():
                return instance
    return None
