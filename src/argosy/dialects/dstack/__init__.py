"""The dstack front-end: files of early dstack (2022 and early 2023) to workflows of the model."""
