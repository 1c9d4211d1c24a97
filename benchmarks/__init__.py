"""Speed side by side: our procedure and the published one, in one process on one thread."""
