"""The one engine for pages and tables: blocks go in; Markdown, HTML or terminal text comes out. Nothing here depends on an experiment.

blocks.py          what a report is made of: paragraphs, tables, figures, commands, sections
markdown.py        blocks as GitHub's Markdown
page_frame.py      what every HTML page has around its content: security policy, styles, script
html.py            a report as one HTML page
terminal.py        text without control codes; a table as aligned plain text or as a table of rich
write.py           a report as files: Markdown with its plots beside it, and HTML
wording.py         how numbers are written
themes.py          colours and fonts of plots, fixed in a file and following the page inside one
plot_frame.py      what every plot has around its data: drawing, margins, rows, legend, SVG text
score_tables.py    scores and errors of one evaluation as tables
merged_entities.py the entities of two sides of a sentence as one list
arcs.py            relations of one sentence to draw, from one side or from gold against predicted
sentence_html.py   one sentence as HTML: entities marked in the text, and a table of relations
sentence_page.py   sentences with relation arcs as one HTML page

Each output has one function that keeps text of the data from becoming markup: `markdown.escape`, the standard library's
`html.escape`, and `terminal.printable`.
"""
