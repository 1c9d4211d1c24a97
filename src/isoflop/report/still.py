"""Still pictures for the page: SVG text made shorter without a visible difference.

The renderer writes every default out and repeats colour and font on every mark. What a browser assumes anyway
is left out, what neighbours share is said once, a third decimal of a pixel is rounded, and theme colours
become variables, so that a picture follows the page's mode.
"""

from __future__ import annotations

import re

from isoflop.present import theme

_TAG = re.compile(r"<[^>]+>")
_SPOKEN = re.compile(r""" (?:role|aria-[a-z]+|xmlns:xlink|class)=(?:"[^"]*"|'[^']*')""")
_HEX = re.compile("|".join(re.escape(colour) for colour in theme.DARK), re.IGNORECASE)
_SAID_ANYWAY = re.compile(
    r""" (?:opacity|fill-opacity|stroke-opacity|stroke-width)="1"| stroke-linecap="butt"| [xy][12]="0"|"""
    rf""" font-weight="normal"| pointer-events="[a-z]+"| font-family="{re.escape(theme.FONT)}\""""
)
_UNSEEN = re.compile(
    r"""(<clipPath.*?</clipPath>)|<path d="[^"]*"(?: display="none")?/>|"""
    r"""<text[^>]* opacity="0"[^>]*>[^<]*</text>|<g></g>""",
    re.DOTALL,
)
_LEAVES = re.compile(r"<g>((?:<(?:line|path|rect|text)\b[^>]*(?:/>|>[^<]*</text>)){2,})</g>")
_LEAF = re.compile(r"<(?:line|path|rect|text)\b[^>]*>")
_INHERITED = re.compile(
    r' (?:fill|stroke|stroke-width|stroke-linecap|stroke-dasharray|font-size|font-weight|text-anchor)="[^"]*"'
)
_PLACED = re.compile(r'\b(?:d|transform|points|[xy][12]?|r|width|height)="[^"]*"')
_LONG_DECIMAL = re.compile(r"-?\d*\.\d{3,}(?:e-\d+)?")


def still(svg: str, *, prefix: str) -> str:
    """Return SVG text fit to stand inside the page.

    Ids get a prefix (several pictures share the page), roles go (the figure around it speaks for it), and
    theme colours become variables named after themselves; the page's script puts the colours back into a
    download.

    Parameters
    ----------
    svg : str
        As the renderer writes it.
    prefix : str
        Anchor of the picture.

    Examples
    --------
    >>> short = still('<svg><g id="c0" fill="#1c2126" role="x" opacity="1"/></svg>', prefix="a")
    >>> short.replace(theme.FONT, "…")
    '<svg aria-hidden="true" focusable="false" font-family="…"><g id="a-c0" fill="var(--c-1c2126)"/></svg>'
    """

    def tag(found: re.Match[str]) -> str:
        text = _SAID_ANYWAY.sub("", _SPOKEN.sub("", found[0]))
        text = _PLACED.sub(lambda placed: _LONG_DECIMAL.sub(_rounded, placed[0]), text)
        text = re.sub(r'\bid="', f'id="{prefix}-', text).replace("url(#", f"url(#{prefix}-")
        text = text.replace('href="#', f'href="#{prefix}-')
        return _HEX.sub(lambda m: f"var(--c-{m[0][1:].lower()})", text)

    text, before = _TAG.sub(tag, svg), ""
    while text != before:
        before, text = text, _UNSEEN.sub(lambda found: found[1] or "", text)
    text = _LEAVES.sub(_shared, text)
    return text.replace("<svg", f'<svg aria-hidden="true" focusable="false" font-family="{theme.FONT}"', 1)


def _shared(group: re.Match[str]) -> str:
    """Say once on a group what all its marks inherit alike."""
    leaves = [set(_INHERITED.findall(leaf)) for leaf in _LEAF.findall(group[1])]
    common = sorted(set.intersection(*leaves))
    inside = _LEAF.sub(lambda leaf: _without(leaf[0], common), group[1])
    return f"<g{''.join(common)}>{inside}</g>"


def _without(tag: str, attributes: list[str]) -> str:
    for attribute in attributes:
        tag = tag.replace(attribute, "", 1)
    return tag


def _rounded(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
