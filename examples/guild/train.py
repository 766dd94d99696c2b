"""Fits a line to the points by gradient descent."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.2, help="How far each step goes")
parser.add_argument("--epochs", type=int, default=20, help="How often all points are seen")
parser.add_argument("--quiet", action="store_true", help="Print only the last loss")
given = parser.parse_args()

with open("train.csv") as file:
    points = [tuple(map(float, line.split(","))) for line in file]
slope, start = 0.0, 0.0
for epoch in range(given.epochs):
    for x, y in points:
        wrong = slope * x + start - y
        slope, start = slope - given.lr * wrong * x, start - given.lr * wrong
    loss = sum((slope * x + start - y) ** 2 for x, y in points) / len(points)
    if not given.quiet or epoch == given.epochs - 1:
        print(f"loss: {loss:.6f} (step {epoch})")
with open("model.json", "w") as file:
    json.dump({"slope": slope, "start": start}, file)
