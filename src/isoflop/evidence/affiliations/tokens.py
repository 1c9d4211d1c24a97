"""A text as plain words: lower case, no accents, commas and brackets kept as marks between parts.

Every list of names goes through the same function, so that "Universität", "UNIVERSITAT" and
"Universita&#776;t" meet.
"""

from __future__ import annotations

import html
import re
import unicodedata

WORD = re.compile(r"[^\W_]+|[,;/|()\[\]:]")
MARK = ","
"""Stands for every mark that ends a part of a text."""
LONGEST = 2_000
"""Characters read of one text: an affiliation that names its organisation later is none."""
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "\0": " ", "_": " "})
"""Letters that Unicode does not take apart into a base and an accent."""
MARKS = str.maketrans(dict.fromkeys(";/|()[]:", MARK))


def unescaped(text: str) -> str:
    """Return a text with HTML entities read, also those escaped twice.

    Examples
    --------
    >>> unescaped("Texas A&amp;amp;M University")
    'Texas A&M University'
    """
    if "&" not in text:
        return text
    return html.unescape(html.unescape(text))


def words_of(text: str) -> list[str]:
    """Return the words of a text, with "," between its parts.

    Examples
    --------
    >>> words_of("Dept. of CS, Universität Tübingen (Germany)")
    ['dept', 'of', 'cs', ',', 'universitat', 'tubingen', ',', 'germany', ',']
    """
    plain = unescaped(text[:LONGEST])
    if not plain.isascii():
        # Hangul is put together again: its base letters are not marks.
        apart = unicodedata.normalize("NFKD", plain)
        bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
        plain = unicodedata.normalize("NFC", bare)
    return WORD.findall(plain.casefold().translate(LETTERS).translate(MARKS))
