"""The papers' tables, figure and ablations on any annotated data: cross-validated grids of trainings, and reports made from their results.

system.py      one row of a table: a configuration, and what it is given beside it
folds.py       documents -> folds, duplicates together, with a development part inside each training part
cell.py        one training: one system, one fold, one seed -> `CellResult`, one JSON file
tagger.py    a fold's entities as a tagger finds them, to be shown as tags instead of the annotated ones
grid.py        many of them, on several processes; finished cells are never computed again
tables, figure3, errors, ablations, imitation    which systems, and what their report shows
"""
