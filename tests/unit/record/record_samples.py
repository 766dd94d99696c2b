"""Runs, owners and a clock that tests of the record share."""

from argosy.record.journal import NewRun, Owner


class World:
    """The clock and who lives, handed to the record."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.lives: dict[Owner, bool] = {}

    def now(self) -> float:
        return self.time

    def alive(self, owner: Owner) -> bool | None:
        return self.lives.get(owner)


def new_run(name: str = "train", **changes: object) -> NewRun:
    fields: dict[str, object] = {
        "name": name,
        "uid": f"uid-of-{name}",
        "namespace": "default",
        "created_at": 1000.0,
        "manifest": b'{"kind":"Workflow","metadata":{"labels":{"team":"vision"}},"spec":{"arguments":{"parameters":'
        b'[{"name":"rate","value":"0.1"},{"name":"depth","value":3},{"name":"unset"}]},'
        b'"workflowTemplateRef":{"name":"trainer"}}}',
        "source": "kind: Workflow",
        "options": b'{"jobs":2}',
    }
    return NewRun(**(fields | changes))  # pyright: ignore[reportArgumentType]


FIRST = Owner(host="here", pid=10, boot_id="boot", start_ticks=5)
SECOND = Owner(host="here", pid=11, boot_id="boot", start_ticks=6)
