"""Writes a small table of points near a line."""

import csv

with open("data.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["x", "y"])
    writer.writerows([x, 3 * x + (x * 7 % 5) / 10] for x in range(20))
print("rows: 20")
