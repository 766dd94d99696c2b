"""The script of a step: what dstack did around a workflow's commands, then the commands; and its environment.

It knows the order of these things and how values get into them; the pieces of shell are `shell`'s.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from argosy.dialects.dstack import schema, shell
from argosy.dialects.dstack.definitions import Definition
from argosy.dialects.dstack.interpolation import Scope, literal, value_of_variable
from argosy.dialects.dstack.quantities import whole
from argosy.dialects.dstack.variables import environment_name
from argosy.model.manifest import EnvFromRef, EnvFromSource, EnvVar

# The Secret of the catalog whose keys are what dstack called the secrets of a repository.
SECRET = "dstack"
SECRETS = (EnvFromSource(prefix=shell.SECRET_PREFIX, secret_ref=EnvFromRef(name=SECRET, optional=True)),)
_PLACEHOLDER = re.compile(r"@([a-z]+)@")
_INSTALLING = re.compile(r"\b(?:pip3?|pip3?\.\d+)\s+install\b")
_TAG = "${{"
_CONDA = re.compile(r"\b(?:conda|mamba)\s+activate\b")
_PYTHON = re.compile(r"[23]\.\d+(\.\d+)?")


def environment_of(one: Definition, scope: Scope, parameters: Mapping[str, str]) -> tuple[EnvVar, ...]:
    """Its variables, and over them what stands under `env`, by the names that dstack's runner gave them."""
    found = {
        environment_name(name): value_of_variable(f"workflow.parameters.{given}") for name, given in parameters.items()
    }
    for name, value in one.keys.env.items() if one.keys is not None else ():
        found[environment_name(name)] = scope.environment(value)
    return tuple(EnvVar(name=name, value=value) for name, value in found.items())


def source_of(one: Definition, scope: Scope, variables: Iterable[str], *, staged: bool) -> str:
    """The text of the step's script. staged: whether something is to be laid over its working folder first."""
    keys, provider = one.keys, one.provider
    assert keys is not None
    assert provider is not None
    own_shell = bool(getattr(keys, "entrypoint", ""))
    pieces = [shell.BASH_IF_THERE, shell.OF_THE_IMAGE] if provider.in_image and not own_shell else []
    if not own_shell:
        pieces.append(shell.READABLE)
    pieces += [shell.ENVIRONMENT, literal(shell.SECRETS)]
    if staged:
        pieces.append(shell.LAID_OVER)
    folders = [scope.shell_word(each.path) for each in keys.artifacts if _is_folder(each.path)]
    if folders:
        pieces.append("".join(f"[ -e {each} ] || mkdir -p {each} || exit\n" for each in folders))
    pieces.append(_python(one, scope))
    pieces.append(_ports(one, scope))
    if provider.rendezvous:
        pieces.append(shell.MASTER)
    if any(_CONDA.search(each) for each in (*keys.setup, *one.commands)):
        pieces.append(shell.CONDA)
    if keys.working_dir:
        pieces.append(f"cd -- {scope.shell_word(keys.working_dir)} || exit\n")
    setup = [scope.text(each) for each in keys.setup]
    if setup:
        pieces.append("".join(f"{{\n{each}\n}} || exit\n" for each in setup if each.strip()))
    if serves(one):
        pieces.append(literal(shell.OPEN) + ("" if provider.is_app else "argosy_open ''\n"))
    if provider.needs:
        pieces.append(literal(shell.NEEDS))
        pieces.append("".join(f"argosy_needs {module} {package} || exit\n" for module, package in provider.needs))
    commands = [scope.text(each) for each in _with_all_variables(one, variables)]
    lines = [_filled(line, one, scope) for line in provider.lines]
    program = shell.in_turn(commands) if provider.lines == ("@commands@",) else "\n".join(lines) + "\n"
    return "\n".join(piece for piece in (*pieces, program) if piece)


def _with_all_variables(one: Definition, variables: Iterable[str]) -> list[str]:
    """The commands; in the oldest files two words stand for `--NAME VALUE` of each variable."""
    if one.file.era != "A0":
        return list(one.commands)
    options = " ".join(f'--{name} "${environment_name(name)}"' for name in variables)
    return [re.sub(r"\$(?:variables_as|config)_args\b", lambda _: options, each) for each in one.commands]


def _is_folder(path: str) -> bool:
    """Whether an artifact is made as a folder beforehand, as dstack made all: not one that looks like a file."""
    return "." not in path.rstrip("/").rpartition("/")[2].lstrip(".")


def _python(one: Definition, scope: Scope) -> str:
    keys = one.keys
    assert keys is not None
    version = keys.version if _is_python(keys.version) else ""
    if keys.version and not version and not isinstance(keys, schema.AppKeys):
        one.problems.add(
            "dstack-python",
            f"{keys.version!r} is no version of Python",
            one.problems.within(one.raw, keys.version),
            hint="write one such as 3.10",
        )
    installs = _installs(one)
    if not makes_environment(one):
        return ""
    requirements = scope.shell_word(keys.requirements) if keys.requirements else "''"
    # What an image has installed stays in sight, as without an environment.
    option = "--system-site-packages" if one.provider is not None and one.provider.in_image else ""
    wanted = scope.shell_word(version) if _TAG in version else f"'{version}'"
    return f"{literal(shell.PYTHON)}argosy_python {wanted} {requirements} '{installs}' '{option}' || exit\n"


def image_of(one: Definition, scope: Scope) -> str:
    """The image that brings its version of Python where a container runs it; "" for the project's."""
    version = one.keys.version if one.keys is not None else ""
    return f"python:{scope.text(version)}" if _is_python(version) else ""


def _is_python(version: str) -> bool:
    """Whether it is a version of Python, as far as a file can tell: not so that of an editor."""
    return _TAG in version or _PYTHON.fullmatch(version) is not None


def makes_environment(one: Definition) -> bool:
    """Whether its script may make a virtual environment."""
    keys = one.keys
    return keys is not None and bool(keys.requirements or _is_python(keys.version) or _installs(one))


def _installs(one: Definition) -> str:
    """What tells apart the environments that commands install packages into; "" where none does."""
    assert one.keys is not None
    if one.provider is None or one.provider.in_image:
        return ""
    lines = [each for each in (*one.keys.setup, *one.commands) if _INSTALLING.search(each)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12] if lines else ""


def interpreter_of(one: Definition) -> tuple[str, ...]:
    """What reads the script: bash; in an image the shell that its workflow names, or whichever there is."""
    entrypoint = str(getattr(one.keys, "entrypoint", ""))
    if entrypoint:
        return (entrypoint.split()[0],)
    return ("sh",) if one.provider is not None and one.provider.in_image else ("bash",)


def serves(one: Definition) -> bool:
    """Whether people may reach it: an app, or a workflow that asks for ports."""
    keys = one.keys
    return (
        one.provider is not None and keys is not None and (one.provider.is_app or bool(keys.ports or keys.port_numbers))
    )


def ports_of(one: Definition) -> tuple[str, ...]:
    """Its ports as its file has them, 0 for any that is free: its own first, then those of its provider."""
    keys, provider = one.keys, one.provider
    if keys is None or provider is None:
        return ()
    named = tuple(each.rpartition(":")[2] for each in keys.port_numbers)
    return (*(named or ("0",) * keys.ports), *("0",) * provider.ports)


def _ports(one: Definition, scope: Scope) -> str:
    """The ports as variables, where a container has not been told them."""
    ports = ports_of(one)
    if not ports:
        return ""
    assert one.provider is not None
    app = len(ports) - one.provider.ports if one.provider.is_app else 0
    words = " ".join(scope.shell_word(each) for each in ports)
    told = f'export ARGOSY_PORT="$PORT_{app}"\n' if serves(one) else ""
    return f'{shell.PORTS}[ -n "$ARGOSY_LISTEN" ] || argosy_ports {words} || exit\n{told}'


def _filled(line: str, one: Definition, scope: Scope) -> str:
    """A line of a provider with what the workflow says put in."""
    text = _PLACEHOLDER.sub(lambda found: _value(found.group(1), one, scope), line)
    return re.sub(r" +$", "", text)


def _value(name: str, one: Definition, scope: Scope) -> str:
    keys = one.keys
    if name == "args":
        text = str(getattr(keys, "args_text", ""))
        return scope.text(text) if text else " ".join(scope.shell_word(each) for each in getattr(keys, "args", ()))
    if name == "nproc":
        return _processes(one, scope)
    text = str(getattr(keys, name, ""))
    return scope.text(text) if name == "uvicorn" else scope.shell_word(text)


def _processes(one: Definition, scope: Scope) -> str:
    """How many processes torchrun starts: one for each GPU, as dstack had it."""
    keys = one.keys
    if not isinstance(keys, schema.TorchrunKeys):
        return "1"
    nodes = whole(keys.nodes)
    if nodes != 1:
        one.problems.add(
            "dstack-nodes",
            f"torchrun on {keys.nodes} nodes needs a cluster, and this is one machine",
            one.problems.within(one.raw, "nodes"),
            hint="write `nodes: 1`, and as many GPUs as there are here",
        )
    if keys.nproc:
        return scope.text(keys.nproc)
    resources = keys.resources
    count = resources.gpu.count if resources is not None and resources.gpu is not None else "1"
    return scope.text(count) if whole(count) != 0 else "1"
