"""Questions to a container engine's command line: is it there, is an image, how did a container end.

It knows the words of podman and docker; not what a step is.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from argosy.runners.local.runtimes.registries import options_of

ANSWER_SECONDS = 60.0
COPY_SECONDS = 3600.0


class ContainerState(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine remembers of a container that it still has."""

    status: str = ""
    exit_code: int = 0
    out_of_memory: bool = False


class Engine:
    """podman or docker. Every question starts a process (some 30 ms) and waits for it; answers on images are kept.

    logins: the folder with logins to registries that images are pulled with; the person's own when None.
    """

    def __init__(self, name: str, logins: Path | None = None) -> None:
        self.name = name
        self.before_command, self.of_pulls = options_of(name, logins)
        self.program = ""
        self._present: set[str] = set()
        self._users: dict[str, str] = {}
        self._roots: dict[str, str] = {}

    def ask(self, *arguments: str, timeout_seconds: float = ANSWER_SECONDS) -> tuple[int, str, str]:
        """Exit code, output and error output of one command. A missing program or a hang is code 125."""
        import subprocess

        try:
            done = subprocess.run(
                [self.program or self.name, *arguments],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=timeout_seconds,
                check=False,
                text=True,
                errors="replace",
            )
        except FileNotFoundError:
            return 125, "", f"{self.name} is not installed"
        except (OSError, subprocess.TimeoutExpired) as error:
            return 125, "", f"{self.name} does not answer: {error}"
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def trouble(self) -> str:
        """Why the engine cannot be used; "" if it answers."""
        code, _, error = self.ask("info", "--format", "{{.ServerVersion}}" if self.name == "docker" else "{{.Version}}")
        return "" if code == 0 else last_line(error) or f"{self.name} info ended with exit code {code}"

    def has(self, image: str) -> bool:
        if image not in self._present and self.ask("image", "inspect", "--format", "{{.Id}}", image)[0] == 0:
            self._present.add(image)
        return image in self._present

    def id_of(self, image: str) -> str:
        """The hash that an image's name stands for here; "" if the image is not here."""
        code, out, _ = self.ask("image", "inspect", "--format", "{{.Id}}", image)
        return out if code == 0 else ""

    def pull(self, image: str, timeout_seconds: float = 3600.0) -> str:
        """Fetch the image; why that failed, or ""."""
        code, _, error = self.ask(
            *self.before_command, "pull", *self.of_pulls, "--quiet", image, timeout_seconds=timeout_seconds
        )
        if code == 0:
            self._present.add(image)
            return ""
        return last_line(error) or f"exit code {code}"

    def user_of(self, image: str) -> str:
        """The user that the image's containers run as; "" is root."""
        if image not in self._users:
            code, out, _ = self.ask("image", "inspect", "--format", "{{.Config.User}}", image)
            if code != 0:
                return ""
            self._users[image] = out
        return self._users[image]

    def lacks_folder(self, image: str, folder: str) -> bool:
        """True if the image is known not to have the folder. Only podman as root lets one look."""
        if self.name != "podman" or os.geteuid() != 0:
            return False
        if image not in self._roots:
            code, out, _ = self.ask("image", "mount", image)
            if code != 0:
                return False
            self._roots[image] = out
        return not os.path.isdir(self._roots[image] + folder)

    def state(self, container: str) -> ContainerState | None:
        """The container's state, or None if the engine has no such container."""
        wanted = "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}"
        code, out, _ = self.ask("container", "inspect", "--format", wanted, container)
        words = out.split()
        if code != 0 or len(words) != 3:
            return None
        return ContainerState(status=words[0], exit_code=int(words[1]), out_of_memory=words[2] == "true")

    def address(self, container: str) -> str:
        """The container's IP address: the host's loopback one if it shares the host's network, "" if it has none."""
        wanted = "{{.HostConfig.NetworkMode}} {{.NetworkSettings.IPAddress}}"
        code, out, _ = self.ask("container", "inspect", "--format", wanted, container)
        mode, _, address = out.partition(" ")
        if code != 0:
            return ""
        return address or ("127.0.0.1" if mode == "host" else "")

    def copy_out(self, container: str, path: str, target: str) -> bool:
        """Copy a file or folder out of a container that the engine still has; False if it is not there."""
        if not path.startswith("/"):
            path = f"{self.ask('container', 'inspect', '--format', '{{.Config.WorkingDir}}', container)[1]}/{path}"
        return self.ask("cp", f"{container}:{path}", target, timeout_seconds=COPY_SECONDS)[0] == 0

    def remove(self, *containers: str) -> None:
        """Kill and remove; what is not there is no trouble."""
        if containers:
            at_once = ("--time", "0") if self.name == "podman" else ()
            self.ask("rm", "--force", *at_once, *containers)

    def labelled(self, *labels: str, status: str = "") -> list[str]:
        """The ids of the containers that carry these labels, running or not, or only those in a state."""
        filters = [f"label={label}" for label in labels] + ([f"status={status}"] if status else [])
        wanted = [word for one in filters for word in ("--filter", one)]
        return self.ask("ps", "--all", "--quiet", "--no-trunc", *wanted)[1].split()


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
