"""The tuned pipeline: data is made, a model is trained with each learning rate, the best one is improved until it is
good enough, and registered. The model is a logistic regression in plain Python, so that this runs anywhere:

    argosy run examples/python/pipeline.py
    argosy run examples/python/pipeline.py 'lrs=[0.5,0.05]' target=0.99
"""

import json
import math
import random
from pathlib import Path
from typing import NamedTuple

from argosy import for_loop, run_with, step, when, while_loop, workflow


class Model(NamedTuple):
    weights: Path
    accuracy: float


class Registered(NamedTuple):
    card: Path
    accuracy: float


Rows = list[tuple[list[float], int]]
small = run_with(retry=1, timeout="10m")


@step
def prepare(rows: int, seed: int) -> Path:
    """Points in a square; those above a slanted line are of class 1, and some are labelled wrongly."""
    chance = random.Random(seed)
    made: Rows = []
    for _ in range(rows):
        x, y = chance.uniform(-1, 1), chance.uniform(-1, 1)
        label = int(0.4 * x + y > 0.2)
        made.append(([x, y, 1.0], label if chance.random() > 0.005 else 1 - label))
    data = Path("rows.json")
    data.write_text(json.dumps(made))
    return data


@step
@small
def train(data: Path, lr: float) -> Model:
    """The first model: a few passes over the data."""
    return fitted(json.loads(data.read_text()), [0.0, 0.0, 0.0], lr, passes=2)


@step
def pick_best(models: list[Model]) -> Model:
    for model in models:
        print(f"accuracy {model.accuracy:.3f}")
    return max(models, key=lambda model: model.accuracy)


@step
@small
def improve(data: Path, model: Model) -> Model:
    """Some more passes, from the weights that there are."""
    better = fitted(json.loads(data.read_text()), json.loads(model.weights.read_text()), lr=0.05, passes=2)
    print(f"accuracy {model.accuracy:.3f} -> {better.accuracy:.3f}")
    return better


@step
def register(model: Model) -> Registered:
    card = Path("card.md")
    card.write_text(f"accuracy: {model.accuracy:.3f}\nweights: {model.weights.read_text()}\n")
    return Registered(card, model.accuracy)


@step
def notify(status: str, target: float) -> None:
    print(f"the pipeline has {status.lower()} (target {target})")


def fitted(rows: Rows, weights: list[float], lr: float, passes: int) -> Model:
    """Gradient descent, one row at a time."""
    for _ in range(passes):
        for point, label in rows:
            error = label - 1 / (1 + math.exp(-score(point, weights)))
            weights = [w + lr * error * x for w, x in zip(weights, point, strict=True)]
    right = sum((score(point, weights) > 0) == bool(label) for point, label in rows)
    file = Path("weights.json")
    file.write_text(json.dumps(weights))
    return Model(file, right / len(rows))


def score(point: list[float], weights: list[float]) -> float:
    return sum(w * x for w, x in zip(weights, point, strict=True))


@workflow(on_exit=notify)
def pipeline(
    lrs: list[float] = [0.1, 0.01, 0.001],
    target: float = 0.97,
    rows: int = 300,
    seed: int = 7,
) -> Registered:
    data = prepare(rows, seed)
    models = for_loop(lambda lr: train(data, lr), lrs, parallelism=3)
    best = pick_best(models)
    good = when(
        best.accuracy > target,
        then=lambda: best,
        otherwise=lambda: while_loop(
            lambda model: model.accuracy <= target,
            lambda model: improve(data, model),
            init=best,
            max_iterations=20,
        ),
    )
    return register(good)
