"""Losses of pairs, one a file, each with its equation and source; `relsift.registry.LOSSES` lists them.

`model.classification` names one for every pair model. `relsift.losses.base` has the contract. `identification` is a second task, not a
choice among them.
Letters: P pairs, C columns with a score each (K relation types; some models have columns for both directions), f logits, 0 a column for
"none" or for the threshold.
"""
