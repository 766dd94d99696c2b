"""What Python programs call to run a workflow, and the runs that they are given as objects.

It stands beside the command line and holds nothing that the command line lacks.
"""
