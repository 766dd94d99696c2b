"""The Onepanel front-end: its workflow templates to the Workflows that they mean.

It knows Onepanel's words and what its server added to a workflow; not whether a workflow makes sense.
"""
