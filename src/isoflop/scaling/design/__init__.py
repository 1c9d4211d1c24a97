"""Which runs to train next: the ones that narrow an answer most per FLOP."""
