"""Names of topics: as tables write them, as people read them, as ids hold them."""

from __future__ import annotations

FEW = 10
"""Papers below which a cell is too small to rank topics by."""
TOPIC_NAMES = {
    "robot": "robotics",
    "theory": "theory",
    "rl": "reinforcement learning",
    "bayes": "Bayesian methods",
    "scale": "large scale",
    "efficien": "efficiency",
    "pretrained": "pretrained models",
    "interp": "interpretability",
    "fair": "fairness and bias",
    "transformer": "transformers",
    "genmodel": "generative models",
    "llm": "large language models",
    "selfsup": "self-supervision",
    "speech": "speech",
    "imagenet": "ImageNet",
    "graph": "graphs",
    "diffusion": "diffusion models",
    "foundation": "foundation models",
}
"""Words for the keyword flags of the public paper lists; any other topic is shown as it is written."""


def topic_id(topic: str) -> str:
    """Return a topic as a part of an id: lower-case letters, digits and underscores.

    Examples
    --------
    >>> topic_id("Large language models (LLM)")
    'large_language_models_llm'
    """
    letters = "".join(ch if ch.isascii() and ch.isalnum() else " " for ch in topic.lower())
    return "_".join(letters.split()) or "topic"
