"""A small set of prompts that the project wrote, and the local models that answered them."""
