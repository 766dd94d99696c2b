"""Lint: what is wrong with a workflow, found before it runs. `check.check` is the way in.

This room knows manifests as values; it knows neither files nor lines, nor what executes a workflow.
"""
