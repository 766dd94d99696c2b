"""What an operation says of searches: objectives, optimizers, numbers of trials."""

from __future__ import annotations

import pytest
from guild_reading import document, good, problems, read

from argosy.model.inputs import Search


def _search(more: str) -> Search | None:
    signature = document(good(f"op: {{exec: 'true', {more}}}\n"), "op").signature
    assert signature is not None
    return signature.search


@pytest.mark.parametrize(
    ("more", "search"),
    [
        ("flags: {}", None),
        ("objective: loss", Search(objective="loss")),
        ("objective: -acc", Search(objective="acc", maximize=True)),
        ("objective: {maximize: acc}", Search(objective="acc", maximize=True)),
        ("objective: {minimize: err}", Search(objective="err")),
        ("default-max-trials: 7", Search(most=7)),
        ("optimizer: gp", Search(method="bayesian", objective="loss")),
        ("optimizer: {algorithm: random}", Search(method="random", objective="loss")),
        ("optimizer: skopt:forest", Search(method="bayesian", objective="loss")),
        ("optimizers: {a: {algorithm: gp}, random: {default: yes}}", Search(method="random", objective="loss")),
        ("optimizers: {gbrt: {}, random: {}}", Search(method="bayesian", objective="loss")),
        ("optimizers: {tune: random}", Search(method="random", objective="loss")),
    ],
)
def test_searches(more: str, search: Search | None) -> None:
    assert _search(more) == search


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("optimizer: gq", "warning: there is no optimizer `gq` here; bayesian is used"),
        ("optimizer: {algorithm: gp, kappa: 2}", "warning: flags of optimizers have no effect here: kappa"),
        ("optimizer: gp, optimizers: {gp: {}}", "error: the operation op has both `optimizer` and `optimizers`"),
    ],
)
def test_what_is_said_of_optimizers(more: str, said: str) -> None:
    assert any(one.endswith(said) for one in problems(read(f"op: {{exec: 'true', {more}}}\n")))
