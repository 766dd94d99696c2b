"""Writes points along a line, some for training and some for testing. Its flags are its globals."""

import random

rows = 10
noise = 0.0

source = random.Random(7)
points = [(x / rows, 3 * x / rows + 1 + source.gauss(0, noise)) for x in range(rows)]
for name, chosen in (("train.csv", points[::2]), ("test.csv", points[1::2])):
    with open(name, "w") as file:
        file.writelines(f"{x},{y}\n" for x, y in chosen)
print(f"rows: {rows}")
