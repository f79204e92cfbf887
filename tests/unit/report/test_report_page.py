"""Both files say the same, and text stays what it is in either."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from relsift.errors import DataError
from relsift.report import html, markdown
from relsift.report.blocks import Column, Commands, Figure, Paragraph, Report, Section, Table
from relsift.report.write import write_report

NASTY = "<b>&amp; a|b * _x_ `c` [d](e) $1$ ~~f~~ \\ \"'"
SVG = (
    '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "x" "y">\n<svg xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg">'
    '<defs><style type="text/css">*{stroke-linecap: butt}</style><path id="m1" style="fill: #22262b; stroke: #123456"/></defs>'
    '<use xlink:href="#m1" style="clip-path: url(#m1)"/><text>id="m1" fill: #22262b</text></svg>\n'
)
COLUMNS = (Column(title="system", align="left"), Column(title="F1", group="micro", strong=True))


class Text(HTMLParser):
    """What a browser shows, and all tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[tuple[str, dict[str, str | None]]]()
        self.feed(page.split("</style>", 1)[-1] if "<style>" in page else page)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def example(text: str = "words", rows: tuple[tuple[str, ...], ...] = (("Baseline", "61.3 ± 1.2"),), svg: str = SVG) -> Report:
    blocks = (
        Paragraph(text), Table(columns=COLUMNS, rows=rows, title=text, notes=(text,)), Commands((text, "second line")),
        Figure(name="one", svg=svg, caption=text, alt=text, command="relsift reproduce x"),
    )  # fmt: skip
    return Report(text, (Section(text, blocks),), top=(Paragraph(text, "warning"),))


def visible_text(page: str) -> str:
    return " ".join(Text(page).text.split())


def rendered(content: Report) -> str:
    """The Markdown as a reader of it sees it, by a parser that is not ours."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown.report(content, "r"))


WORDS = (NASTY, "+Tag", "1. first", "- a", "# b", "---", "===", "Live_In and _x", "关系|类型", "2 > 1", "&lt;", "a\nb")


@pytest.mark.parametrize("text", WORDS)
def test_text_shows_as_it_is_in_both_files(text: str):
    content = example(text, rows=((text, "1.0"),))
    on_one_line = " ".join(text.split())
    for page in (html.report(content), rendered(content)):
        # title, warning, heading, paragraph, title of the table, cell, note, command, caption
        assert visible_text(page).count(on_one_line) >= 9, visible_text(page)
    for page in (html.report(content), rendered(content)):
        assert not [tag for tag, _ in Text(page).tags if tag in ("b", "del", "a", "script", "hr", "ul", "ol")]


def test_the_same_numbers_stand_in_both_files():
    rows = (("Baseline", "61.3 ± 1.2"), ("+Tag", "−0.4"), ("x", "< 0.0001"))
    content = example(rows=rows)
    for page in (html.report(content), rendered(content)):
        text = Text(page).text
        assert all(cell in text for row in rows for cell in row)
        assert [tag for tag, _ in Text(page).tags].count("tr") >= 4


def test_columns_have_their_group_and_the_strong_ones_are_bold():
    content = example()
    assert "| system | *micro*: F1 |\n| --- | ---: |\n| Baseline | **61.3 ± 1.2** |" in markdown.report(content, "r")
    page = html.report(content)
    assert '<td colspan="1"></td><th scope="colgroup" colspan="1" class="group">micro</th>' in page
    assert '<td class="right"><strong>61.3 ± 1.2</strong></td>' in page


def test_code_keeps_its_backticks_in_markdown():
    content = Report("t", (), top=(Commands(("a ``` b",)), Figure(name="f", svg=SVG, caption="c", alt="a", command="x `y`")))
    text = visible_text(rendered(content))
    assert "a ``` b" in text and "Made by x `y`." in text


def test_the_page_needs_no_script_and_no_network():
    page = html.report(example())
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    for tag, attributes in Text(page).tags:
        assert tag not in ("script", "img", "link", "iframe")
        assert not [value for key, value in attributes.items() if key in ("src", "href") and not (value or "").startswith("#")]


def test_plots_in_a_page_share_no_ids_and_take_its_colours_but_keep_their_text():
    figures = tuple(Figure(name=name, svg=SVG, caption="c", alt='say "a"') for name in ("f", "g"))
    page = html.report(Report("t", (), top=figures))
    ids = [attributes["id"] for _, attributes in Text(page).tags if "id" in attributes]
    assert ids == ["plot1", "plot1-m1", "plot2", "plot2-m1"]
    assert 'xlink:href="#plot1-m1"' in page and "url(#plot2-m1)" in page
    assert "fill: var(--ink, #22262b); stroke: #123456" in page
    assert '<text>id="m1" fill: #22262b</text>' in page
    assert "#plot1 *{stroke-linecap" in page  # else the plot's style would hold for the whole page
    assert 'aria-label="say &quot;a&quot;"' in page and "<?xml" not in page


def test_files_are_written_side_by_side_and_the_markdown_finds_its_plots(tmp_path):
    files = write_report(example(), tmp_path / "out", "table1")
    assert [file.relative_to(tmp_path / "out").as_posix() for file in files] == ["table1.md", "table1.html", "plots/table1-one.svg"]
    image = re.search(r"!\[words\]\((.*?)\)", files[0].read_text(encoding="utf-8"))
    assert image and (tmp_path / "out" / image[1]).read_text(encoding="utf-8") == SVG
    before = [file.read_bytes() for file in files]
    assert before == [file.read_bytes() for file in write_report(example(), tmp_path / "out", "table1")]


def test_names_that_clash_or_leave_the_folder_are_refused(tmp_path):
    figure = Figure(name="f", svg=SVG, caption="c", alt="a")
    with pytest.raises(DataError, match="a name of its own for every figure, got 'f' twice"):
        write_report(Report("t", (), top=(figure, figure)), tmp_path, "r")
    with pytest.raises(DataError, match=r"got '\.\./r'"):
        write_report(Report("t", ()), tmp_path, "../r")
    assert not list(tmp_path.iterdir())


def test_no_tag_and_no_control_character_of_the_data_is_in_the_markdown_text():
    evil = "<img src=x>\x1b[31m\u202e & &lt;"
    text = markdown.report(example(evil, rows=((evil, "1.0"),)), "r")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)  # code shows a tag as it is
    assert "<img" not in prose and "&lt;img src=x&gt;\\\\x1b\\[31m\\\\u202e &amp; &amp;lt;" in prose
    assert not {"\x1b", "\u202e"} & set(text)
