import re

import pytest

from apps.shell.markdown import render_markdown


def test_prose_becomes_html() -> None:
    html = render_markdown("A *quiet* **word**\n\n- one\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<em>quiet</em> <strong>word</strong>" in html
    assert "<li>one</li>" in html
    assert "<td>1</td>" in html


def test_headings_begin_below_the_page_s_own() -> None:
    assert render_markdown("# Top") == "<h3>Top</h3>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<a href="#" onclick="alert(1)">x</a>',
        "![x](https://tracker.example/pixel.png)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
    ],
)
def test_nothing_in_it_can_act(text: str) -> None:
    assert not re.search(r"<(script|img|[a-z][^>]*( onclick=|javascript:|data:))", render_markdown(text))


def test_links_do_not_vouch_for_their_target() -> None:
    assert 'rel="noopener noreferrer nofollow"' in render_markdown("[x](https://example.com)")
