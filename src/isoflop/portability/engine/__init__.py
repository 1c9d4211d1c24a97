"""The parent of the workers: it starts them, watches them, kills them, and keeps what they found."""
