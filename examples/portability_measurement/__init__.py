"""The measurement behind the chapter of portability: a computer without accelerators."""
