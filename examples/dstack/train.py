"""Fits a line to the points by stochastic gradient descent; variables come from the environment."""

import json
import os

with open("data/points.json") as file:
    points = json.load(file)
epochs, size, rate = int(os.environ["EPOCHS"]), int(os.environ["BATCH_SIZE"]), float(os.environ["LR"])
slope = offset = 0.0
for epoch in range(epochs):
    for start in range(0, len(points), size):
        batch = points[start : start + size]
        errors = [slope * x + offset - y for x, y in batch]
        slope -= rate * sum(error * x for error, (x, _) in zip(errors, batch, strict=True)) * 2 / len(batch)
        offset -= rate * sum(errors) * 2 / len(batch)
    loss = sum((slope * x + offset - y) ** 2 for x, y in points) / len(points)
    print(f"epoch: {epoch + 1} loss: {loss:.5f}")
with open("model/line.json", "w") as file:
    json.dump({"slope": slope, "offset": offset, "loss": loss}, file)
print("logged in" if os.environ.get("WANDB_API_KEY") else "not logged in")
