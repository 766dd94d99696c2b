"""The runtime of Python functions: a step that calls one is a fork of an interpreter that has the program loaded.

Every other step is a plain process. It knows how such an interpreter is started, not how it forks.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from argosy.model.host_templates import FUNCTION_MODULE
from argosy.runners.local.runtimes.process import ProcessRuntime
from argosy.runners.local.runtimes.runtime import Function, Spawn, StepSpec
from argosy.runners.local.supervision import Fork

WARM_MODULE = "argosy.dsl.warm"
# Variables that differ from step to step, and that no library reads when it is imported.
_OWN = ("PWD", "TMPDIR", "CUDA_VISIBLE_DEVICES", "ARGOSY_STEP")
_OWN_PREFIXES = ("ARGO_", "ARGOSY_")


class FunctionRuntime(ProcessRuntime):
    """Runs calls of functions in forks, and other steps as `process` does.

    A step that was given secrets is a process of its own too: what writes its logs without them is made for that.
    """

    name = "function"

    def spawn(self, spec: StepSpec, run_uid: str) -> Spawn:
        spawn = super().spawn(spec, run_uid)
        function = spec.function
        if function is None or spec.hidden is not None or spec.working_dir or not _calls(spec, function):
            return spawn
        where = function.target.rpartition(":")[0]
        fork = Fork(
            program=spawn.program,
            argv=(spawn.argv[0], "-m", WARM_MODULE, function.root, where),
            folder=function.root,
            environment=_common(spawn.environment),
            target=function.target,
        )
        return msgspec.structs.replace(spawn, fork=fork)


def _calls(spec: StepSpec, function: Function) -> bool:
    """Whether the command is the one that calls the function, so that leaving it out changes nothing."""
    return (*spec.command, *spec.args)[1:] == ("-m", FUNCTION_MODULE, function.target)


def _common(environment: Mapping[str, str]) -> dict[str, str]:
    """What a program may see of a step's environment when it is loaded: what steps of one kind have alike."""
    return {
        name: value for name, value in environment.items() if name not in _OWN and not name.startswith(_OWN_PREFIXES)
    }
