"""Naive Bayes over the words of a question: the answer is a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from examples.routing_measurement.models.model import Reply, in_words
from examples.routing_measurement.models.nearest import PER_FAMILY
from examples.routing_measurement.prompts import training_items

PARAMS = 13_183_114 + 1_526
"""Log-probabilities of words under each answer, and of the answers."""


def load() -> Callable[[str], Reply]:
    """Return the classifier's answer function."""
    model = fitted()

    def answer_to(prompt: str) -> Reply:
        logs = model.predict_log_proba([prompt])[0]
        best = int(logs.argmax())
        return in_words(prompt, str(model.classes_[best]), min(0.0, float(logs[best])))

    return answer_to


def fitted() -> Any:
    """Return a multinomial naive Bayes classifier of words and pairs of words."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    items = training_items(PER_FAMILY)
    model = make_pipeline(CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+"), MultinomialNB(alpha=0.1))
    return model.fit([item.question.prompt for item in items], [item.question.answer for item in items])
