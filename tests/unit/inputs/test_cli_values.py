"""Words after FILE, for formats whose users write options, and for those whose lists mean many trials."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from argosy.cli.run import command
from argosy.cli.sweep import SweepWords, sweep_of
from argosy.cli.values import read_words, values_of
from argosy.errors import UsageError
from argosy.model.inputs import Input, Signature

OPTIONS = Signature(
    inputs=(
        Input(name="epochs", type="int"),
        Input(name="learning-rate", type="float", aliases=("lr",)),
        Input(name="shuffle", type="boolean"),
    ),
    as_options=True,
)


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with click.Context(command, info_name="run"):
        yield


def _values(*words: str, takes: Signature = OPTIONS) -> dict[str, str]:
    return values_of(read_words("file", words), takes)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("--epochs", "5"), {"epochs": "5"}),
        (("--epochs=5", "--lr", "-0.5"), {"epochs": "5", "lr": "-0.5"}),
        (("--shuffle", "--epochs", "5"), {"shuffle": "true", "epochs": "5"}),
        (("--shuffle", "no"), {"shuffle": "no"}),
        (("--shuffle", "epochs=5"), {"shuffle": "true", "epochs": "5"}),
        (("epochs=5", "lr=-1"), {"epochs": "5", "lr": "-1"}),
        (("lr=",), {"lr": ""}),
        (("a=b=c",), {"a": "b=c"}),
    ],
)
def test_values(words: tuple[str, ...], values: dict[str, str]) -> None:
    assert _values(*words) == values


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--epoch", "5"), "Did you mean '--epochs'"),
        (("--quite",), "Did you mean '--quiet'"),
        (("-z",), "No such option"),
    ],
)
def test_unknown_options(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(click.NoSuchOption) as caught:
        _values(*words)
    assert message in caught.value.format_message()


def test_an_option_without_its_value() -> None:
    with pytest.raises(UsageError, match="--epochs needs a value"):
        _values("--epochs", "--shuffle")


def test_words_by_their_kinds() -> None:
    words = read_words("file", ("train", "x=1", "@t.csv"))
    assert (words.selected, words.assigned, words.files) == (("train",), (("x", "1"),), ("t.csv",))
    with pytest.raises(click.NoSuchOption):
        read_words("--quite", ("file",))


def test_what_takes_lists_is_not_swept() -> None:
    takes = Signature(inputs=(Input(name="layers", type="list"), Input(name="lr")))
    single, sweep = sweep_of(SweepWords(), {"layers": "[1,2]", "lr": "[0.1,0.2]"}, (), takes)
    assert single == {"layers": "[1,2]"}
    assert sweep is not None
    assert sweep.spaces == {"lr": "[0.1,0.2]"}
    single, sweep = sweep_of(SweepWords(sweep=("layers=[[1],[2]]",)), {}, (), takes)
    assert single == {}
    assert sweep is not None


def test_defaults_that_sweep() -> None:
    takes = Signature(inputs=(Input(name="lr", default="[0.1,0.2]", default_sweeps=True, aliases=("rate",)),))
    _, sweep = sweep_of(SweepWords(), {}, (), takes)
    assert sweep is not None
    assert sweep.spaces == {"lr": "[0.1,0.2]"}
    assert sweep_of(SweepWords(), {"rate": "1"}, (), takes) == ({"rate": "1"}, None)
