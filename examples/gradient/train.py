"""Fits a line to the points of points.csv; leaves its slope and offset, and how far it is off."""

import sys
from pathlib import Path

data, outputs = Path(sys.argv[1]), Path(sys.argv[2])
points = [tuple(map(float, line.split(","))) for line in (data / "points.csv").read_text().split()]
mean_x = sum(x for x, _ in points) / len(points)
mean_y = sum(y for _, y in points) / len(points)
slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
offset = mean_y - slope * mean_x
error = max(abs(slope * x + offset - y) for x, y in points)
(outputs / "line" / "line.txt").write_text(f"{slope} {offset}\n")
(outputs / "error").write_text(f"{error:.3f}\n")
print(f"y = {slope:.2f} x + {offset:.2f}")
