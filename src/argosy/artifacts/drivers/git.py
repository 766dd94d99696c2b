"""Artifacts in git repositories, fetched with the git program (Argo docs: fields.md, GitArtifact).

It knows how to keep git from asking questions, running hooks and handing credentials to other hosts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
from collections.abc import Generator
from pathlib import Path

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.drivers.fields import GitFields, read_fields, wanted
from argosy.artifacts.locations import Context
from argosy.artifacts.places import memory_folder, new_place
from argosy.artifacts.requests import take_user_info
from argosy.artifacts.troubles import (
    ArtifactNotFound,
    LocationUnsupported,
    TransferRefused,
    TransferTrouble,
    disk_errors,
)
from argosy.errors import EnvironmentTrouble
from argosy.model.manifest import ArtifactLocation

# What git may take from our own environment; the rest, GIT_DIR above all, would change what it does.
KEPT_VARIABLES = (
    *("PATH", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "HOME", "USER"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
)
POLL_SECONDS = 0.2
# git's own words for what may pass.
PASSING = re.compile(
    r"could not resolve host|timed out|timeout|early eof|connection (was )?(refused|reset|closed)|rpc failed|"
    r"unexpected disconnect|remote end hung up|temporary failure|the requested url returned error: (408|429|5\d\d)|"
    r"failed to connect|network is unreachable|no route to host|operation too slow|gnutls_handshake|ssl_read",
    re.IGNORECASE,
)
MISSING = re.compile(
    r"repository .* (not found|does not exist)|does not appear to be a git repository|"
    r"couldn't find remote ref|remote branch .* not found|returned error: (404|410)|no such device or address",
    re.IGNORECASE,
)
ASKPASS = """#!/bin/sh
# Answers git for one host only.
case "$1" in
*"//$ARGOSY_GIT_HOST'"* | *"@$ARGOSY_GIT_HOST'"*) ;;
*) exit 1 ;;
esac
case "$1" in
Username*) printf '%s\\n' "$ARGOSY_GIT_USERNAME" ;;
*) printf '%s\\n' "$ARGOSY_GIT_PASSWORD" ;;
esac
"""


class GitDriver:
    """`git: {repo: ...}`: can only be fetched."""

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """Clone into the folder `target` and check out what was asked for. Raises as `locations.Driver` says."""
        fields = read_fields("git", artifact.git, GitFields)
        _check(fields)
        if shutil.which("git") is None:
            raise EnvironmentTrouble("The program git is not installed.", hint="Install git.")
        credentials = Credentials(context)
        prepared = _environment(fields, credentials, context)
        with credentials.guarded(), prepared as (repo, environment), new_place(target):
            _clone(_Git(target, environment, context), repo, fields)

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """Raises LocationUnsupported."""
        raise LocationUnsupported("A git location cannot be an output.", hint="Save to s3, or push from the step.")

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """Raises LocationUnsupported."""
        raise LocationUnsupported(
            "A git location has no files to list.", hint="List an s3, gcs, azure or oss location."
        )

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Raises LocationUnsupported."""
        raise LocationUnsupported("A git location cannot be deleted.", hint="Set artifactGC to Never for it.")


def _check(fields: GitFields) -> None:
    wanted("git", "repo", fields.repo)
    if fields.single_branch and not fields.branch:
        raise LocationUnsupported("git.singleBranch is set and git.branch is not.", hint="Name the branch.")
    for name, value in (
        ("revision", fields.revision),
        ("branch", fields.branch),
        *(("fetch", f) for f in fields.fetch),
    ):
        if value.startswith("-") or any(ord(c) < 32 for c in value):
            raise LocationUnsupported(
                f"git.{name} {value!r} cannot be a name in git.", hint="Names do not begin with -."
            )
    if fields.depth is not None and fields.depth < 0:
        raise LocationUnsupported(f"git.depth {fields.depth} is below zero.", hint="Leave it out for all history.")


def _clone(git: _Git, repo: str, fields: GitFields) -> None:
    depth = [f"--depth={fields.depth}"] if fields.depth else []
    branch = ["--single-branch", f"--branch={fields.branch}"] if fields.single_branch else ["--no-single-branch"]
    git.run(
        "clone", "--quiet", "--no-local", "--no-checkout", "--template=", *depth, *branch, "--", repo, str(git.folder)
    )
    for refspec in fields.fetch:
        git.run("fetch", "--quiet", "--force", "--update-head-ok", *depth, "--", "origin", refspec)
    if fields.revision:
        _every_branch(git)
        git.run("checkout", "--quiet", "--force", "--detach", _commit(git, fields.revision, depth))
    elif git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        git.run("checkout", "--quiet", "--force")
    if not fields.disable_submodules and (git.folder / ".gitmodules").is_file():
        git.run("submodule", "--quiet", "update", "--init", "--recursive", "--force")


def _every_branch(git: _Git) -> None:
    """A branch of ours for each of theirs, as Argo makes them."""
    form = "update refs/heads/%(refname:lstrip=3) %(objectname)"
    lines = git.run("for-each-ref", f"--format={form}", "refs/remotes/origin").splitlines()
    wanted_lines = [line for line in lines if not line.startswith("update refs/heads/HEAD ")]
    git.run("update-ref", "--stdin", text="".join(f"{line}\n" for line in wanted_lines))


def _commit(git: _Git, revision: str, depth: list[str]) -> str:
    for name in (revision, f"refs/remotes/origin/{revision}"):
        if found := git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"):
            return found
    # A shallow clone lacks it, or no branch leads there.
    with contextlib.suppress(TransferRefused, ArtifactNotFound):
        git.run("fetch", "--quiet", *depth, "--", "origin", revision)
        if found := git.ask("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"):
            return found
    raise ArtifactNotFound(
        f"The git repository has no revision {revision!r}.", hint="Check git.revision, or git.depth."
    )


class _Git:
    """The git program, run for one clone."""

    def __init__(self, folder: Path, environment: dict[str, str], context: Context) -> None:
        self.folder = folder
        self._environment = environment
        self._context = context

    def run(self, *arguments: str, text: str = "") -> str:
        """What git prints. Raises ArtifactNotFound, TransferRefused, TransferTrouble, TransferCancelled."""
        status, out, errors = self._run(arguments, text)
        if status == 0:
            return out
        lines = [line for line in errors.strip().splitlines() if line.strip()]
        said = "; ".join(lines[-3:]) or f"exit code {status}"
        message = f"git {arguments[0]} failed: {said}"
        if PASSING.search(errors):
            raise TransferTrouble(message)
        if MISSING.search(errors):
            raise ArtifactNotFound(message, hint="Check git.repo, git.branch and git.fetch.")
        raise TransferRefused(message, hint="Check the repository, its credentials and the names of its branches.")

    def ask(self, *arguments: str) -> str:
        """What git prints, or "" when it says no."""
        status, out, _ = self._run(arguments, "")
        return out.strip() if status == 0 else ""

    def _run(self, arguments: tuple[str, ...], text: str) -> tuple[int, str, str]:
        where = ["-C", str(self.folder)] if arguments[0] != "clone" else []
        process = subprocess.Popen(
            ["git", *where, *arguments],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        pending: str | None = text
        try:
            while True:
                self._context.stop_if_cancelled()
                try:
                    out, errors = process.communicate(pending, timeout=POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    pending = None
                    continue
                return process.returncode, out, errors
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


@contextlib.contextmanager
def _environment(
    fields: GitFields, credentials: Credentials, context: Context
) -> Generator[tuple[str, dict[str, str]], None, None]:
    """(the repository without credentials, the environment for git), with the files that it needs for a while."""
    repo, user, password = _repository(fields.repo)
    user = credentials.text(fields.username_secret).strip() or fields.username or user
    password = credentials.text(fields.password_secret).strip() or password
    credentials.hide(password)
    with disk_errors("write", tempfile.gettempdir()), contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="argosy-git-"))
        folder = Path(name)
        # A key is for memory; what is executed cannot always be there.
        keys = stack.enter_context(tempfile.TemporaryDirectory(prefix="git-", dir=memory_folder()))
        askpass = _file(folder / "askpass", ASKPASS.encode(), 0o700)
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment |= {
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": str(askpass),
            "SSH_ASKPASS": str(askpass),
            "GIT_LFS_SKIP_SMUDGE": "1",
            "ARGOSY_GIT_HOST": _host(repo),
            "ARGOSY_GIT_USERNAME": user or "git",
            "ARGOSY_GIT_PASSWORD": password,
            "GIT_SSH_COMMAND": _ssh(fields, credentials.get(fields.ssh_private_key_secret), Path(keys), context),
        }
        if not user and not password:
            # Nothing to answer with: let git say so at once.
            environment["ARGOSY_GIT_HOST"] = "no host at all"
        yield repo, environment | _settings(fields, repo, context)


def _settings(fields: GitFields, repo: str, context: Context) -> dict[str, str]:
    local = _is_local(repo)
    settings = {
        "protocol.allow": "never",
        **{f"protocol.{name}.allow": "always" for name in ("https", "http", "ssh", "git")},
        # Where the manifest names a local path, that path only: no submodule may name another.
        "protocol.file.allow": "user" if local else "never",
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "advice.detachedHead": "false",
        "credential.helper": "",
        "http.sslVerify": "false" if fields.insecure_skip_tls else "true",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": str(max(1, round(context.timeout_seconds))),
        "submodule.recurse": "false",
        "gc.auto": "0",
    }
    numbered = {f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(settings)}
    numbered |= {f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(settings.values())}
    return {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_PROTOCOL_FROM_USER": "1"} | numbered


def _repository(repo: str) -> tuple[str, str, str]:
    """(what to give git, user name, password): credentials in a URL must not end in the clone's configuration."""
    if repo.lower().startswith(("http://", "https://")):
        return take_user_info(repo)
    return (os.path.abspath(repo) if _is_local(repo) and "://" not in repo else repo), "", ""


def _is_local(repo: str) -> bool:
    return repo.startswith(("/", "./", "../", "file://")) or repo in (".", "..")


def _host(repo: str) -> str:
    return urllib.parse.urlsplit(repo).netloc if "://" in repo else ""


def _ssh(fields: GitFields, key: bytes | None, folder: Path, context: Context) -> str:
    words = ["ssh", "-oBatchMode=yes", f"-oConnectTimeout={max(1, round(context.timeout_seconds))}"]
    if key is not None:
        path = _file(folder / "key", key.strip() + b"\n", 0o600)
        words += ["-i", str(path), "-oIdentitiesOnly=yes", "-oIdentityAgent=none"]
    if fields.insecure_ignore_host_key:
        words += ["-oStrictHostKeyChecking=no", f"-oUserKnownHostsFile={os.devnull}", "-oLogLevel=ERROR"]
    else:
        words += ["-oStrictHostKeyChecking=yes"]
    return shlex.join(words)


def _file(path: Path, data: bytes, mode: int) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path
