"""The few marks that prose may carry: ``**bold**``, ```code``` and ``[text](link)``.

Everything else is escaped, so that a system's name or a caution can never become markup.
Links lead to ``https:``, ``http:``, ``mailto:`` or an anchor of the page; any other stays text.
"""

from __future__ import annotations

import html
import re

_MARK = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|\[(?P<text>[^\]\n]+)\]\((?P<link>(?:https?://|mailto:|\#)[^\s()<>\"']*)\)"
)


def to_html(text: str) -> str:
    """Return prose as inline HTML with everything but the three marks escaped.

    Examples
    --------
    >>> to_html("**A** & `b` <i>")
    '<strong>A</strong> &amp; <code>b</code> &lt;i&gt;'
    >>> to_html("[x](javascript:alert)")
    '[x](javascript:alert)'
    """
    parts: list[str] = []
    end = 0
    for found in _MARK.finditer(text):
        parts += [html.escape(text[end : found.start()]), _tag(found)]
        end = found.end()
    return "".join([*parts, html.escape(text[end:])])


def to_text(text: str) -> str:
    """Return prose without its marks, for the console and for alternative texts.

    Examples
    --------
    >>> to_text("**8 months**, see [the table](#t)")
    '8 months, see the table'
    """
    return _MARK.sub(lambda m: m["code"] or m["bold"] or m["text"], text)


def _tag(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["bold"]:
        return f"<strong>{html.escape(found['bold'])}</strong>"
    return f'<a href="{html.escape(found["link"])}">{html.escape(found["text"])}</a>'
