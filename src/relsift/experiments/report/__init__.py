"""Reports of the experiments, made from the cells of a folder without training anything; `relsift.report` writes them.

summary.py   numbers of one system: means and spreads, pooled counts, the mean precision-recall curve
tables.py    tables that every experiment shows
plots.py     pictures as SVG text (matplotlib, the extra `report`)
figures.py   plots with their captions
setting.py   what was measured, on how much, and how to repeat it
"""
