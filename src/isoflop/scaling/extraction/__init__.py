"""From a paper to a table: the linter, its template, and a made corpus of known truth."""
