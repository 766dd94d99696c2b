"""What a workflow asks of a machine, as a manifest asks for it; and a word on what has no effect on one's own.

It knows dstack's `resources`, not what this machine has.
"""

from __future__ import annotations

from argosy.dialects.dstack import schema
from argosy.dialects.dstack.definitions import Definition
from argosy.dialects.dstack.interpolation import Scope
from argosy.dialects.dstack.quantities import memory, whole
from argosy.model.manifest import Resources, Volume

GPU = "nvidia.com/gpu"
_TAG = "${{"


def requests_of(one: Definition, scope: Scope) -> Resources | None:
    """Its requests. What is no amount is noted at its place."""
    keys = one.keys
    assert keys is not None
    _tell(one, keys)
    given = keys.resources
    if given is None:
        return None
    found: dict[str, str] = {}
    if given.cpu is not None:
        found["cpu"] = _number(one, scope, "cpu", given.cpu)
    if given.memory is not None:
        found["memory"] = _memory(one, "memory", given.memory)
    if given.gpu is not None and whole(given.gpu.count) != 0:
        found[GPU] = _number(one, scope, "gpu", given.gpu.count)
    return Resources(requests=found) if found else None


def shared_memory_of(one: Definition) -> Volume | None:
    """The volume at /dev/shm of a container; steps on the host have the machine's own."""
    given = one.keys.resources if one.keys is not None else None
    if given is None or given.shm_size is None:
        return None
    size = _memory(one, "shm_size", given.shm_size)
    return Volume(name="shared-memory", empty_dir={"medium": "Memory", "sizeLimit": size})


def _number(one: Definition, scope: Scope, key: str, text: str) -> str:
    if scope.refers(text):
        return scope.text(text)
    if whole(text) is None:
        hint = "write the number of them, or {name: V100, count: 1}" if key == "gpu" else "write a whole number"
        if text.startswith("$"):
            hint = f"put {text.strip('${} ')} into .dstack/variables.yaml"
        one.problems.add(
            "dstack-resources", f"resources.{key} is a whole number, not {text!r}", _place(one, key), hint=hint
        )
        return "0"
    return str(whole(text))


def _memory(one: Definition, key: str, text: str) -> str:
    found = memory(text)
    if found is None:
        why = "an amount with a variable in it cannot be compared with what this machine has" if _TAG in text else ""
        message = f"resources.{key}: {text!r} is no amount of memory"
        one.problems.add("dstack-resources", message, _place(one, key), why=why, hint="write 16GB or 512MiB")
        return "0"
    return found


def _tell(one: Definition, keys: schema.Keys) -> None:
    """Notes on what has no effect here."""
    given = keys.resources or schema.Resources()
    words: list[tuple[str, str]] = []
    if keys.cache:
        words.append(("cache", "a step on the host has the machine's own caches"))
    if keys.ssh:
        words.append(("ssh", "argosy shell RUN STEP opens a shell with what a step has"))
    if keys.triggers is not None:
        words.append(("triggers", "nothing here waits for changes of the repository: run it with argosy run"))
    if given.interruptible:
        words.append(("interruptible", "this machine is not taken away, so it has no effect"))
    if given.remote:
        words.append(("remote", "it runs on this machine"))
    if given.gpu is not None and (given.gpu.name or given.gpu.memory):
        words.append(("gpu", "GPUs are counted here; their name and memory are not looked at"))
    if given.shm_size is not None and one.provider is not None and not one.provider.in_image:
        words.append(("shm_size", "a step on the host has the machine's own /dev/shm"))
    for key, message in words:
        place = _place(one, key)
        if all(known.message != f"{key}: {message}" for known in one.problems.found):
            one.problems.add("dstack-no-effect", f"{key}: {message}", place, severity="note")


def _place(one: Definition, key: str) -> int:
    for keys in (("resources", key), (key,)):
        place = one.problems.at(one.raw, *keys)
        if place is not None:
            return place
    return one.problems.within(one.raw, key)
