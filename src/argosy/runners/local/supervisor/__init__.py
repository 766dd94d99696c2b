"""The program that runs a run's processes apart from its driver, in parts. All import next to nothing."""
