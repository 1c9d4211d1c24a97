"""Words of an affiliation, and what a single word says in many languages and scripts.

Text is folded first: HTML entities resolved, case and accents dropped, compatibility forms (ligatures,
full-width letters) replaced. Letters and digits are apart, so that a footnote mark never hides a name.
"""

from __future__ import annotations

import html
import re
import unicodedata

from isoflop.evidence.affiliations.decision import OrgType

TOKEN = re.compile(r"[^\W\d_]+|\d+|[,;:()\[\]/|+–—]")
BREAKS = frozenset(",;:()[]/|+–—")
"""Signs after which a new part of the affiliation begins."""
MAX_UNESCAPES = 2
"""Some sources escape entities twice."""

# Parts of words for university, polytechnic and the like. Latin stems are folded already.
_SCHOOL_BEGINS = ("univ", "polytec", "politec", "politek", "politeh", "uniwersyt", "univerz", "panepisti")
_SCHOOL_WITHIN = ("universi", "hochschul", "yliopisto", "korkeakoul", "egyetem", "daigaku", "ulikool")
_SCHOOLS = frozenset(
    """
    college colleges colegio collegium ecole ecoles escola escuela skola hogskolan hogskola hogeschool
    hoyskole haskoli oniversite uczelnia kolej khoa oilscoil prifysgol
    technische vidyapith vidyapeeth
    """.split()  # noqa: SIM905 - words are easier to read and to extend than a list of strings
)
_NO_SCHOOL = ("universal", "universe", "universum", "univariate")
_STREETS = ("strasse", "str", "straat", "platz", "plein", "parken", "ring", "weg", "vagen", "gatan", "laan")
_HOSPITALS = ("klinik", "hospital", "krankenhaus", "hopita", "ospedal", "sykehus", "sjukhus", "szpital")
_SCRIPTS: tuple[tuple[str, OrgType], ...] = (
    ("大学", "education"),
    ("大學", "education"),
    ("대학", "education"),
    ("高等専門学校", "education"),
    ("과학기술원", "education"),
    ("科学院", "government"),
    ("科學院", "government"),
    ("学院", "education"),
    ("學院", "education"),
    ("университет", "education"),
    ("университ", "education"),
    ("політехн", "education"),
    ("политехн", "education"),
    ("πανεπιστημ", "education"),
    ("πολυτεχνε", "education"),
    ("جامعة", "education"),
    ("جامعه", "education"),
    ("دانشگاه", "education"),
    ("אוניברסיט", "education"),
    ("הטכניון", "education"),
    ("มหาวิทยาลัย", "education"),
    ("विश्वविद्यालय", "education"),
    ("বিশ্ববিদ্যালয়", "education"),
    ("பல்கலைக்கழக", "education"),
    ("համալսարան", "education"),
    ("უნივერსიტეტ", "education"),
    ("公司", "company"),
    ("株式会社", "company"),
    ("集团", "company"),
    ("주식회사", "company"),
    ("삼성전자", "company"),
    ("академия наук", "government"),
    ("академии наук", "government"),
    ("研究所", "facility"),
    ("研究院", "facility"),
    ("연구원", "facility"),
    ("연구소", "facility"),
    ("병원", "healthcare"),
    ("医院", "healthcare"),
    ("病院", "healthcare"),
)
"""Words of scripts that do not split into words as Latin does; the first that occurs decides."""


_PREPARED = tuple((unicodedata.normalize("NFKC", stem), kind) for stem, kind in _SCRIPTS)


def unescaped(text: str) -> str:
    """Return text with HTML entities resolved.

    Examples
    --------
    >>> unescaped("Universit&amp;eacute; &amp; Co")
    'Université & Co'
    """
    for _ in range(MAX_UNESCAPES):
        if "&" not in text:
            break
        text = html.unescape(text)
    return text


def folded(text: str) -> str:
    """Return text without entities, case and accents.

    Examples
    --------
    >>> folded("École Normale & Straße, Arti\\ufb01cial")
    'ecole normale & strasse, artificial'
    """
    if "&" in text:
        text = unescaped(text)
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    # Accents go from Latin, Greek and Cyrillic letters; in other scripts marks are letters.
    bare = "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def tokens(text: str) -> list[str]:
    """Return words, numbers and signs of folded text.

    Examples
    --------
    >>> tokens("google1, at&t")
    ['google', '1', ',', 'at', 't']
    """
    return TOKEN.findall(text)


def kind_of_word(word: str) -> OrgType | None:
    """Return what one folded word says by itself.

    Examples
    --------
    >>> kind_of_word("universitat"), kind_of_word("universal"), kind_of_word("universitatsstrasse")
    ('education', None, None)
    >>> kind_of_word("universitatsklinikum"), kind_of_word("politecnico")
    ('healthcare', 'education')
    """
    if any(stem in word for stem in _HOSPITALS):
        return "healthcare"
    if word in _SCHOOLS:
        return "education"
    if word.startswith(_SCHOOL_BEGINS) or any(stem in word for stem in _SCHOOL_WITHIN):
        if word.startswith(_NO_SCHOOL) or word.endswith(_STREETS):
            return None
        return "education"
    return None


def kind_of_script(text: str) -> tuple[OrgType, str] | None:
    """Return the first word known in a script other than Latin, and what it says.

    Examples
    --------
    >>> kind_of_script("清华大学"), kind_of_script("Tsinghua")
    (('education', '大学'), None)
    """
    composed = unicodedata.normalize("NFKC", text).casefold()
    for stem, kind in _PREPARED:
        if stem in composed:
            return kind, stem
    return None
