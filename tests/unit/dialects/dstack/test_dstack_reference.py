"""What dstack's files, engine and commands did, line by line, each with the test that holds argosy to it or why not.

A test is named by its file (without `test_` and `.py`) and its function (without `test_`); docs/dstack.md has the
counts. The bugs that nobody is to meet again are counted apart.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[3]
ERAS, FILES, WORDS, KEYS = "dstack_eras", "dstack_files", "dstack_words", "dstack_keys"
MISTAKES, LINE = "dstack_mistakes", "dstack_command_line"
CLI, HABITS, PORTS, ENVIRONMENTS = "cli_dstack", "cli_dstack_habits", "cli_dstack_ports", "cli_dstack_environments"

Row = tuple[str, str, str]

MET: list[Row] = [
    # the dialects
    ("A0: image and commands without a provider", ERAS, "a0_has_images_templates_and_dollars"),
    ("A0: triggers", ERAS, "a0_has_images_templates_and_dollars"),
    ("A0: the wrapper template", ERAS, "a0_has_images_templates_and_dollars"),
    ("A0: $var in artifacts and commands", ERAS, "a0_has_images_templates_and_dollars"),
    ("A0: $run_name, $job_name, $variables_as_args", ERAS, "a0_has_names_of_its_own"),
    ("A0: params, and those of a dependency", KEYS, "values_are_passed_on_to_what_runs_first"),
    ("A0: configs.yaml", WORDS, "variables_of_january_2022"),
    ("A1: python_script, python, environment as a map, gpu above", ERAS, "a1_has_scripts_versions_and_maps"),
    ("A2: script, file, version, args, before_run, working_dir, torchrun", ERAS, "a2_has_arguments_and_torchrun"),
    ("B1: deps as strings", ERAS, "b1_takes_what_ran_before"),
    ("B2: deps and artifacts as objects, env as a list", ERAS, "b2_has_objects_and_lists"),
    ("B3: setup, commands as a string", ERAS, "b3_has_setup_and_texts_for_commands"),
    ("the dialect is told from the file", ERAS, "the_dialect_is_told_from_the_file"),
    ("python and torchrun hidden behind an underscore", KEYS, "programs_by_each_dialects_word"),
    # the file
    ("workflows is a list; other keys above are errors", WORDS, "files_that_are_none"),
    ("name is required", MISTAKES, "a_workflow_of_a_file_that_cannot_be_read"),
    ("provider is required", WORDS, "mistakes_are_told_at_their_place"),
    ("keys that a provider does not have are errors", MISTAKES, "a_misspelt_key_is_told_once"),
    ("help", KEYS, "help_is_on_the_manifest"),
    ("provider: NAME@BRANCH", WORDS, "spellings_of_the_python_provider"),
    ("provider: {repo, name}", WORDS, "a_provider_of_this_very_repository_is_ones_own"),
    (".dstack/workflows/*.y*ml", FILES, "the_order_of_files"),
    ("of a name that stands twice the first counts", ERAS, "b2_has_a_folder_of_files_whose_first_name_wins"),
    ("the nearest .dstack upwards", FILES, "the_nearest_folder_upwards_is_meant"),
    # providers
    ("python: file or script, args", KEYS, "programs_by_each_dialects_word"),
    ("args: a string is words of a shell", ERAS, "a2_has_arguments_and_torchrun"),
    ("torchrun: a process for each GPU", WORDS, "providers"),
    ("torchrun: nodes", WORDS, "more_nodes_need_a_cluster"),
    ("bash: commands", CLI, "commands_share_a_shell_and_stop_at_the_first_that_fails"),
    ("docker: image, commands", ERAS, "b3_has_setup_and_texts_for_commands"),
    ("docker: without commands the image's own program", WORDS, "an_image_without_commands_runs_its_own_program"),
    ("docker: entrypoint", WORDS, "an_entrypoint_is_the_shell_of_the_commands"),
    ("code", PORTS, "an_editor_is_the_one_on_the_path"),
    ("code: version is the editor's", KEYS, "the_version_of_an_editor_is_none_of_python"),
    ("lab, notebook", CLI, "an_app_tells_its_address_and_stops_with_the_run"),
    ("gradio: file, args", CLI, "the_address_of_an_app_is_said_when_it_begins"),
    ("streamlit: target", CLI, "an_app_without_its_program_says_what_to_install"),
    ("fastapi: app, uvicorn", WORDS, "providers"),
    ("tensorboard: runs, logdir", WORDS, "tensorboard_shows_runs_by_name"),
    ("curl: url, output", CLI, "curl_leaves_what_it_fetched"),
    ("what a provider needs is required", KEYS, "what_a_provider_needs_is_asked_for"),
    ("every provider takes the common keys", KEYS, "every_provider_takes_the_common_keys"),
    ("providers.yaml: name, image, commands", WORDS, "custom_providers"),
    # common keys
    ("before_run", ERAS, "a2_has_arguments_and_torchrun"),
    ("requirements", CLI, "requirements_make_an_environment_once"),
    ("python and version, as a string or number", WORDS, "versions_of_python"),
    ("3.10 is not 3.1", WORDS, "versions_of_python"),
    ("the image of a version of Python", ENVIRONMENTS, "a_version_of_python_is_the_image_of_a_container"),
    ("without one, the client's Python", KEYS, "without_a_version_it_is_the_projects_python"),
    ("working_dir; artifacts stay where they are", HABITS,
     "artifacts_stay_relative_to_the_code_in_another_working_folder"),
    ("environment: a map", ERAS, "a1_has_scripts_versions_and_maps"),
    ("env: NAME=VALUE, and NAME for an empty one", ERAS, "b2_has_objects_and_lists"),
    ("names of variables: upper case, _ for all but letters and digits", WORDS,
     "names_of_variables_of_the_environment"),
    ("artifacts: strings", WORDS, "forms_of_artifacts"),
    ("artifacts: {path, mount}", WORDS, "forms_of_artifacts"),
    ("artifacts: folders are there beforehand", WORDS, "folders_of_artifacts_are_there_beforehand"),
    ("artifacts: absolute paths", CLI, "absolute_paths_come_back_where_they_were"),
    ("artifacts: absolute paths behind a tag", WORDS, "a_bare_tag_may_hold_absolute_paths_of_any_workflow"),
    ("artifacts: mount: true is saved as it is written", HABITS, "what_is_saved_as_it_is_written_outlives_an_abort"),
    ("resources.cpu, memory", WORDS, "resources_that_are_none"),
    ("GB is 1000^3, GiB 1024^3", WORDS, "amounts_of_memory"),
    ("resources.gpu: a number or {count, name, memory}", WORDS, "forms_of_gpus"),
    ("resources.shm_size", ERAS, "b3_has_setup_and_texts_for_commands"),
    ("resources.interruptible: there is no spot here", WORDS, "what_has_no_effect_is_told"),
    ("resources.local, remote", KEYS, "where_it_runs_is_no_question"),
    ("ports: a number of them", HABITS, "variables_that_dstacks_runner_set"),
    ("commands: a list or a string", ERAS, "signs_of_a_dialect"),
    ("commands in one shell, joined by &&", CLI, "commands_share_a_shell_and_stop_at_the_first_that_fails"),
    ("commands that cannot be read: none is run", HABITS, "nothing_runs_of_commands_that_cannot_be_read"),
    ("cache, ssh, triggers", WORDS, "what_has_no_effect_is_told"),
    # dependencies
    ("depends-on: NAME runs first, each time", CLI, "the_example_runs_what_train_depends_on"),
    ("depends-on: outputs are passed along a chain", WORDS, "a_workflow_runs_first_what_it_depends_on"),
    ("depends-on: NAME:TAG", CLI, "tags_of_runs_are_what_others_take"),
    ("depends-on: NAME:TAG where a run has the tag", HABITS, "a_tag_of_a_run_is_one_of_every_workflow_in_it"),
    ("depends-on: `- NAME: TAG`, which YAML takes for a map", WORDS, "forms_of_dependencies"),
    ("deps: WORKFLOW is its latest run that succeeded", CLI, "an_artifact_that_was_laid_over_the_code"),
    ("deps: a run of W within another run", HABITS, "what_ran_first_counts_though_the_rest_failed"),
    ("deps: nothing is run first", ERAS, "b1_takes_what_ran_before"),
    ("deps: looked up once, when the run is made", HABITS, "what_a_run_takes_is_settled_when_it_is_made"),
    ("deps: :TAG, {tag}, {workflow}, mount", WORDS, "forms_of_dependencies"),
    ("deps: user/repo/x of this repository", WORDS, "forms_of_dependencies"),
    ("deps: user/repo/x of another", HABITS, "what_another_repository_left_is_brought_under_its_name"),
    ("all artifacts come at the same paths", WORDS, "outputs_come_at_the_paths_where_they_were_left"),
    # variables
    ("variables.yaml: of workflows and global", WORDS, "a_variable_of_the_workflow_goes_before_a_global_one"),
    ("variables are in the environment", WORDS, "variables_are_in_the_environment"),
    ("${{ name }} in every text", WORDS, "names_in_texts_are_replaced_once_and_nothing_else_is"),
    ("--name value for what is declared", CLI, "every_spelling_of_a_value_counts_at_once"),
    ("${{ run.name }}, ${{ run.args }}", CLI, "b_takes_all_other_words_as_arguments"),
    # a run
    ("names such as brave-otter-1", CLI, "a_run_has_a_name_as_dstack_made_them"),
    ("a restarted run has a name of its own", HABITS, "a_run_that_is_restarted_has_a_name_of_its_own"),
    ("PYTHONUNBUFFERED, JOB_ID, RUN_NAME, JOB_HOSTNAME, HOSTNAME", HABITS, "variables_that_dstacks_runner_set"),
    ("PORT_n, JOB_PORT_n", HABITS, "variables_that_dstacks_runner_set"),
    ("MASTER_ID, MASTER_JOB_ID, ..._HOSTNAME, ..._PORT_n", HABITS, "variables_by_which_torchruns_processes_meet"),
    ("secrets win over env", CLI, "secrets_win_over_env_and_stay_out_of_logs"),
    ("artifacts are saved at the end, also of a run that was stopped", CLI, "a_run_that_was_stopped_keeps_its_outputs"),
    ("artifacts are not saved of a run that was aborted", CLI, "a_run_that_was_aborted_keeps_nothing"),
    ("stopped and aborted are told from failed", HABITS, "a_run_that_a_person_ended_is_told_from_one_that_failed"),
    ("no capacity", CLI, "a_gpu_that_is_not_here_is_told_before_anything_runs"),
    ("the code as it is: HEAD and what has changed", CLI, "code_is_a_copy_without_git"),
    ("apps: their address is shown", CLI, "the_address_of_an_app_is_said_when_it_begins"),
    ("apps: ports of one's own come first", PORTS, "ports_of_ones_own_are_not_the_apps"),
    ("apps of containers are reached", PORTS, "a_container_is_reached_by_its_ports"),
    ("conda activate", HABITS, "conda_activate_works_without_a_bashrc"),
    ("an image's ~/.bashrc", HABITS, "the_bashrc_of_an_image_is_read"),
    # commands
    ("run W --name value", CLI, "every_spelling_of_a_value_counts_at_once"),
    ("run without a name lists what there is", CLI, "what_there_is_and_what_it_takes"),
    ("run -d", CLI, "an_app_tells_its_address_and_stops_with_the_run"),
    ("run -t TAG, which moves one that exists", HABITS, "a_tag_that_exists_is_moved"),
    ("run PROVIDER without a workflow", HABITS, "a_provider_runs_without_a_workflow"),
    ("run bash -c, docker IMAGE, python FILE ARGS", LINE, "a_provider_without_a_workflow"),
    ("run -r -e -a --dep -w -i --cpu --memory --gpu... --shm-size", LINE, "words_are_keys_of_the_workflow"),
    ("those words change what a workflow says", HABITS, "words_change_what_a_workflow_says"),
    ("words that nobody knows are run.args", CLI, "b_takes_all_other_words_as_arguments"),
    ("ls of a run or tag", HABITS, "tags_are_written_with_a_colon_too"),
    ("ps [-a | RUN], runs", HABITS, "runs_are_listed_with_their_variables"),
    ("logs -f, -a", HABITS, "logs_are_followed_to_the_end"),
    ("stop --abort, -x", HABITS, "a_run_that_a_person_ended_is_told_from_one_that_failed"),
    ("stop -a, -y", HABITS, "stop_all_ends_every_run_that_is_not_over"),
    ("restart", CLI, "verbs_that_dstack_had"),
    ("artifacts list, download, upload", CLI, "verbs_that_dstack_had"),
    ("artifacts of :TAG", HABITS, "tags_are_written_with_a_colon_too"),
    ("tags list, add, delete", HABITS, "tags_are_written_with_a_colon_too"),
    ("tags add TAG -a PATH", HABITS, "a_tag_of_local_folders_brings_them_to_their_paths"),
    ("secrets add, update, list, delete", HABITS, "secrets_are_updated_and_deleted_as_they_were_added"),
    # errors
    ("No workflow or provider X is found", CLI, "unknown_names_are_errors_with_a_suggestion"),
    ("Cannot find the tag", CLI, "tags_of_runs_are_what_others_take"),
    ("Cannot find any successful workflow", CLI, "an_artifact_that_was_laid_over_the_code"),
    ("Invalid dep format", WORDS, "a_dependency_that_is_none_is_an_error"),
    ("There is a syntax error in one of the files", MISTAKES, "a_file_beside_it_that_is_no_yaml_is_an_error"),
    ("resources.cpu should be an integer", WORDS, "resources_that_are_none"),
    # asked for besides
    ("--reuse", CLI, "reuse_takes_the_latest_finished_run"),
    ("a circle is an error", WORDS, "a_circle_is_an_error"),
    ("convert", HABITS, "the_manifest_runs_as_the_workflow_does"),
]  # fmt: skip

# What dstack did and nobody wanted.
BUGS: list[Row] = [
    ("of --epochs 5 --lr 2 --seed 3 every second one was lost", CLI, "every_spelling_of_a_value_counts_at_once"),
    ("--k=v was not recognised", CLI, "every_spelling_of_a_value_counts_at_once"),
    ("args in a list were joined with commas", WORDS, "arguments_in_a_list_stay_words"),
    ("torchrun without resources: AttributeError", WORDS, "torchrun_without_resources"),
    ("gpu.name and gpu.memory were accepted and dropped", WORDS, "names_and_memory_of_gpus_are_told_of"),
    ("NAME/gpu: N was coded, and the schema forbade it", WORDS, "forms_of_gpus"),
    ("an undefined name was an empty text", WORDS, "an_undefined_name_is_an_error_at_its_place_with_a_suggestion"),
    ("secrets.X: UndefinedError", WORDS, "secrets_are_no_names_in_texts"),
    ("{% %} and {# #} in commands were Jinja's", CLI, "text_of_other_languages_is_left_alone"),
    ("16, 1TB and 1.5GB raised", WORDS, "amounts_of_memory"),
    ("an unknown unit of memory was a raw exception", WORDS, "resources_that_are_none"),
    ("a client on Python 3.11 refused every workflow without python", KEYS,
     "without_a_version_it_is_the_projects_python"),
    ("values of env were exported without quotes", CLI, "values_reach_the_environment_unchanged"),
    ("which of two workflows of a name won depended on the disk", FILES, "the_order_of_files"),
    ("untracked files were left out", CLI, "code_is_a_copy_without_git"),
    ("no upstream branch: an exit", CLI, "code_is_a_copy_without_git"),
    ("older examples of its makers did not load", ERAS, "the_dialect_is_told_from_the_file"),
    ("a tag written with a blank was a map", WORDS, "forms_of_dependencies"),
    ("upstream ran again each time, whether one wanted it or not", CLI, "reuse_takes_the_latest_finished_run"),
    ("the documentation said remote, the schema local", KEYS, "where_it_runs_is_no_question"),
    ("a tag that there is not: no word on those there are", CLI, "tags_of_runs_are_what_others_take"),
]  # fmt: skip

NOT_MET = {
    "`stop` and others ask before they act": "nothing is asked without need; `-y` is taken",
    "`logs -s TIME`": "logs are files of the steps' own and have no times; `--tail` and `--grep` are there",
    "`restart -c`": "a restarted run is a new one, with nothing of the old to clear",
    "`-p` and `-l` of `run`": "they are a parameter and a label here: `--ports`, and `--local`, which is always so",
    "the states downloading, uploading, stopping, aborting": "a run is Pending, Running or over",
    "`WS_LOGS_PORT`": "nothing listens there: logs are files",
    "the folder `/workflow`": "a copy of the code is the working folder; in a container it is `/argosy/code`",
    "addresses rewritten in logs": "they are of this machine already",
    "providers of other repositories, and branches of providers": "never fetched; each is named",
    "runs of other repositories by themselves": "their files are brought here under a tag of that name",
    "more than one node": "a cluster is needed; each is named",
    "names and memory of GPUs": "they are counted only; lint says so",
    "spot machines": "this machine is not taken away; lint says so",
    "a person's `~/.bashrc`": "none of a run's business; `source ~/.bashrc` reads it",
    "the object layout of a bucket": "the store is argosy's own",
    "`init`, `config`, `runners`, `on-demand`, `aws`, `app`, `login`, `hub`": "there is no account",
}  # fmt: skip


@cache
def _functions(file: str) -> set[str]:
    path = next(TESTS.rglob(f"test_{file}.py"))
    return {one.name for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize(("words", "file", "function"), MET + BUGS, ids=[one[0] for one in MET + BUGS])
def test_a_behaviour_has_its_test(words: str, file: str, function: str) -> None:
    assert f"test_{function}" in _functions(file)


def test_the_page_has_the_counts() -> None:
    page = (TESTS.parent / "docs" / "dstack.md").read_text()
    assert len({words for words, _, _ in MET + BUGS}) == len(MET) + len(BUGS)
    assert f"{len(MET)} behaviours of dstack" in page
    assert f"{len(BUGS)} of its bugs" in page
    assert f"{len(NOT_MET)} are not met" in page
    for words, why in NOT_MET.items():
        assert f"\n- {words}: {why}" in page
