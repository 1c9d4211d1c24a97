"""The chapter of routing, a module for each topic."""
