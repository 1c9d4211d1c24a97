"""Own code against measured evidence: which framework calls it makes, and what is known of them elsewhere."""
