"""Reports of the experiments: Markdown and HTML with plots, made from the cells of a folder without training anything.

summary.py   numbers of one system: means and spreads, pooled counts, the mean precision-recall curve
plots.py     pictures as SVG text (matplotlib, the extra `report`)
blocks.py    tables that every experiment shows; figures.py plots with their captions; both are blocks of a page
page.py      sections of blocks -> one Markdown file with its plots, and one HTML file that needs nothing else
"""
