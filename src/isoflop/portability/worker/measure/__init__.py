"""One task in a worker: inputs, reference, agreement, timing, and the row that says what became of it."""
