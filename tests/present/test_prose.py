"""Prose: three marks, and nothing else becomes markup."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from isoflop.present.prose import to_html, to_text

ALLOWED = re.compile(r"</?(?:strong|code)>|<a href=\"(?:https?://|mailto:|#)[^\"<>\s]*\">|</a>")
texts = st.text(alphabet=st.sampled_from("ab<>&\"'*`[](): /#x=;\n"), max_size=60) | st.text(max_size=60)


@given(texts)
def test_only_the_allowed_tags_appear(text: str) -> None:
    left = ALLOWED.sub("", to_html(text))
    assert "<" not in left
    assert ">" not in left


@given(texts)
def test_what_is_shown_is_the_text_without_its_marks(text: str) -> None:
    shown = html.unescape(ALLOWED.sub("", to_html(text)))
    assert shown == to_text(text)


@given(st.text(alphabet=st.characters(exclude_characters="*`[]"), max_size=60))
def test_text_without_marks_is_only_escaped(text: str) -> None:
    assert to_html(text) == html.escape(text)


def test_links_lead_only_where_links_may() -> None:
    assert to_html("[x](https://a.example/b?c=1&d=2)") == '<a href="https://a.example/b?c=1&amp;d=2">x</a>'
    assert to_html("[x](#anchor)") == '<a href="#anchor">x</a>'
    for text in (
        "[x](javascript:alert(1))",
        "[x](data:text/html,a)",
        "[x](file:///a)",
        '[x](https://a" onclick="b)',
    ):
        assert "<a" not in to_html(text)


def test_code_is_not_read_for_other_marks() -> None:
    assert to_html("`**a**`") == "<code>**a**</code>"
