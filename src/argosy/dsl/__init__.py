"""The Python front-end: typed functions are traced once and become an Argo manifest, as plain JSON values.

Everything here needs the standard library only, so that a step's image needs nothing but Python. It does not know what
runs a manifest.
"""
