"""Gradient Workflows: specs of `.gradient/workflows/`, read, checked and put into Argo's words."""
