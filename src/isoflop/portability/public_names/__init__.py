"""Lists of public names by framework, made by ``validation/portability_names.py`` for `portability.names`."""
