"""The papers' tables, figure and ablations on any annotated data: cross-validated grids of trainings, and reports made from their results.

system.py      one row of a table: a configuration, and what it is given beside it
folds.py       documents -> folds, duplicates together, with a development part inside each training part
predicted.py   a fold's entities as a tagger finds them, to be shown as tags instead of the annotated ones
cell.py        one training: one system, one fold, one seed -> `CellResult` (result.py)
cell_files.py  finished cells as files: one each, or one for all
grid.py        many cells, on several processes; finished ones are never computed again
planning.py    from what a user asks to a plan, systems and cells
learning_curve.py, power_law.py    growing samples of the documents -> F1 by size, and what more of them would bring
comparison.py  is one system better than another, over documents and over folds
table1 to table4, figure3, error_kinds, ablations, evaluation_habits, tag_gain, cv    which systems, and what their report shows
"""
