"""Runs the harmless commands of test workflows for the simulator: in a folder of its own, with time that only counts.

Absolute paths of a step lie below the folder; `sleep` writes down how long it would have slept. It knows commands and
files, not the planner.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator import Outcome

from argosy.model.events import ContainerEnd
from argosy.model.manifest import Artifact, ContainerFields, ContainerSetTemplate, Outputs, Template
from argosy.plan.actions import Start

# The image that Argo's tests use says what it is told: these are its verbs.
_ARGOSAY = """#!/bin/sh
verb=${1-hello}
case "$verb" in
  hello) printf 'hello argo\\n' ;;
  echo) if [ $# -ge 3 ]; then mkdir -p "$(dirname "$3")" && printf '%s\\n' "$2" > "$3"
        else printf '%s\\n' "${2-hello argo}"; fi ;;
  cat) cat "$2" ;;
  sleep) sleep "$2" ;;
  exit) exit "${2-0}" ;;
  assert_contains) grep -F "$3" "$2" ;;
  *) exit 1 ;;
esac
"""
_SLEEP = '#!/bin/sh\nprintf "%s\\n" "$1" >> "$SLEPT"\n'
_SAY = '#!/bin/sh\nprintf "%s\\n" "$*"\n'
_ABSOLUTE = re.compile(r"(?<![\w.$/])/(tmp|mnt|file|argosay|argo|bin/sleep|work)\b")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class SmallMachine:
    """A place where steps run, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = folder / "programs"
        self._programs.mkdir()
        for name, text in (("argosay", _ARGOSAY), ("sleep", _SLEEP), ("cowsay", _SAY)):
            program = self._programs / name
            program.write_text(text)
            program.chmod(0o755)
        self._kept: dict[str, Path] = {}

    def __call__(self, start: Start) -> Outcome:
        """What a leaf gives. A container set runs container after container, in the order of their dependencies."""
        template = start.template
        root = self._new_root(template)
        if template.container_set is not None:
            return self._set(template.container_set, root)
        main = template.container or template.script
        assert main is not None, f"{start.name} is nothing that can be run here"
        source = template.script.source if template.script is not None else None
        code, said, seconds = self._run(main, root, source)
        if code:
            return Outcome("Failed", f"main: Error (exit code {code})", str(code), result=said, seconds=seconds)
        return self._collected(start, root, said, seconds)

    def _new_root(self, template: Template) -> Path:
        root = self._folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        (root / "tmp").mkdir(parents=True)
        (root / "bin").mkdir()
        shutil.copy(self._programs / "argosay", root / "argosay")
        shutil.copy(self._programs / "sleep", root / "bin" / "sleep")
        for artifact in template.inputs.artifacts if template.inputs is not None else ():
            if artifact.path:
                place = root / artifact.path.lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                self._put(artifact, place)
        return root

    def _put(self, artifact: Artifact, place: Path) -> None:
        if artifact.raw is not None:
            place.write_text(artifact.raw.data)
        elif (kept := self._kept.get(artifact.digest)) is not None:
            _copy(kept, place)

    def _run(self, main: ContainerFields, root: Path, source: str | None) -> tuple[int, str, float]:
        """The exit code, what was said, and the seconds that it would have taken."""
        slept = root / "slept"
        slept.touch()
        command = [self._place(part, root) for part in self._command(main, root, source)]
        variables = {one.name: one.value or "" for one in main.env}
        environment = {"PATH": f"{self._programs}:{os.environ['PATH']}", "SLEPT": str(slept), **variables}
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=20, check=False
        )
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return code, done.stdout.removesuffix("\n"), 0.1 + sum(_seconds(one) for one in slept.read_text().split())

    def _command(self, main: ContainerFields, root: Path, source: str | None) -> Sequence[str]:
        command = main.command or (("argosay",) if "argosay" in main.image or not main.image else ("true",))
        if source is not None:
            script = root / "script"
            script.write_text(_ABSOLUTE.sub(lambda found: f"{root}{found.group()}", source))
            command = ("sh",) if command == ("argosay",) and not main.args else command
            return (*command, *main.args, str(script)) if command != ("argosay",) else (*command, *main.args)
        return (*command, *main.args)

    def _place(self, text: str, root: Path) -> str:
        if text == "python":
            return sys.executable
        if text.startswith(str(self._folder)):
            return text
        return _ABSOLUTE.sub(lambda found: f"{root}{found.group()}", text)

    def _collected(self, start: Start, root: Path, said: str, seconds: float) -> Outcome:
        declared = start.template.outputs or Outputs()
        parameters: dict[str, str] = {}
        for one in declared.parameters:
            source = one.value_from
            if source is None or not source.path:
                continue
            file = root / source.path.lstrip("/")
            if file.is_file():
                parameters[one.name] = file.read_text().removesuffix("\n")
            elif source.default is None:
                return Outcome("Error", f"output {one.name}: {source.path} is not there", "0", seconds=seconds)
        for artifact in declared.artifacts:
            file = root / artifact.path.lstrip("/")
            if file.exists():
                kept = self._folder / f"kept-{len(self._kept)}"
                _copy(file, kept)
                self._kept[f"{start.name}/{artifact.name}"] = kept
            elif not artifact.optional:
                return Outcome("Error", f"output {artifact.name}: {artifact.path} is not there", "0", seconds=seconds)
        return Outcome(result=said, parameters=parameters, seconds=seconds)

    def _set(self, given: ContainerSetTemplate, root: Path) -> Outcome:
        tries = 1 + int(given.retry_strategy.retries if given.retry_strategy is not None else 0)
        ended: dict[str, ContainerEnd] = {}
        waiting = list(given.containers)
        total = 0.0
        while waiting:
            container = next(one for one in waiting if all(name in ended for name in one.dependencies))
            waiting.remove(container)
            code = 1
            if all(ended[name].phase == "Succeeded" for name in container.dependencies):
                for _ in range(tries):
                    code, _said, seconds = self._run(container, root, None)
                    total += seconds
                    if not code:
                        break
            message = f"Error (exit code {code})" if code else ""
            ended[container.name] = ContainerEnd(
                name=container.name, phase="Failed" if code else "Succeeded", message=message
            )
        failed = any(one.phase == "Failed" for one in ended.values())
        return Outcome("Failed" if failed else "Succeeded", seconds=total, containers=tuple(ended.values()))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _seconds(text: str) -> float:
    number = text.rstrip("smhd")
    return float(number) * _UNITS[text[len(number) :]]
