"""Says how good the model is."""

import json

with open("model.json") as file:
    model = json.load(file)
print(f"slope {model['slope']:.3f} with rate {model['rate']}")
