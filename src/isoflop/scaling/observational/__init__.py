"""What benchmark scores of public models say about capability, compute and families."""
