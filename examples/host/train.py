"""Fits the slope of the line by gradient descent."""

import csv
import json
import os

rate = float(os.environ["RATE"])
with open("data.csv", newline="") as file:
    points = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
scale = max(x for x, _ in points)
slope = 0.0
for step in range(30):
    error = sum((slope * x - y) * x for x, y in points) / len(points)
    slope -= rate * error / scale**2
    loss = sum((slope * x - y) ** 2 for x, y in points) / len(points)
    print(f"step: {step}")
    print(f"loss: {loss:.4f}")
with open("model.json", "w") as file:
    json.dump({"slope": slope, "loss": loss, "rate": rate}, file)
