"""The pieces of shell that a workflow's commands are put between: what dstack's runner did around them.

It knows bash, and nothing of workflows. Every piece is text of its own; none has a value put into it but by its last
line, which calls it.
"""

from __future__ import annotations

from argosy.model.host_templates import ENVIRONMENTS_FOLDER

# Variables of the catalog's Secret come in under this prefix, so that they can be laid over all others.
SECRET_PREFIX = "DSTACK_SECRET_"
# Where what a tag or an earlier run left is put, to be laid over the working folder.
DEPENDENCIES = ".dstack-dependencies"

ENVIRONMENT = """\
export PYTHONUNBUFFERED=1 RUN_NAME="${RUN_NAME:-$ARGO_WORKFLOW_NAME}" JOB_ID="${JOB_ID:-$ARGO_NODE_ID}"
export HOSTNAME="${HOSTNAME:-localhost}" JOB_HOSTNAME="${JOB_HOSTNAME:-127.0.0.1}"
"""

# In a plain shell too, as images may have no other.
SECRETS = """\
# Secrets win over other variables.
for _name in $(env | sed -n 's/^DSTACK_SECRET_\\([A-Za-z0-9_]*\\)=.*/\\1/p'); do
  eval "export $(echo "$_name" | tr a-z A-Z)=\\"\\$DSTACK_SECRET_$_name\\""
  unset "DSTACK_SECRET_$_name"
done
"""

BASH_IF_THERE = """\
if [ -z "$BASH_VERSION" ] && command -v bash >/dev/null; then exec bash "$0" "$@"; fi
"""

# dstack's shell was given all commands as one line: where one cannot be read, none is run.
READABLE = """\
[ -z "$BASH_VERSION" ] || bash -n "$0" || exit
"""

# dstack's shell was an interactive one, for which an image's ~/.bashrc is written. That of a person is none of a run's
# business, so on the host only `conda activate` is brought, which many have from there.
OF_THE_IMAGE = """\
if [ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ]; then PS1='$ ' . ~/.bashrc; fi
"""

CONDA = """\
# Where there is a conda, `conda activate` is too.
for _folder in ~/miniconda3 ~/anaconda3 ~/miniforge3 /opt/conda; do
  if [ -n "$CONDA_EXE" ] || command -v conda >/dev/null; then break; fi
  if [ -x "$_folder/bin/conda" ]; then CONDA_EXE="$_folder/bin/conda"; fi
done
if command -v "${CONDA_EXE:-conda}" >/dev/null; then eval "$("${CONDA_EXE:-conda}" shell.bash hook)"; fi
"""

LAID_OVER = """\
# What other runs left, at the paths where they left it.
for _folder in .dstack-dependencies/*; do
  cp -alf "$_folder/." . 2>/dev/null || cp -a "$_folder/." . || exit
done
rm -rf .dstack-dependencies 2>/dev/null
"""

# Called as: argosy_python VERSION REQUIREMENTS OWN OPTION, each possibly empty. OWN: what tells environments apart that
# commands install something into, so that they leave the project's Python as it is. OPTION: of the environment's maker.
# Its name says all that it depends on: the interpreter, the system around it, the requirements, and where it is.
PYTHON = """\
# A virtual environment for this version and these requirements: made once, then used by every run.
argosy_python() {
  local version="$1" requirements="$2" python=python own root folder seed=""
  if [ -n "$requirements" ] && [ ! -f "$requirements" ]; then
    echo "there is no $requirements in the code of this run" >&2 && return 1
  fi
  command -v python >/dev/null || python=python3
  own="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  if [ -n "$version" ] && [ "$version" != "$own" ]; then
    python="python$version"
  elif [ -z "$requirements$3" ]; then
    return 0
  fi
  [ -z "$3" ] || seed=--seed
  root=@folder@
  if [ -w "$root" ]; then
    export UV_PYTHON_INSTALL_DIR="$root/python" UV_CACHE_DIR="$root/cache" PIP_CACHE_DIR="$root/cache"
  else
    root="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/argosy/environments"
  fi
  folder="$root/$({ echo "$root ${version:-$own} $3 $4"; cat /etc/os-release 2>/dev/null
    "$python" -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null
    [ -z "$requirements" ] || cat -- "$requirements"; } | sha256sum | cut -c 1-24)"
  mkdir -p "$root" && exec 9>>"$folder.lock" || return
  if command -v flock >/dev/null; then flock 9 || return; fi
  if [ ! -e "$folder/complete" ]; then
    echo "making the virtual environment $folder" >&2
    rm -rf "$folder"
    if command -v uv >/dev/null; then
      uv venv --quiet $4 $seed --python "${version:-$own}" "$folder" &&
        { [ -z "$requirements" ] || uv pip install --quiet --python "$folder/bin/python" -r "$requirements"; }
    elif ! "$python" -c '' 2>/dev/null; then
      echo "Python $version is not on this machine: install it, or uv, which fetches it" >&2 && false
    elif "$python" -c 'import venv, ensurepip' 2>/dev/null; then
      "$python" -m venv $4 "$folder" && { [ -z "$requirements" ] ||
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"; }
    elif "$python" -c 'import venv, pip' 2>/dev/null; then
      "$python" -m venv $4 --without-pip "$folder" && { [ -z "$requirements" ] || "$python" -m pip \\
        --python "$folder/bin/python" install --quiet --disable-pip-version-check -r "$requirements"; }
    else
      echo "this Python has neither venv nor pip, and there is no uv: a virtual environment needs one of them" >&2
      false
    fi || return
    touch "$folder/complete"
  fi
  exec 9>&-
  export VIRTUAL_ENV="$folder" PATH="$folder/bin:$PATH"
}
""".replace("@folder@", ENVIRONMENTS_FOLDER)

# Called as: argosy_ports NUMBER ..., where 0 stands for any that is free. Without a Python, as in a container of a
# cluster, these are those that dstack began with.
PORTS = """\
# Ports of this machine, as PORT_0, PORT_1, ...
argosy_ports() {
  local number=0 port
  for port in $(python - "$@" 2>/dev/null <<'END' || echo "$@"
import socket, sys
held = [socket.socket() for word in sys.argv[1:] if word == "0"]
for one in held:
    one.bind(("127.0.0.1", 0))
free = (one.getsockname()[1] for one in held)
print(*(next(free) if word == "0" else word for word in sys.argv[1:]))
END
  ); do
    [ "$port" != 0 ] || port=$((3000 + number))
    export "PORT_$number=$port" "JOB_PORT_$number=$port" && number=$((number + 1))
  done
}
"""

# Called as: argosy_open PATH. In a process of nobody's, so that a `wait` of the commands does not wait for it.
OPEN = """\
# Says where people find the app, as soon as it answers.
argosy_open() {
  [ -n "$BASH_VERSION" ] || return 0
  (
    {
      until (exec 3<>"/dev/tcp/127.0.0.1/$ARGOSY_PORT") 2>/dev/null; do sleep 0.1; done
      echo "open http://127.0.0.1:$ARGOSY_PORT/$1"
    } &
  )
}
"""

MASTER = """\
export MASTER_ID="$JOB_ID" MASTER_JOB_ID="$JOB_ID" MASTER_HOSTNAME=127.0.0.1 MASTER_JOB_HOSTNAME=127.0.0.1
export MASTER_PORT_0="$PORT_0" MASTER_JOB_PORT_0="$PORT_0"
"""

# Called as: argosy_needs MODULE PACKAGE
NEEDS = """\
argosy_needs() {
  python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)" && return
  echo "this workflow needs $2: put it into its requirements, or install it into the project's Python" >&2 && return 1
}
"""


def in_turn(commands: list[str]) -> str:
    """Commands one after the other in one shell; the first that fails ends it, with its exit code."""
    real = [one.strip("\n") for one in commands if _does_something(one)]
    if len(real) == 1:
        return real[0] + "\n"
    return "".join(f"{{\n{one}\n}} || exit\n" for one in real)


def _does_something(command: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in command.splitlines())
