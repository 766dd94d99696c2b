"""The ports that containers are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import InvalidFile
from argosy.model.host_templates import PORTS
from argosy.model.manifest import Container, Metadata, Template
from argosy.runners.local.ports import ports_of, variables_of
from argosy.runners.local.runtimes.container import ContainerRuntime
from argosy.runners.local.runtimes.runtime import StepSpec


def template(ports: str) -> Template:
    return Template(name="a", container=Container(image="i"), metadata=Metadata(annotations={PORTS: ports}))


def test_named_ports_stay_and_free_ones_are_found() -> None:
    first, named, last = ports_of(template("0, 3000,0"))
    assert named == 3000
    assert len({first, named, last}) == 3
    assert min(first, last) > 1023
    assert ports_of(Template(name="a", container=Container(image="i"))) == ()


@pytest.mark.parametrize("text", ["x", "1,", "-1", "70000", "{{inputs.parameters.p}}", "٣"])
def test_what_is_no_port_is_told(text: str) -> None:
    with pytest.raises(InvalidFile, match=r"argosy\.dev/ports"):
        ports_of(template(text))


def test_steps_are_told_of_them() -> None:
    assert variables_of(()) == {}
    assert variables_of((7,)) == {"PORT_0": "7", "JOB_PORT_0": "7", "ARGOSY_LISTEN": "0.0.0.0"}


@pytest.mark.parametrize(("network", "told"), [("", True), ("host", False)])
def test_an_engine_publishes_them_on_loopback(tmp_path: Path, network: str, told: bool) -> None:
    log = str(tmp_path / "log")
    (tmp_path / "tmp").mkdir()
    spec = StepSpec(
        id="1",
        image="i",
        command=("a",),
        folder=str(tmp_path),
        working_dir="/tmp",
        stdout=log,
        stderr=log,
        published=(3000,),
        network=network,
    )
    argv = " ".join(ContainerRuntime("podman").spawn(spec, "uid").argv)
    assert ("--publish 127.0.0.1:3000:3000" in argv) == told
