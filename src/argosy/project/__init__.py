"""The composition root: a project's home, its record, its store, and the runs that go through them.

It knows every room and puts them together; what each does is the room's own matter. Commands and servers call it.
"""
