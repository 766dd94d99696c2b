"""Writes a line on the model beside it."""

import json

with open("model/line.json") as file:
    model = json.load(file)
line = f"y = {model['slope']:.2f} x + {model['offset']:.2f}, loss {model['loss']:.4f}"
with open("report/line.txt", "w") as file:
    file.write(line + "\n")
print(line)
