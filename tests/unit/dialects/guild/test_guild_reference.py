"""The behaviours of Guild 0.9.0 that people build on, each with the test that holds argosy to it, or why there is none.

A test is named by its file (without `test_` and `.py`) and its function (without `test_`); docs/guild.md has the count.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[3]
SHAPE, FLAGS, LOWERING, STEPS = "guild_shape", "guild_flags", "guild_lowering", "guild_steps"
PROGRAM, SEARCHES, CLI, IMPORT = "guild_program", "guild_searches", "cli_guild", "cli_guild_import"
NOTEBOOKS = "cli_guild_notebooks"

# What people find, and where it is tested.
MET: list[tuple[str, str, str]] = [
    # the file
    ("a mapping is the operations of a model without a name", SHAPE,
     "a_mapping_is_operations_of_a_model_without_a_name"),
    ("an item is exactly one of model, config, package, include", SHAPE, "what_is_no_item_is_an_error"),
    ("a list has models, configs, packages, includes", SHAPE, "a_list_has_models_configs_packages_and_includes"),
    ("an item with operations alone is the model without a name", SHAPE,
     "an_item_with_operations_alone_is_the_model_without_a_name"),
    ("an operation that is a string is its main", SHAPE,
     "an_operation_without_anything_to_run_is_the_module_of_its_name"),
    ("{{ param }} is put in when the file is read, ${flag} when it runs", SHAPE,
     "params_are_resolved_in_one_another_and_keep_their_types"),
    ("extends inherits nine attributes and no others", SHAPE, "extends_takes_what_may_be_inherited_and_nothing_else"),
    ("extends: several parents", SHAPE, "a_list_of_parents_is_gone_through_in_order"),
    ("extends: a cycle is an error", SHAPE, "parents_that_cannot_be"),
    ("params: resolved in one another, unknown ones left", SHAPE,
     "params_are_resolved_in_one_another_and_keep_their_types"),
    ("operations: $include", SHAPE, "operations_are_included_from_a_config"),
    ("flags: $include CONFIG[#ATTRS], MODEL:OP[#ATTRS]", SHAPE, "flags_are_included_from_configs_and_operations"),
    ("include: local files", SHAPE, "files_are_included_once"),
    ("sourcecode of a model is its operations'", LOWERING, "the_model_has_source_code_for_its_operations"),
    ("resources of a model by name", LOWERING, "resources_by_name_and_in_place"),
    ("YAML as Guild's reader has it", SHAPE, "yaml_is_read_as_guild_reads_it"),
    ("a key twice: the last counts", SHAPE, "of_a_key_that_stands_twice_the_last_counts"),
    # operations
    ("main: module and arguments with ${flag}", LOWERING, "words_of_main_and_exec"),
    ("main: the operation's name by default", SHAPE, "an_operation_without_anything_to_run_is_the_module_of_its_name"),
    ("exec: split into words, no shell", PROGRAM, "commands"),
    ("notebook", NOTEBOOKS, "a_notebook_runs_with_its_flags"),
    ("steps that are no list are an error", SHAPE, "errors_of_an_operation_have_places"),
    ("default operation", CLI, "the_default_operation"),
    ("label is a template", LOWERING, "label_tags_and_attributes_are_on_the_run"),
    ("flags: a scalar is a default", FLAGS, "a_flag_may_be_its_default"),
    ("flags: a list as default is a batch", CLI, "a_list_as_default_is_a_batch"),
    ("flags-import: all, names, none", FLAGS, "which_flags_are_imported"),
    ("flags-import-skip", FLAGS, "which_flags_are_imported"),
    ("flags-import from argparse without running main", FLAGS, "an_interpreter_tells_flags_without_running_main"),
    ("flags-import from click", FLAGS, "click_is_read_from_the_text"),
    ("flags-import from globals", FLAGS, "globals_are_imported_without_running_anything"),
    ("flags-dest: args", PROGRAM, "a_module_gets_arguments"),
    ("flags-dest: globals, global:, dict:, namespace:", PROGRAM, "flags_go_where_the_operation_says"),
    ("flags-dest: config:", PROGRAM, "flags_into_a_config_are_no_arguments"),
    ("flags-dest is detected", FLAGS, "where_flags_go_decides_where_they_come_from"),
    ("env with ${flag}", PROGRAM, "the_environment_is_guilds"),
    ("python-path", PROGRAM, "python_path_comes_before_the_code"),
    ("tags", LOWERING, "label_tags_and_attributes_are_on_the_run"),
    ("run-attrs", LOWERING, "label_tags_and_attributes_are_on_the_run"),
    ("output-scalars with \\key, \\value, \\step", LOWERING, "output_scalars_are_patterns"),
    ("objective", SEARCHES, "searches"),
    ("optimizer and optimizers; both are an error", SEARCHES, "what_is_said_of_optimizers"),
    ("default-max-trials, 20 without", CLI, "a_search_as_the_operation_says"),
    ("default-flag-arg-skip", FLAGS, "the_program_is_told_only_what_is_not_as_usual"),
    ("sourcecode of an operation overrides the model's", LOWERING, "the_model_has_source_code_for_its_operations"),
    ("unknown attributes are named, not ignored", SHAPE, "unknown_attributes_are_warnings_with_what_was_meant"),
    ("attributes without effect are named", SHAPE, "attributes_without_effect_are_named"),
    # flags
    ("types; an unknown one is a warning", FLAGS, "types_are_checked"),
    ("required", FLAGS, "required_flags_have_no_value_of_their_own"),
    ("alias, min, max, null-label", FLAGS, "limits_alias_and_null_label"),
    ("arg-name, arg-encoding, arg-skip, arg-switch, arg-split", PROGRAM, "arguments"),
    ("choices, allow-other, aliases of choices", FLAGS, "choices_with_aliases_and_others"),
    ("a choice has flags of its own", PROGRAM, "a_choice_brings_values_of_other_flags_that_were_left_alone"),
    ("env-name, env-encoding", PROGRAM, "the_environment_is_guilds"),
    ("True is 1, False and nothing are empty", PROGRAM, "arguments"),
    ("arguments are sorted by name; one that is there already wins", PROGRAM, "arguments_are_sorted_and_shadowed"),
    ("nothing as a value: the argument is left out", PROGRAM, "arguments"),
    ("values are numbers, then YAML", PROGRAM, "texts_are_decoded_as_guild_does"),
    ("range, linspace, logspace, [..]*N", STEPS, "batches_in_steps"),
    # what an operation requires
    ("requires: a name, a resource, sources, one source", LOWERING, "resources_by_name_and_in_place"),
    ("a source is of exactly one kind", SHAPE, "errors_of_an_operation_have_places"),
    ("name and flag-name choose another run or file", LOWERING, "a_source_may_be_named"),
    ("a flag of that name chooses it too", CLI, "flags_say_which_files_are_required"),
    ("${flag} in a source", CLI, "flags_say_which_files_are_required"),
    ("sha256 of a url", PROGRAM, "hashes_are_checked"),
    ("unpack, default-unpack, type", PROGRAM, "archives_are_unpacked"),
    ("unpack: no", PROGRAM, "archives_stay_when_they_shall"),
    ("select", PROGRAM, "files_of_an_operation"),
    ("select of what the run had as code", CLI, "what_is_selected_may_be_code"),
    ("select-min, select-max by the first group", PROGRAM, "the_least_and_the_greatest_number"),
    ("rename in all its forms, target-path, preserve-path", PROGRAM, "files_of_an_operation"),
    ("target-type", LOWERING, "every_attribute_of_a_source_reaches_the_program"),
    ("replace-existing", PROGRAM, "existing_files_are_replaced"),
    ("optional", PROGRAM, "an_optional_source_may_be_absent"),
    ("warn-if-empty, fail-if-empty", PROGRAM, "an_operation_that_left_nothing"),
    ("config with params, then flags", PROGRAM, "configs_get_params_then_flags"),
    ("module sources", PROGRAM, "modules_that_are_required"),
    ("post-process", PROGRAM, "a_post_process_runs_where_the_files_are"),
    ("a marked run wins, else the latest", CLI, "the_run_that_an_operation_takes"),
    ("names of operations are patterns, with commas", STEPS, "steps_in_order_take_files_of_steps_before"),
    ("only what the run made is taken", CLI, "files_of_the_project_come_along_and_stay_out_of_what_was_made"),
    ("when nothing fits: which runs were looked at", CLI, "runs_without_files_are_told"),
    ("--needed runs what is missing", CLI, "the_run_that_an_operation_takes"),
    ("--needed for a batch", CLI, "what_a_batch_needs_is_run_once_before_it"),
    # steps
    ("a step is a string", STEPS, "values_of_steps_in_both_ways"),
    ("a step is a map; flags as a list or a map", STEPS, "values_of_steps_in_both_ways"),
    ("options in a step's text; others are told and ignored", STEPS, "unknown_options_are_warnings"),
    ("a step without a model has the parent's", STEPS, "steps_name_operations_of_their_model"),
    ("STEP:flag and OP:flag of the parent win", STEPS, "a_flag_of_the_parent_named_after_a_step_wins"),
    ("STEP:flag given by a person", STEPS, "a_person_may_set_a_flag_of_a_step"),
    ("repeated steps are numbered", STEPS, "repeated_steps_are_numbered_and_the_latest_counts"),
    ("steps see only their siblings; isolate-runs: no", STEPS, "steps_see_only_their_siblings"),
    ("one after the other; at once only when asked", CLI, "steps_at_the_same_time_only_when_asked"),
    ("a failed check of expect ends with 3", CLI, "a_step_that_is_not_as_expected"),
    ("expect: output, file, contains, compare-to", PROGRAM, "checks_after_a_step"),
    ("a list is a batch in a step, of at most 20", STEPS, "batches_have_at_most_twenty_trials_unless_they_say"),
    ("@FILE in a step", STEPS, "trials_of_files_in_steps"),
    ("fail-on-trial-error", STEPS, "a_trial_that_fails_may_end_it"),
    ("max-trials, random-seed", STEPS, "spaces_in_steps_are_drawn_from"),
    ("gpus, no-gpus, stop-after", STEPS, "gpus_and_time"),
    ("force-flags", STEPS, "flags_may_be_forced"),
    ("tags of steps", STEPS, "tags_of_steps_are_the_runs"),
    ("steps in steps", STEPS, "steps_may_have_steps"),
    ("scripts are operations", STEPS, "scripts_are_steps_as_they_are"),
    ("a step does not see the parent's flags (Guild leaks them)", CLI, "a_step_knows_nothing_of_the_flags_of_others"),
    ("restart goes on where it failed", CLI, "the_same_run_again"),
    # source code
    ("select, root, digest, dest; no", LOWERING, "rules_on_source_code"),
    ("root and dest", LOWERING, "root_and_dest_of_source_code"),
    ("sourcecode: no", LOWERING, "without_source_code_modules_come_from_the_project"),
    ("text files, 1 MiB, 100 files, .guild-nocopy", "code_snapshot", ""),
    # a run
    ("RUN_DIR, RUN_ID, GUILD_*, CMD_DIR, PROJECT_DIR, LOG_LEVEL, FLAGS_DEST, FLAG_*", PROGRAM,
     "the_environment_is_guilds"),
    ("the working folder is the run's", PROGRAM, "files_of_an_operation"),
    ("exit codes are the program's", PROGRAM, "exit_codes_are_the_modules"),
    ("what __main__ defines can be pickled", PROGRAM, "what_a_module_defines_can_be_pickled"),
    ("the environment is in no record (Guild keeps it)", LOWERING, "the_run_has_no_environment_of_this_process_in_it"),
    # errors
    ("operation is not defined", CLI, "mistakes_on_the_command_line"),
    ("unsupported flag", STEPS, "what_cannot_be_a_step"),
    ("no suitable run", CLI, "the_run_that_an_operation_takes"),
    ("invalid value for operation", SHAPE, "errors_of_an_operation_have_places"),
    ("invalid steps, invalid step", STEPS, "what_cannot_be_a_step"),
    ("invalid reference", CLI, "mistakes_in_the_file_have_places"),
    ("invalid flags value", SHAPE, "errors_of_an_operation_have_places"),
    ("cannot find source file", LOWERING, "a_file_that_is_not_there_is_told"),
    ("missing flags, unsupported values, invalid values", CLI, "mistakes_on_the_command_line"),
    ("a step that refers to no flag (Guild: a traceback)", STEPS, "what_cannot_be_a_step"),
    ("no such resource (Guild: a traceback)", SHAPE, "errors_of_an_operation_have_places"),
    # habits
    ("run OP --help-op", CLI, "what_an_operation_takes"),
    ("@trials.csv", CLI, "batches"),
    ("ls, cat, compare, metrics", CLI, "operations_one_after_the_other"),
    ("label, tag, mark, comment, export, import", CLI, "notes_on_runs"),
    ("runs of a Guild home", IMPORT, "runs_of_guild"),
    ("ids of Guild's runs choose them", IMPORT, "old_runs_are_taken_by_new_ones"),
]  # fmt: skip
NOT_MET = {
    "packages: building them, and extends and include of installed ones": "Python packages are built by other tools",
    "plugins, env-secrets, flag-encoder, python-requires, publish": "they need Guild, or have a word of their own here",
    "compare, output-attrs": "named when the file is read; `argosy runs -c` and `argosy comment` do it",
    "delete-on-success, can-stage-trials, handle-keyboard-interrupt": "runs are kept, and are not staged",
    "a label of a step's own": "a step is part of its run",
    "searches in steps (optimize, minimize, maximize, opt-flags)": "trials are drawn by chance; each says so",
    "needed in steps": "`--cache` takes what is there",
    "flags of optimizers": "Optuna has others; each is named",
    "runs that are still running are taken whole": "they are, as soon as one of their steps has left files",
    "a folder of its own for each step, and links to them in the parent's": "`argosy ls RUN` has STEP/FILE",
    "stage, remotes, queues, view, tensorboard, publish, merge, archive": "not here",
}


@cache
def _functions(file: str) -> set[str]:
    path = next(TESTS.rglob(f"test_{file}.py"))
    return {one.name for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize(("words", "file", "function"), MET, ids=[one[0] for one in MET])
def test_a_behaviour_has_its_test(words: str, file: str, function: str) -> None:
    names = _functions(file)
    assert f"test_{function}" in names if function else names


def test_the_page_has_the_count() -> None:
    page = (TESTS.parent / "docs" / "guild.md").read_text()
    assert len({words for words, _, _ in MET}) == len(MET)
    assert f"{len(MET)} behaviours" in page
    assert f"{len(NOT_MET)} are not met" in page
    for words in NOT_MET:
        assert f"\n- {words}: {NOT_MET[words]}" in page
