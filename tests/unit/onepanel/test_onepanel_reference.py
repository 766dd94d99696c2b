"""What Onepanel's templates and its server do, row by row, each with the test that holds argosy to it, or why not.

The rows are those of Onepanel's documentation and of its server's source: the file, the table of parameters, names
that mean something, what the server puts in, versions and labels. A test is named by its file (without `test_` and
`.py`) and its function (without `test_`); docs/onepanel.md has the counts.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
READER, PARAMETERS, INJECTION = "onepanel_reader", "onepanel_parameters", "onepanel_injection"
REFERENCES, SKETCH, SERVER, CLI = "onepanel_references", "onepanel_sketch", "onepanel_server_calls", "cli_onepanel"
LIBRARY, CORPUS = "cli_onepanel_library", "onepanel"

MET: list[tuple[str, str, str]] = [
    # the file
    ("a bare spec", READER, "bare"),
    ("the wrapped form: metadata with name, kind, version, action, labels", READER, "wrapped"),
    ("the server strips all but names and values of parameters", PARAMETERS, "value"),
    ("Argo's own validation follows", CLI, "mistakes_are_told_where_they_are"),
    ("steps templates cannot be where a workflow begins", READER, "error_steps_as_entrypoint"),
    ("resource templates", CORPUS, "the_sketch_is_refused_when_it_is_to_run"),
    ("script templates", INJECTION, "variables_never_replace_those_of_the_template"),
    ("sidecars", INJECTION, "sidecars_for_people_see_the_files_of_the_step"),
    ("dependencies, when, withItems of tasks", REFERENCES, "all_that_templates_refer_to_is_known"),
    ("several branches with when", CORPUS, "variants_of_when"),
    ("volumeClaimTemplates", INJECTION, "places"),
    ("the diamond of the documentation runs", CORPUS, "the_diamond_of_the_documentation"),
    ("its own templates are read, listed, converted", CORPUS, "read_listed_and_converted"),
    ("its own templates run", CORPUS, "run"),
    # 2.1: keys of a parameter
    ("name", PARAMETERS, "a_name_with_other_characters"),
    ("value: text or number", PARAMETERS, "value"),
    ("value: absent", PARAMETERS, "a_value_that_is_absent_must_be_given"),
    ("displayName, the name without it", PARAMETERS, "display_name_and_hint"),
    ("hint", PARAMETERS, "display_name_and_hint"),
    ("required", PARAMETERS, "required"),
    ("type: none is a box for text", PARAMETERS, "without_a_type_it_is_a_box_for_text"),
    ("options: names and values", PARAMETERS, "options"),
    ("options: only of select.select and input.radio", PARAMETERS, "warnings"),
    ("options: forbidden on select.nodepool", PARAMETERS, "error_options_of_a_node_pool"),
    ("visibility: public, protected, internal, private", PARAMETERS, "visibility"),
    ("visibility: visible without one", PARAMETERS, "without_a_visibility_it_is_visible"),
    ("visibility: error", PARAMETERS, "error_visibility"),
    ("visibility: private and hidden ones are not asked for", CLI, "what_is_asked_for"),
    # 2.1: widgets
    ("input.text", PARAMETERS, "widgets"),
    ("input.number", PARAMETERS, "widgets"),
    ("input.radio", PARAMETERS, "options"),
    ("input.checkbox", PARAMETERS, "widgets"),
    ("input.hidden", PARAMETERS, "widgets"),
    ("select.select", PARAMETERS, "options"),
    ("select.nodepool", PARAMETERS, "a_node_pool_is_the_default_one"),
    ("textarea.textarea", PARAMETERS, "widgets"),
    ("editor.yaml", PARAMETERS, "widgets"),
    ("nodeInfo", PARAMETERS, "widgets"),
    ("hidden, which is no widget", PARAMETERS, "widgets"),
    ("other types, with and without `input` in them", PARAMETERS, "unknown_widgets_show_what_onepanel_shows"),
    ("select.nodepool: `default` is the first pool", CLI, "node_pools"),
    ("select.nodepool: a value that is no pool", CLI, "a_node_pool_of_the_file_that_there_is_not"),
    # 2.2: names
    ("sys-node-pool", CLI, "node_pools"),
    ("what CVAT fills in is given like any other value", CLI, "run"),
    ("workflow-execution-name", CLI, "the_run_is_named_by_its_parameter"),
    ("sys- parameters of workspaces", SKETCH, "what_the_server_supplies"),
    ("sys-<volume>-volume-size", SKETCH, "a_parameter_named_after_claims_is_one_for_each"),
    ("references: workflow, tasks, inputs, item, pod", REFERENCES, "all_that_templates_refer_to_is_known"),
    ("references: workspace", REFERENCES, "what_only_a_workspace_has"),
    ("{{.DefaultNodePoolOption}}, {{.ArtifactRepositoryType}}", READER, "placeholders"),
    # 2.3: what the server puts in
    ("variables of onepanel-default-env", CLI, "default_environment"),
    ("ONEPANEL_API_URL, _FQDN, _DOMAIN, _PROVIDER, _RESOURCE_NAMESPACE, _RESOURCE_UID", CLI, "run"),
    ("variables of the template win", INJECTION, "variables_never_replace_those_of_the_template"),
    ("sys-dshm at /dev/shm, tmp at /mnt/tmp, of container templates", INJECTION, "places"),
    ("memory that a sidecar sees too", "staging_volumes", "a_volume_in_memory_that_containers_share_is_in_memory"),
    ("sys-metrics at both paths", INJECTION, "metrics_that_are_handed_on"),
    ("sys-metrics are the run's metrics", CORPUS, "run"),
    ("sys-metrics: a list of name, value, format", "file_metrics", "json_files"),
    ("tasks that hand metrics to the server", SERVER, "the_metrics_writer_prints"),
    ("artifacts with only a key are in the namespace's repository", INJECTION, "artifacts"),
    ("the default key of outputs", INJECTION, "artifacts"),
    ("archive: none", INJECTION, "artifacts"),
    ("what a node pool has", CLI, "node_pools"),
    ("sidecars for people: an address", INJECTION, "addresses_of_sidecars_for_people"),
    ("sidecars for people: sys-sidecar-url-- of their step", INJECTION, "a_step_says_where_its_sidecar_is"),
    ("sidecars for people: at least one port", INJECTION, "a_sidecar_for_people_has_a_port"),
    ("sidecars for people: they see what the step mounts", INJECTION, "sidecars_for_people_see_the_files_of_the_step"),
    ("labels with uid and version of the template", LIBRARY, "template_library"),
    ("labels of the file: tags.onepanel.io/", READER, "wrapped"),
    ("given values replace, the others stay", CLI, "run"),
    ("workflow.namespace in values", PARAMETERS, "the_namespace_is_put_in_at_once"),
    ("workflow.namespace in given values", CLI, "the_namespace_is_put_into_given_values_too"),
    # its errors
    ('"entrypoint" template should be a DAG', READER, "error_entrypoint"),
    ('"onExit" template should be a DAG', READER, "error_on_exit"),
    ("Template name must be 30 characters or less: of a file", READER, "error_name"),
    ("Template name must be 30 characters or less: of a kept template", LIBRARY, "names_of_templates"),
    ("unknown keys of a template", PARAMETERS, "a_misspelt_field_is_an_error_with_its_place"),
    ("values that are not of the type or the options", CLI, "values_that_are_refused"),
    # 2.4: versions, labels, cron
    ("uid: small letters, dashes, 30 characters", READER, "uid"),
    ("names of runs begin with the uid", READER, "names"),
    ("versions are immutable, the latest counts", LIBRARY, "template_library"),
    ("run by name and version", LIBRARY, "template_library"),
    ("clone, of a version too", LIBRARY, "template_library"),
    ("archive instead of delete", LIBRARY, "template_library"),
    ("labels: set, and lists with them", LIBRARY, "template_library"),
    ("labels: `template` and `name` search", LIBRARY, "name_and_template_are_searched_in"),
    ("run again with the same values", LIBRARY, "run_again_has_the_old_values"),
    ("cron manifests: read", READER, "cron"),
    ("cron manifests: what the form asks for", READER, "cron_asks_for_all_fields"),
    ("cron manifests: kept with their parameters", LIBRARY, "a_cron_workflow_is_kept"),
    ("workspace templates are refused by name", READER, "error_workspace"),
]  # fmt: skip
NOT_MET = {
    "`{{.Name}}` of other names": "they are errors: nobody knows what the server put in",
    "volume `out`": "nothing mounts it: Onepanel's executor used it",
    "hostPort 80, one pod on a node": "there is one machine; steps run side by side as far as there is room",
    "`sys-filesyncer`": "files are folders here",
    "status call, exit handler of the server, its statistics": "the record has what they told",
    "podGC, volumeClaimGC": "there are no pods; volumes of a run go with the run",
    "an address of its own for each sidecar": "steps have the ports of this machine; two at one port are warned about",
    "`/mnt/tmp` and a `/dev/shm` of its own with plain processes": "they have the machine's own folders",
    "versions numbered by the time": "they are 1, 2, 3",
    "starting cron workflows": "they are kept, and run by hand",
    "pause, resume, retry of workspaces": "workspaces are refused",
    "the REST API, with presigned URLs and watch streams": "`argosy ... -o json` tells the same",
}


@cache
def _functions(file: str) -> set[str]:
    paths = [*TESTS.rglob(f"test_{file}.py")]
    assert len(paths) == 1, f"{file}: {paths}"
    return {one.name for one in ast.parse(paths[0].read_text()).body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize(("words", "file", "function"), MET, ids=[one[0] for one in MET])
def test_a_row_has_its_test(words: str, file: str, function: str) -> None:
    names = _functions(file)
    assert f"test_{function}" in names if function else names


def test_the_page_has_the_counts() -> None:
    page = (TESTS.parent / "docs" / "onepanel.md").read_text()
    assert len({words for words, _, _ in MET}) == len(MET)
    assert f"{len(MET)} rows" in page
    assert f"{len(NOT_MET)} are not met" in page
    for words, why in NOT_MET.items():
        assert f"\n- {words}: {why}" in page
