"""Which runs carry a conclusion: leave-one-out, drop-k, and the fewest runs that flip it."""
