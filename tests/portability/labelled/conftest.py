"""The files here are read by the scanner, and run only by ``validation/portability_labels.py``."""

collect_ignore_glob = ["*.py"]
