"""Guild's words: every attribute that a `guild.yml` may have, with its default, as typed values.

It knows names, shapes and which attributes have no effect here, not what any of them does.
Source: guild/guildfile.py, guild/resourcedef.py and guild/steps_main.py of guildai 0.9.0, read for their facts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from argosy.model.manifest import AnyString


class Words(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """A mapping of a guild.yml. Absent attributes have Guild's defaults."""


class Choice(Words, frozen=True, kw_only=True):
    """One of the values of a flag. flags: what other flags are when it is chosen."""

    value: Any = None
    description: AnyString = ""
    flags: dict[str, Any] = {}
    alias: AnyString = ""


class Flag(Words, frozen=True, kw_only=True):
    """A flag of an operation. default: UNSET where the file says nothing."""

    default: Any = msgspec.UNSET
    description: AnyString = ""
    type: str = ""
    required: bool = False
    alias: AnyString = ""
    arg_name: AnyString = ""
    arg_encoding: dict[str, AnyString] = {}
    arg_skip: bool | None = None
    arg_switch: Any = msgspec.UNSET
    arg_split: Any = None
    choices: tuple[Choice, ...] = ()
    allow_other: bool = False
    env_name: AnyString = ""
    env_encoding: dict[str, AnyString] = {}
    null_label: Any = None
    min: Any = None
    max: Any = None
    distribution: str = ""
    # Of notebooks: patterns whose groups are replaced by the value.
    nb_replace: tuple[AnyString, ...] = ()


class Rename(Words, frozen=True, kw_only=True):
    """How a required file is renamed. No pattern: it gets that very name."""

    pattern: AnyString = ""
    repl: AnyString = ""


class Source(Words, frozen=True, kw_only=True):
    """One source of a resource: exactly one of the first five."""

    config: AnyString = ""
    file: AnyString = ""
    module: AnyString = ""
    operation: AnyString = ""
    url: AnyString = ""
    name: AnyString = ""
    flag_name: AnyString = ""
    sha256: AnyString = ""
    unpack: bool | None = None
    type: str = ""
    select: tuple[AnyString, ...] = ()
    select_min: AnyString = ""
    select_max: AnyString = ""
    rename: tuple[Rename, ...] = ()
    target_path: AnyString = ""
    path: AnyString = ""
    target_type: str = ""
    preserve_path: bool | None = None
    replace_existing: bool = False
    optional: bool = False
    always_resolve: bool | None = None
    warn_if_empty: bool = True
    fail_if_empty: bool = False
    params: dict[str, Any] = {}
    post_process: AnyString = ""
    help: AnyString = ""


class Resource(Words, frozen=True, kw_only=True):
    """What an operation requires: by name, or with its sources. references and private only tell people."""

    resource: AnyString = ""
    name: AnyString = ""
    flag_name: AnyString = ""
    description: AnyString = ""
    sources: tuple[Source, ...] = ()
    target_path: AnyString = ""
    path: AnyString = ""
    target_type: str = ""
    preserve_path: bool | None = None
    default_unpack: bool = True
    private: bool = False
    references: Any = None


class Select(Words, frozen=True, kw_only=True):
    """A rule on which files are source code."""

    include: AnyString = ""
    exclude: AnyString = ""
    kind: str = ""


class Sourcecode(Words, frozen=True, kw_only=True):
    """Which files are source code. disabled: none of them."""

    select: tuple[Select, ...] = ()
    root: AnyString = ""
    digest: Any = None
    dest: AnyString = ""
    disabled: bool = False


class Expect(Words, frozen=True, kw_only=True):
    """What a step must have done: printed something, or left a file."""

    output: AnyString = ""
    file: AnyString = ""
    contains: AnyString = ""
    compare_to: AnyString = ""


class Step(Words, frozen=True, kw_only=True):
    """One step of an operation with steps."""

    run: AnyString = ""
    name: AnyString = ""
    flags: dict[str, Any] = {}
    expect: tuple[Expect, ...] = ()
    isolate_runs: bool = True
    additional_deps: Any = None
    batch_label: AnyString = ""
    batch_tags: Any = None
    break_: Any = field(default=None, name="break")
    break_on_error: Any = None
    fail_on_trial_error: bool = False
    force_flags: bool = False
    force_sourcecode: bool = False
    gpus: AnyString = ""
    label: AnyString = ""
    max_trials: int | None = None
    maximize: AnyString = ""
    minimize: AnyString = ""
    needed: bool = False
    no_gpus: bool = False
    opt_flags: Any = None
    optimize: bool = False
    optimizer: AnyString = ""
    random_seed: int | None = None
    remote: AnyString = ""
    stop_after: Any = None
    tags: tuple[AnyString, ...] = ()


class Operation(Words, frozen=True, kw_only=True):
    """An operation."""

    main: AnyString = ""
    exec_: AnyString = field(default="", name="exec")
    notebook: AnyString = ""
    steps: tuple[Step, ...] | None = None
    # Argosy's own: steps may run at the same time where what they require allows it.
    parallel: bool = False
    name: AnyString = ""
    default: bool = False
    description: AnyString = ""
    label: AnyString = ""
    flags: dict[str, Flag] = {}
    flags_import: Any = None
    flags_import_skip: tuple[AnyString, ...] = ()
    flags_dest: AnyString = ""
    requires: tuple[Resource, ...] = ()
    env: dict[str, AnyString] = {}
    env_secrets: Any = None
    python_path: tuple[AnyString, ...] = ()
    python_requires: Any = None
    plugins: Any = None
    disable_plugins: Any = None
    stoppable: bool = False
    tags: tuple[AnyString, ...] = ()
    compare: Any = None
    output_scalars: Any = msgspec.UNSET
    output_attrs: Any = None
    objective: Any = None
    optimizer: Any = None
    optimizers: Any = None
    default_max_trials: int | None = None
    can_stage_trials: bool = False
    delete_on_success: bool = False
    handle_keyboard_interrupt: bool = False
    default_flag_arg_skip: bool = False
    flag_encoder: Any = None
    pip_freeze: bool | None = None
    publish: Any = None
    sourcecode: Sourcecode | None = None
    run_attrs: dict[str, Any] = {}


class Model(Words, frozen=True, kw_only=True):
    """A model or a config. What holds operations, flags and resources is read from their nodes."""

    model: AnyString = ""
    config: AnyString = ""
    default: bool = False
    description: AnyString = ""
    extends: Any = None
    params: Any = None
    operations: Any = None
    operation_defaults: Any = None
    flags: Any = None
    resources: Any = None
    sourcecode: Any = None
    plugins: Any = None
    disable_plugins: Any = None
    python_requires: Any = None
    references: Any = None
    extra: Any = None


class Package(Words, frozen=True, kw_only=True):
    """A package: Guild makes a Python package of it."""

    package: AnyString
    description: AnyString = ""
    version: AnyString = "0.0.0"
    url: AnyString = ""
    author: AnyString = ""
    author_email: AnyString = ""
    license: AnyString = ""
    tags: Any = None
    python_tag: AnyString = ""
    data_files: Any = None
    python_requires: Any = None
    requires: Any = None
    packages: Any = None


CALLED = {
    "Flag": "a flag",
    "Choice": "a choice",
    "Source": "a source",
    "Resource": "a resource",
    "Select": "a rule on source code",
    "Sourcecode": "sourcecode",
    "Expect": "a check",
    "Step": "a step",
    "Operation": "an operation",
    "Model": "a model",
    "Package": "a package",
}
TYPES = ("auto", "string", "path", "existing-path", "int", "float", "number", "boolean")
SOURCES = ("config", "file", "module", "operation", "url")
_SEARCH = "a step's trials are drawn by chance; argosy run OPERATION --optimizer bayesian searches"
# Attributes that are read and have no effect here: what to do instead, or why there is nothing to do.
WITHOUT_EFFECT: dict[str, dict[str, str]] = {
    "Operation": {
        "compare": "argosy runs -c COLUMNS chooses columns",
        "env-secrets": "argosy secrets keeps values for steps of a manifest",
        "python-requires": "the project's interpreter runs it: argosy.toml, [python] interpreter",
        "plugins": "Guild's plugins need Guild",
        "disable-plugins": "there are none here",
        "stoppable": "Guild does not act on it either; argosy stop ends any run",
        "output-attrs": "metrics are numbers; argosy comment keeps words",
        "can-stage-trials": "trials are run, not staged",
        "delete-on-success": "argosy delete RUN removes a run",
        "handle-keyboard-interrupt": "steps get SIGTERM, not SIGINT, when a run is stopped",
        "flag-encoder": "it needs Guild's plugins",
        "publish": "argosy report RUN writes a page",
    },
    "Flag": {"distribution": "name it with the values, as in lr=loguniform[1e-4:1e-1]"},
    "Source": {"always-resolve": "each run looks its sources up anew"},
    "Step": {
        "additional-deps": "Guild drops it too; give the operation `requires`",
        "batch-label": "a step has no label of its own; label the whole",
        "batch-tags": "a step has no tags of its own; tag the whole",
        "break": "Guild drops it too; argosy shell RUN STEP opens a step's folder",
        "break-on-error": "Guild drops it too; argosy shell RUN STEP opens a step's folder",
        "force-sourcecode": "the whole pipeline has one snapshot of the code",
        "label": "a step has no label of its own; label the whole",
        "maximize": _SEARCH,
        "minimize": _SEARCH,
        "needed": "argosy run --cache takes steps whose inputs are the same from earlier runs",
        "opt-flags": _SEARCH,
        "optimize": _SEARCH,
        "optimizer": _SEARCH,
        "remote": "steps run on this machine",
    },
    "Model": {
        "disable-plugins": "there are none here",
        "plugins": "Guild's plugins need Guild",
        "python-requires": "the project's interpreter runs it: argosy.toml, [python] interpreter",
    },
}
