"""What a project says about itself in `argosy.toml`.

It knows the keys of that file and where each stands; what they do is up to the rooms that are handed the values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn, cast

import msgspec

from argosy.errors import ExpressionError, InvalidFile
from argosy.model.host_templates import LARGEST_BYTES, MOST_FILES, CodeRule, CodeRules
from argosy.model.metric_rules import FILES, MetricRules, patterns_of
from argosy.project.home import CONFIGURATION
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.span import Span

RULE = "config"
_KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "run": {
        "runtime": str,
        "jobs": int,
        "gpus": (str, int),
        "grace": (int, float),
        "environment": list,
        "cache": bool,
    },
    "artifacts": {"repository": dict},
    "images": {"entrypoint": list, "cmd": list, "path": list, "working_dir": str, "environment": dict, "files": dict},
    "metrics": {"patterns": list, "files": list},
    "mlflow": {"tracking_uri": str, "experiment": str},
    "python": {"interpreter": str, "image": str},
    "node-pools": {"cpu": (str, int, float), "memory": str, "gpus": int, "label": str},
    "instance-types": {"cpu": (str, int, float), "memory": str, "gpus": int, "label": str},
    "code": {"keep": str, "rules": list, "root": str, "dest": str, "max_files": int, "max_bytes": int},
}
# Sections of tables with names that a person gives.
_NAMED = {"images": "an image", "node-pools": "a node pool", "instance-types": "an instance type"}
# When a run keeps the code that it ran with.
KEEP = ("when-needed", "always")
_WORDS = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list of texts",
    dict: "a table",
}


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What an image stands for where no container engine is. Paths are relative to this file.

    files: what the image has at an absolute path, and where this machine has it.
    """

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    working_dir: str = ""
    environment: dict[str, str] = {}
    files: dict[str, str] = {}


class NodePool(msgspec.Struct, frozen=True, kw_only=True):
    """What a step of a node pool asks for here: cpu and memory as quantities. label: what people read."""

    cpu: str = ""
    memory: str = ""
    gpus: int = 0
    label: str = ""


class MlflowPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where runs are logged to; nowhere without an address. experiment: its name there, "" for the project folder's."""

    tracking_uri: str = ""
    experiment: str = ""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The file's values, with what holds where it says nothing.

    gpus: "" to look for them, a count, or indices. grace_seconds: between SIGTERM and SIGKILL. environment: names of
    host variables that steps see. cache: whether outcomes of earlier runs are used again. repository: an artifact
    repository as a ConfigMap would have it, {} for the local one.
    """

    runtime: str = "auto"
    jobs: int | None = None
    gpus: str = ""
    grace_seconds: float = 10.0
    environment: tuple[str, ...] = ()
    cache: bool = False
    images: dict[str, Image] = {}
    repository: dict[str, Any] = {}
    metrics: MetricRules = MetricRules()
    mlflow: MlflowPlace = MlflowPlace()
    # Of host templates: an absolute path or "", and what a container runs them in. Whether each run keeps its code.
    interpreter: str = ""
    python_image: str = ""
    code: CodeRules = CodeRules()
    keep_code: bool = False
    # By name; the first is the default.
    node_pools: dict[str, NodePool] = {}
    # What a machine of Gradient's by that name is here, instead of what it was there.
    instance_types: dict[str, NodePool] = {}


def read_configuration(folder: Path) -> Configuration:
    """The configuration of a project's folder. Raises InvalidFile with the place of what is wrong."""
    path = folder / CONFIGURATION
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Configuration()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}") from error
    return parse_configuration(text, str(path), folder)


def parse_configuration(text: str, file: str, folder: Path) -> Configuration:
    """The configuration in a text. Raises InvalidFile."""
    import tomllib  # most projects have no such file

    reader = _Reader(text, file)
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+), column (\d+)", str(error))
        where = (int(line[1]), int(line[2])) if line else (text.count("\n") + 1, 1)
        reader.stop(f"this is not TOML: {str(error).split(' (at')[0]}", where)
    reader.check(given)
    run = cast("dict[str, Any]", given.get("run", {}))
    return Configuration(
        runtime=run.get("runtime", "auto"),
        jobs=run.get("jobs"),
        gpus=str(run.get("gpus", "")),
        grace_seconds=float(run.get("grace", 10.0)),
        environment=tuple(run.get("environment", ())),
        cache=run.get("cache", False),
        images={name: _image(image, folder) for name, image in given.get("images", {}).items()},
        repository=given.get("artifacts", {}).get("repository", {}),
        metrics=_metrics(given.get("metrics", {}), reader),
        mlflow=MlflowPlace(**given.get("mlflow", {})),
        interpreter=_interpreter(given.get("python", {}), folder),
        python_image=given.get("python", {}).get("image", ""),
        code=_code(given.get("code", {}), reader),
        keep_code=_keeps_code(given.get("code", {}), reader),
        node_pools=_pools("node-pools", given, reader),
        instance_types=_pools("instance-types", given, reader),
    )


def _metrics(given: dict[str, Any], reader: _Reader) -> MetricRules:
    patterns = patterns_of(given["patterns"]) if "patterns" in given else None
    if patterns:
        from argosy.experiments.output_metrics import check_patterns

        try:
            check_patterns(patterns)
        except ExpressionError as error:
            reader.stop(error.message, reader.place(("metrics",), "patterns"), error.hint, len("patterns"))
    return MetricRules(patterns=patterns, files=tuple(given.get("files", FILES)))


def _pools(section: str, given: dict[str, Any], reader: _Reader) -> dict[str, NodePool]:
    return {name: _node_pool(section, name, pool, reader) for name, pool in given.get(section, {}).items()}


def _node_pool(section: str, name: str, given: dict[str, Any], reader: _Reader) -> NodePool:
    from argosy.runners.local.resources import quantity

    for key in ("cpu", "memory"):
        try:
            quantity(str(given.get(key, "0")))
        except InvalidFile as error:
            reader.stop(error.message, reader.place((section, name), key), "as in 4, 500m or 16Gi", len(key))
    return NodePool(
        cpu=str(given.get("cpu", "")),
        memory=given.get("memory", ""),
        gpus=given.get("gpus", 0),
        label=given.get("label", ""),
    )


def _interpreter(given: dict[str, Any], folder: Path) -> str:
    interpreter = given.get("interpreter", "")
    return str(folder / Path(interpreter).expanduser()) if interpreter else ""


def _keeps_code(given: dict[str, Any], reader: _Reader) -> bool:
    keep = given.get("keep", KEEP[0])
    if keep not in KEEP:
        reader.stop(f"'keep' is {' or '.join(KEEP)}, not {keep!r}", reader.place(("code",), "keep"), width=len("keep"))
    return keep == "always"


def _code(given: dict[str, Any], reader: _Reader) -> CodeRules:
    from argosy.model.host_templates import read_rule

    rules: list[CodeRule] = []
    for text in given.get("rules", ()):
        rule = read_rule(text)
        if rule is None:
            hint = 'write "include PATTERN" or "exclude PATTERN", with dir, text or binary before the pattern'
            reader.stop(f"{text!r} is not a rule on code", reader.place(("code",), "rules"), hint, len("rules"))
        rules.append(rule)
    for key in ("root", "dest"):
        path = given.get(key, "")
        if path.startswith("/") or ".." in path.split("/"):
            reader.stop(f"{key!r} is a path inside the project", reader.place(("code",), key), width=len(key))
    return CodeRules(
        rules=tuple(rules),
        root=given.get("root", ""),
        dest=given.get("dest", ""),
        largest_bytes=given.get("max_bytes", LARGEST_BYTES),
        most_files=given.get("max_files", MOST_FILES),
    )


def _image(given: dict[str, Any], folder: Path) -> Image:
    def at_home(path: str) -> str:
        return path if path.startswith("/") else str(folder / path)

    entrypoint = tuple(given.get("entrypoint", ()))
    if entrypoint and "/" in entrypoint[0]:
        entrypoint = (at_home(entrypoint[0]), *entrypoint[1:])
    working_dir = given.get("working_dir", "")
    return Image(
        entrypoint=entrypoint,
        cmd=tuple(given.get("cmd", ())),
        path=tuple(at_home(path) for path in given.get("path", ())),
        working_dir=at_home(working_dir) if working_dir else "",
        environment=given.get("environment", {}),
        files={target: at_home(source) for target, source in given.get("files", {}).items()},
    )


class _Reader:
    """Looks for what is wrong in a file, and finds the place of a key."""

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.splitlines()
        self._file = file

    def stop(self, message: str, where: tuple[int, int], hint: str = "", width: int = 1) -> NoReturn:
        line, column = where
        span = Span(file=self._file, line=line, column=column, end_line=line, end_column=column + max(1, width))
        found = Diagnostic(rule=RULE, severity="error", message=message, span=span, hint=hint)
        raise InvalidFile(f"{span}: {message}", diagnostics=(found,), hint=hint)

    def place(self, path: tuple[str, ...], key: str) -> tuple[int, int]:
        """Line and column of a key."""
        return self._place(path, key)

    def check(self, given: dict[str, Any]) -> None:
        for section, content in given.items():
            if section not in _KEYS:
                self._unknown(section, _KEYS, ())
            if not isinstance(content, dict):
                self.stop(f"{section!r} is a table: [{section}]", self._place((), section))
            tables = cast("dict[str, Any]", content)
            if section not in _NAMED:
                self._check_table(tables, _KEYS[section], (section,))
                continue
            for name, image in tables.items():
                if not isinstance(image, dict):
                    self.stop(f"{_NAMED[section]} is a table: [{section}.{name!r}]", self._place((section,), name))
                self._check_table(cast("dict[str, Any]", image), _KEYS[section], (section, name))

    def _check_table(
        self, table: dict[str, Any], known: dict[str, type | tuple[type, ...]], path: tuple[str, ...]
    ) -> None:
        for key, value in table.items():
            if key not in known:
                self._unknown(key, known, path)
            wanted = known[key]
            if (
                not isinstance(value, wanted)
                or (isinstance(value, bool) and wanted is not bool)
                or not _texts_inside(value)
            ):
                first = wanted[0] if isinstance(wanted, tuple) else wanted
                self.stop(f"{key!r} is {_WORDS[first]}", self._place(path, key), width=len(key))
        jobs = table.get("jobs")
        if jobs is not None and jobs < 1:
            self.stop("'jobs' is at least 1", self._place(path, "jobs"), width=4)

    def _unknown(self, key: str, known: Any, path: tuple[str, ...]) -> None:
        near = did_you_mean(key, known)
        hint = f"did you mean {near!r}?" if near else "the keys are " + ", ".join(known)
        self.stop(f"there is no key {key!r} here", self._place(path, key), hint, len(key))

    def _place(self, path: tuple[str, ...], key: str) -> tuple[int, int]:
        """Line and column of a key, as well as can be told without a tree of the file."""
        table = ""
        wanted = ".".join(path)
        for number, line in enumerate(self._lines, 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
            if header is not None:
                table = re.sub(r"[\"']", "", header[1])
                if table == ".".join((*path, key)) or table.startswith(".".join((*path, key)) + "."):
                    return number, line.index(key) + 1 if key in line else 1
                continue
            found = re.search(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*[.=]", line)
            if found is not None and table == wanted:
                return number, line.index(key, found.start()) + 1
        return 1, 1


def _texts_inside(value: object) -> bool:
    return not isinstance(value, list) or all(isinstance(one, str) for one in cast("list[object]", value))
