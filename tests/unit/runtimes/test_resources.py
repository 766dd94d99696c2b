"""Kubernetes quantities, what a template asks for, and handing out what the machine has."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import InvalidFile, UsageError
from argosy.model.manifest import Container, Resources, Template, UserContainer
from argosy.runners.local.resources import Capacity, Request, limits_of, machine_capacity, quantity, request_of

GI = 1 << 30


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("500m", Fraction(1, 2)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("1.", 1),
        ("1Gi", GI),
        ("1.5Ki", 1536),
        ("128M", 128_000_000),
        ("2k", 2000),
        ("100n", Fraction(1, 10_000_000)),
        ("1e3", 1000),
        ("1E-2", Fraction(1, 100)),
        ("1E", 10**18),
        (2, 2),
        ("-1", -1),
    ],
)
def test_quantities(text, value):
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "1GB", "one", "1 Gi", "Gi", "0x1", "1e", "--1", "1e99999", "nan"])
def test_what_is_no_quantity(text):
    with pytest.raises(InvalidFile, match="is not a quantity"):
        quantity(text)


def test_request_of_a_pod():
    def resources(requests: dict[str, str], limits: dict[str, str] | None = None) -> Resources:
        return Resources(requests=requests, limits=limits or {})

    template = Template(
        container=Container(resources=resources({"cpu": "500m"}, {"memory": "1Gi", "nvidia.com/gpu": "2", "cpu": "4"})),
        sidecars=(UserContainer(name="s", resources=resources({"cpu": "1", "example.com/tpu": "1"})),),
        init_containers=(UserContainer(name="i", resources=resources({"cpu": "1", "memory": "3Gi"})),),
    )
    assert request_of(template) == Request(cpus=1.5, memory_bytes=3 * GI, gpus=2, others=("example.com/tpu",))
    assert request_of(Template(container=Container())) == Request()


def test_limits():
    limits = limits_of(Resources(limits={"cpu": "250m", "memory": "64Mi"}))
    assert (limits.cpus, limits.memory_bytes) == (0.25, 64 << 20)
    assert limits_of(None).cpus is None


def test_taking_and_giving_back():
    capacity = Capacity(cpus=2, memory_bytes=4 * GI, gpus=(0, 3))
    assert capacity.take("a", Request(cpus=1.5, gpus=1)) == (0,)
    assert capacity.take("a", Request(cpus=1.5, gpus=1)) == (0,)
    assert capacity.take("b", Request(cpus=1)) is None
    assert capacity.take("c", Request(cpus=0.5, memory_bytes=4 * GI, gpus=1)) == (3,)
    assert capacity.take("d", Request(gpus=1)) is None
    assert capacity.take("e", Request(memory_bytes=1)) is None
    assert capacity.take("f", Request()) == ()
    capacity.give_back("a")
    capacity.give_back("a")
    assert capacity.take("d", Request(cpus=1.5, gpus=1)) == (0,)


def test_what_can_never_fit():
    capacity = Capacity(cpus=2, memory_bytes=GI, gpus=(0,))
    assert capacity.fits_ever(Request(cpus=2, memory_bytes=GI, gpus=1))
    for request, word in [
        (Request(cpus=2.5), "CPUs"),
        (Request(memory_bytes=GI + 1), "memory"),
        (Request(gpus=2), "GPUs"),
        (Request(others=("x/y",)), "x/y"),
    ]:
        assert word in capacity.never_fits(request)
    asked = "it asks for {} of memory, and this machine has {}"
    for size, spoken in ((100 * GI, "100 GiB"), (3 * GI // 2, "1.5 GiB")):
        assert capacity.never_fits(Request(memory_bytes=size)) == asked.format(spoken, "1 GiB")
    assert capacity.never_fits(Request(memory_bytes=GI + 1)) == asked.format(f"{GI + 1} bytes", str(GI))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 3000), st.integers(0, 3)), max_size=60))
def test_nothing_is_handed_out_twice_or_lost(steps):
    capacity = Capacity(cpus=4, memory_bytes=1, gpus=range(4))
    held: dict[str, tuple[int, tuple[int, ...]]] = {}
    for gives_back, name, milli, gpus in steps:
        id = str(name)
        if gives_back:
            capacity.give_back(id)
            held.pop(id, None)
        elif id not in held:
            got = capacity.take(id, Request(cpus=milli / 1000, gpus=gpus))
            free = (
                4000 - sum(taken for taken, _ in held.values()),
                4 - sum(len(indices) for _, indices in held.values()),
            )
            assert (got is not None) == (milli <= free[0] and gpus <= free[1])
            if got is not None:
                held[id] = (milli, got)
        indices = [index for _, some in held.values() for index in some]
        assert len(indices) == len(set(indices))


def test_this_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    found = machine_capacity()
    assert found.cpus >= 1
    assert found.memory_bytes > 1 << 28
    assert found.gpus == (1, 3)
    assert machine_capacity("2").gpus == (0, 1)
    assert machine_capacity("0,5").gpus == (0, 5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine_capacity().gpus == ()
    with pytest.raises(UsageError, match="neither a count"):
        machine_capacity("all")
