"""Stands for a download: points of a line with some noise, the same each time."""

import json
import os
import random

random.seed(1)
samples = int(os.environ["SAMPLES"])
points = [(x, 3 * x - 1 + random.gauss(0, 0.05)) for x in (random.random() for _ in range(samples))]
with open("data/points.json", "w") as file:
    json.dump(points, file)
print(f"{samples} points")
