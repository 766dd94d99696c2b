"""Guild's words to ours: one operation of a guild.yml as a Workflow, and what it takes.

With `flags`, `requirements` and `steps`, the files that know both; nothing here runs anything.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from argosy.dialects.guild.flags import OperationFlags, flags_of, parameter_name
from argosy.dialects.guild.operations import Found
from argosy.dialects.guild.python_flags import is_notebook
from argosy.dialects.guild.references import references, with_tags
from argosy.dialects.guild.requirements import Required, required_of
from argosy.dialects.guild.schema import Expect, Operation, Sourcecode
from argosy.dialects.guild.scripts import source_of
from argosy.dialects.guild.searches import search_of
from argosy.dialects.guild.surroundings import Surroundings
from argosy.dialects.guild.trees import Findings
from argosy.errors import ExpressionError
from argosy.expressions.regexes import compiled
from argosy.model.host_templates import CODE_DEST, CODE_RULES, HOST, NO_CODE, CodeRule, CodeRules
from argosy.model.inputs import Input, Signature
from argosy.model.manifest import (
    Arguments,
    Artifact,
    Inputs,
    Metadata,
    ObjectMeta,
    Outputs,
    Parameter,
    ScriptTemplate,
    Template,
    Workflow,
    WorkflowSpec,
)
from argosy.model.metric_rules import METRICS, MetricPattern, MetricRules, annotation_of
from argosy.model.run_notes import LABEL, TAGS

WORKFLOW = "argosy.dev/workflow"
# On a workflow: the operations whose files its run has, separated by commas.
OPERATIONS = "argosy.dev/operations"
ATTRIBUTE = "argosy.dev/attribute-"
API_VERSION = "argoproj.io/v1alpha1"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9]+")
_METRIC_ALIASES = (("\\key", "k"), ("\\value", "1"), ("\\step", "1"))
_LONGEST_NAME = 40


class Lowered(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as a workflow, and what it takes."""

    workflow: Workflow
    signature: Signature


def template_name(name: str) -> str:
    """A name that Argo takes for a template or a step."""
    return _NOT_IN_NAMES.sub("-", name).strip("-")[:_LONGEST_NAME].strip("-") or "operation"


class Lowering:
    """One reading of a file: its operations by name, and where their findings go.

    given: the names of values that a person gives, for those that are no flags of the operation itself. parallel:
    steps may run at the same time, whatever the file says.
    """

    def __init__(
        self,
        operations: Mapping[str, Found],
        surroundings: Surroundings,
        findings: Findings,
        given: tuple[str, ...] = (),
        parallel: bool = False,
    ) -> None:
        self.operations = operations
        self.surroundings = surroundings
        self.findings = findings
        self.given = given
        self.parallel = parallel
        self._flags: dict[str, OperationFlags] = {}

    def workflow(self, found: Found) -> Lowered | None:
        """The operation as a workflow; None behind an error."""
        operation = found.operation
        if operation is None or not self.has_work(found):
            return None
        flags = self.flags(found)
        if operation.steps is not None:
            from argosy.dialects.guild.steps import pipeline

            return pipeline(self, found, flags)
        required = required_of(found, flags, self.surroundings, self.findings)
        own = tuple(Parameter(name=one.name, value=f"{{{{workflow.parameters.{one.name}}}}}") for one in flags.inputs)
        leaf = self.leaf(found, template_name(found.whole_name), flags, required, own, required.artifacts)
        return self.finished(found, flags.inputs + required.choices, (leaf,), [found])

    def has_work(self, found: Found) -> bool:
        """Whether it says one thing to run that can be run here."""
        operation = found.operation
        assert operation is not None
        kinds = [name for name, value in _work_of(operation) if value]
        if len(kinds) > 1:
            span = found.places.span((kinds[1],))
            message = f"the operation {found.whole_name} has {' and '.join(kinds)}"
            self.findings.at("guild-operation", message, span, hint="leave one of them")
            return False
        return True

    def flags(self, found: Found) -> OperationFlags:
        """The flags of an operation."""
        if found.whole_name not in self._flags:
            words = self.main_words(found)
            self._flags[found.whole_name] = flags_of(found, words, self.surroundings, self.findings)
        return self._flags[found.whole_name]

    def main_words(self, found: Found) -> list[str]:
        """The module of an operation and its arguments; the operation's name where it says nothing."""
        operation = found.operation
        assert operation is not None
        if operation.exec_ or operation.steps is not None:
            return []
        if operation.notebook:
            return self._split(operation.notebook, found, "notebook")
        return self._split(operation.main, found, "main") or [found.name]

    def _split(self, text: str, found: Found, key: str) -> list[str]:
        try:
            return shlex.split(text)
        except ValueError as problem:
            message = f"`{key}` cannot be split into words: {str(problem).lower()}"
            self.findings.at("guild-command", message, found.places.span((key,)), hint="close every quote")
            return []

    # -- a template

    def leaf(
        self,
        found: Found,
        name: str,
        flags: OperationFlags,
        required: Required,
        parameters: tuple[Parameter, ...],
        artifacts: tuple[Artifact, ...],
        *,
        expect: tuple[Expect, ...] = (),
        env: Mapping[str, str] | None = None,
        seconds: int | None = None,
    ) -> Template:
        """The template that runs an operation in a copy of the code."""
        operation = found.operation
        assert operation is not None
        spec = self._spec(found, flags, required)
        if env:
            spec["env"] = {**spec.get("env", {}), **env}
        if expect:
            spec["expect"] = [_check(one) for one in expect]
        self._check_references(found, flags)
        output = Artifact(name=parameter_name(found.whole_name), path=".")
        return Template(
            name=name,
            metadata=Metadata(annotations=self._annotations(found)),
            inputs=Inputs(parameters=parameters, artifacts=artifacts) if parameters or artifacts else None,
            outputs=Outputs(artifacts=(output,)),
            script=ScriptTemplate(command=("python", "-u"), source=source_of(spec)),
            active_deadline_seconds=seconds,
        )

    def _spec(self, found: Found, flags: OperationFlags, required: Required) -> dict[str, Any]:
        operation = found.operation
        assert operation is not None
        words = self._split(operation.exec_, found, "exec") if operation.exec_ else self.main_words(found)
        words = ["__flag_args__" if one in ("${flag_args}", "${flags}") else one for one in words]
        spec: dict[str, Any] = {
            "operation": found.whole_name,
            "kind": "exec" if operation.exec_ else "notebook" if is_notebook(words) else "main",
            "words": words,
            "dest": flags.dest,
            "flags": flags.spec,
            "run": "@@run@@",
            "project": self.surroundings.folder or ".",
        }
        more: dict[str, Any] = {
            "env": dict(operation.env),
            "python_path": self._python_path(operation),
            "sources": list(required.sources),
            "code_dest": operation.sourcecode.dest if operation.sourcecode else "",
        }
        return spec | {key: value for key, value in more.items() if value}

    def _python_path(self, operation: Operation) -> list[str]:
        """Where modules are looked for besides the code; an operation without code has the project's folder."""
        code = operation.sourcecode
        without = [self.surroundings.folder] if code is not None and code.disabled and self.surroundings.folder else []
        return [*operation.python_path, *without]

    def _check_references(self, found: Found, flags: OperationFlags) -> None:
        """Every ${name} in what is run names a flag."""
        operation = found.operation
        assert operation is not None
        texts = [("main", operation.main), ("exec", operation.exec_), ("label", operation.label)]
        for key, text in texts:
            for one in references(text):
                if one in flags.names or one in ("flag_args", "flags"):
                    continue
                from argosy.syntax.diagnostics import did_you_mean

                near = did_you_mean(one, flags.names)
                hint = f"did you mean `${{{near}}}`?" if near else f"it has {', '.join(flags.names) or 'no flags'}"
                message = f"`{key}` contains the invalid reference `${{{one}}}`: there is no such flag"
                severity = "warning" if key == "label" else "error"
                self.findings.at("guild-reference", message, found.places.span((key,)), severity=severity, hint=hint)

    def _annotations(self, found: Found) -> dict[str, str]:
        operation = found.operation
        assert operation is not None
        annotations = {HOST: "true"}
        code = operation.sourcecode
        if code is not None and code.disabled:
            annotations[CODE_DEST] = NO_CODE
        elif code is not None and code.dest:
            annotations[CODE_DEST] = code.dest
        if operation.output_scalars is not msgspec.UNSET and operation.output_scalars is not None:
            rules = self._metrics(found, operation.output_scalars)
            if rules is not None:
                annotations[METRICS] = annotation_of(rules)
        return annotations

    def _metrics(self, found: Found, given: Any) -> MetricRules | None:
        if given is True:
            return None
        patterns: list[MetricPattern] = []
        for one in cast("list[Any]", given if isinstance(given, list) else [given] if given else []):
            if isinstance(one, dict):
                named = cast("dict[str, Any]", one)
                for name, value in sorted(named.items()):
                    several = cast("list[Any]", value) if isinstance(value, list) else [value]
                    patterns += [MetricPattern(name=name, pattern=str(text)) for text in several]
            else:
                patterns.append(MetricPattern(pattern=str(one)))
        return MetricRules(patterns=tuple(one for one in patterns if self._is_pattern(found, one)))

    def _is_pattern(self, found: Found, one: MetricPattern) -> bool:
        text = one.pattern
        for alias, sample in _METRIC_ALIASES:
            text = text.replace(alias, sample)
        try:
            compiled(text)
        except ExpressionError as problem:
            span = found.places.span(("output-scalars",))
            self.findings.at("guild-scalars", f"{one.pattern!r} is no pattern: {problem.message}", span)
            return False
        return True

    # -- the whole

    def finished(
        self,
        found: Found,
        inputs: tuple[Input, ...],
        templates: tuple[Template, ...],
        used: list[Found],
        tags: tuple[str, ...] = (),
    ) -> Lowered:
        """The workflow of an operation whose templates are made. The first template is where it begins.

        tags: of its steps.
        """
        operation = found.operation
        assert operation is not None
        names = dict.fromkeys(one.whole_name for one in (*used, found))
        annotations = {WORKFLOW: found.whole_name, OPERATIONS: ",".join(names)}
        if operation.label:
            flags = self.flags(found)
            annotations[LABEL] = with_tags(operation.label, flags, "workflow.parameters")
        if all_tags := dict.fromkeys((*operation.tags, *tags)):
            annotations[TAGS] = ",".join(all_tags)
        for name, value in operation.run_attrs.items():
            annotations[ATTRIBUTE + name] = str(value)
        rules = self._code_rules(found, used)
        if rules != CodeRules():
            annotations[CODE_RULES] = msgspec.json.encode(rules).decode()
        arguments = Arguments(parameters=tuple(Parameter(name=one.name, value=one.default) for one in inputs))
        workflow = Workflow(
            api_version=API_VERSION,
            kind="Workflow",
            metadata=ObjectMeta(generate_name=f"{template_name(found.whole_name).lower()}-", annotations=annotations),
            spec=WorkflowSpec(
                entrypoint=templates[0].name, arguments=arguments if inputs else None, templates=templates
            ),
        )
        return Lowered(workflow=workflow, signature=Signature(inputs=inputs, search=search_of(found, self.findings)))

    def _code_rules(self, found: Found, used: list[Found]) -> CodeRules:
        """The rules on code: those of the operations that run, which have one snapshot."""
        given: list[Sourcecode] = []
        for one in used:
            code = one.operation.sourcecode if one.operation is not None else None
            if code is not None and not code.disabled and code not in given:
                given.append(code)
        if len(given) > 1 and len({(one.select, one.root) for one in given}) > 1:
            message = (
                "its steps have rules on source code of their own; here a run has one snapshot, made by the default"
            )
            self.findings.at("guild-sourcecode", message, found.places.key_span(()), severity="warning")
            return CodeRules(root=self.surroundings.root)
        if not given:
            return CodeRules(root=self.surroundings.root)
        code = given[0]
        root = posixpath.normpath(posixpath.join(self.surroundings.root, code.root)) if code.root else ""
        root = root if root != "." else ""
        if root.startswith(".."):
            message = f"the root {code.root!r} of sourcecode is outside of the project; its folder is taken"
            span = found.places.span(("sourcecode", "root"))
            hint = "put an argosy.toml into the folder that holds all of it"
            self.findings.at("guild-sourcecode", message, span, severity="warning", hint=hint)
            root = ""
        rules = tuple(
            CodeRule(include=bool(one.include), pattern=one.include or one.exclude, kind=one.kind)
            for one in code.select
            if one.include or one.exclude
        )
        return CodeRules(rules=rules, root=root or self.surroundings.root)


def _work_of(operation: Operation) -> tuple[tuple[str, object], ...]:
    return (
        ("main", operation.main),
        ("exec", operation.exec_),
        ("notebook", operation.notebook),
        ("steps", operation.steps is not None),
    )


def _check(expect: Expect) -> dict[str, str]:
    told = {"output": expect.output, "file": expect.file, "contains": expect.contains, "compare_to": expect.compare_to}
    return {key: value for key, value in told.items() if value}
