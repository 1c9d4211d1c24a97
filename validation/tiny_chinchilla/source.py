"""A text whose entropy rate is known: sentences of made-up words drawn by word class.

The classes of successive words form a Markov chain; given its class, a word is drawn from the words of
that class with Zipf frequencies. Every word belongs to one class and ends in a space, so the text shows
its words and the words show their classes. With transitions T, stationary shares π, word frequencies
p(w | c) and lengths l(w) (the space counted), the entropy rate is exactly

    h = Σ_c π_c [H(T_c) + Σ_d T_cd H(p(· | d))] / Σ_c π_c Σ_w p(w | c) l(w)      nats per character.

The rare words make the approach to h slow: each is one more thing to see and to remember.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ALPHABET = " abcdefghijklmnopqrstuvwxyz"
"""Both texts use these 27 characters; a character's code is its place here."""
SPACE = 0


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """The settings that fix a source.

    Parameters
    ----------
    classes : int
        Word classes.
    words_per_class : int
    zipf : float
        Frequency of the word of rank r (from 1) is proportional to r ** −zipf within its class.
    concentration : float, > 0
        Dirichlet concentration of the transitions: small means that a class is followed by few others.
    letter_skew : float
        Letter number i (from 1) of a shuffled alphabet is drawn with weight i ** −letter_skew.
    shortest, longest : int
        Letters of a word; the words of each class lengthen with the logarithm of their rank.
    seed : int
        Seed of the lexicon and of the transitions.
    """

    classes: int = 8
    words_per_class: int = 2048
    zipf: float = 1.6
    concentration: float = 0.3
    letter_skew: float = 0.5
    shortest: int = 2
    longest: int = 5
    seed: int = 20_261_122


@dataclass(frozen=True, eq=False)
class Source:
    """A stationary source of text with a known entropy rate.

    Parameters
    ----------
    transitions : array, shape (c, c)
        Row-stochastic and irreducible: class of the next word given that of the last.
    frequencies : tuple of arrays, each shape (words of the class,)
        Frequency of each word given its class; sums to 1.
    words : tuple of tuple of str
        The words of each class; no word stands in two places.
    """

    transitions: NDArray[np.float64]
    frequencies: tuple[NDArray[np.float64], ...]
    words: tuple[tuple[str, ...], ...]

    @cached_property
    def class_shares(self) -> NDArray[np.float64]:
        """Stationary share of each class among the words, shape (c,)."""
        count = len(self.transitions)
        system = np.vstack([self.transitions.T - np.eye(count), np.ones(count)])
        shares: NDArray[np.float64] = np.linalg.lstsq(system, np.append(np.zeros(count), 1.0), rcond=None)[0]
        return shares

    @cached_property
    def entropy_rate(self) -> float:
        """Entropy rate in nats per character, exact to rounding."""
        within = np.array([_entropy(shares) for shares in self.frequencies])
        between = np.array([_entropy(row) for row in self.transitions])
        per_word = self.class_shares @ (between + self.transitions @ within)
        return float(per_word / self.mean_word_length)

    @cached_property
    def mean_word_length(self) -> float:
        """Mean characters of a word with its space."""
        lengths = [
            shares @ np.array([len(word) + 1.0 for word in words])
            for shares, words in zip(self.frequencies, self.words, strict=True)
        ]
        return float(self.class_shares @ np.array(lengths))

    def draw(self, characters: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw a text that starts with a word; returns character codes, shape (characters,)."""
        count = int(characters / self.mean_word_length * 1.05) + 64
        classes = self._draw_classes(count, rng)
        chosen: list[str] = [""] * count
        for label, (shares, words) in enumerate(zip(self.frequencies, self.words, strict=True)):
            places = np.flatnonzero(classes == label)
            ranks = np.minimum(np.searchsorted(np.cumsum(shares), rng.random(len(places))), len(words) - 1)
            for place, rank in zip(places.tolist(), ranks.tolist(), strict=True):
                chosen[place] = words[rank]
        text = encode(" ".join(chosen) + " ")
        if len(text) < characters:
            return np.concatenate([text, self.draw(characters - len(text), rng)])
        return text[:characters]

    def _draw_classes(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        steps = [np.cumsum(row)[:-1].tolist() for row in self.transitions]
        state = bisect_right(np.cumsum(self.class_shares)[:-1].tolist(), rng.random())
        states = []
        for draw in rng.random(count).tolist():
            states.append(state)
            state = bisect_right(steps[state], draw)
        return np.array(states)

    def loss(self, text: NDArray[np.uint8]) -> float:
        """Return the loss of the source itself on a text of whole words, nats per character.

        No model can do better in the long run; on a finite text this differs from `entropy_rate` by
        the luck of the draw.
        """
        known = {
            word: (label, float(np.log(share)))
            for label, (shares, words) in enumerate(zip(self.frequencies, self.words, strict=True))
            for share, word in zip(shares, words, strict=True)
        }
        spoken = decode(text).split()
        classes = np.array([known[word][0] for word in spoken])
        total = sum(known[word][1] for word in spoken) + np.log(self.class_shares[classes[0]])
        total += np.log(self.transitions[classes[:-1], classes[1:]]).sum()
        return float(-total / len(text))


def build(grammar: Grammar) -> Source:
    """Return the source that the settings fix.

    Examples
    --------
    >>> small = build(Grammar(classes=2, words_per_class=8))
    >>> len(small.words[0]), bool(0 < small.entropy_rate < np.log(27))
    (8, True)
    """
    rng = np.random.default_rng(grammar.seed)
    ranks = np.arange(1, grammar.words_per_class + 1)
    shares = ranks**-grammar.zipf / np.sum(ranks**-grammar.zipf)
    letters = rng.permutation(list(ALPHABET[1:]))
    skewed = np.arange(1.0, 27.0) ** -grammar.letter_skew
    weights: NDArray[np.float64] = skewed / skewed.sum()
    # as many lengths as fit between the first rank and the last, equally long in log rank
    share_of_span = np.log(ranks) / np.log(len(ranks) + 1)
    span = grammar.longest - grammar.shortest + 1
    lengths = grammar.shortest + (share_of_span * span).astype(int)
    taken: set[str] = set()
    words: list[list[str]] = [[] for _ in range(grammar.classes)]
    for length in lengths:
        for of_class in words:
            word = _new_word(int(length), letters, weights, taken, rng)
            taken.add(word)
            of_class.append(word)
    transitions = rng.dirichlet(np.full(grammar.classes, grammar.concentration), size=grammar.classes)
    return Source(transitions, (shares,) * grammar.classes, tuple(map(tuple, words)))


def _new_word(
    length: int,
    letters: NDArray[np.str_],
    weights: NDArray[np.float64],
    taken: set[str],
    rng: np.random.Generator,
) -> str:
    while True:
        word = "".join(rng.choice(letters, size=length, p=weights))
        if word not in taken:
            return word


def _entropy(shares: NDArray[np.float64]) -> float:
    seen = shares[shares > 0]
    return float(-np.sum(seen * np.log(seen)))


def encode(text: str) -> NDArray[np.uint8]:
    """Return the codes of a text made of `ALPHABET`, shape (len(text),).

    Examples
    --------
    >>> encode("ab a").tolist()
    [1, 2, 0, 1]
    """
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.where(codes == ord(" "), 0, codes - np.uint8(ord("a") - 1)).astype(np.uint8)


def decode(codes: NDArray[np.uint8]) -> str:
    """Return the text of character codes; the inverse of `encode`."""
    table = np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)
    return table[codes].tobytes().decode("ascii")
