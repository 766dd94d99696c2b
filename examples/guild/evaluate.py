"""Measures a model on points that it has not seen."""

import json

with open("model.json") as file:
    model = json.load(file)
with open("test.csv") as file:
    points = [tuple(map(float, line.split(","))) for line in file]
error = sum(abs(model["slope"] * x + model["start"] - y) for x, y in points) / len(points)
print(f"error is {error:.6f}")
with open("report.txt", "w") as file:
    file.write(f"{len(points)} points, error {error:.6f}\n")
