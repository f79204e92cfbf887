"""Options that `cv` and `reproduce` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    str | None,
    typer.Option("--data", metavar="DATA", help="The same as DATA. All its parts together, unless --split own.", show_default=False),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the grid; finished cells in it are not computed again.")]
Split = Annotated[str, typer.Option(help="folds, cut by document; or own: the training, development and test parts of the corpus.")]
Folds = Annotated[int | None, typer.Option(help="Folds, by document; 5 if left out.")]
Seeds = Annotated[int | None, typer.Option(help="Seeds 1, 2, … of every fold; 3 if left out.")]
Jobs = Annotated[int, typer.Option(help="Cells computed side by side, one CPU thread each; with --ray on all machines together.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto, for all cells computed now; moves a score as another seed would.")]
DirectionOption = Annotated[str | None, typer.Option("--direction", help="directed or undirected; the data's usual one if left out.")]
Language = Annotated[str | None, typer.Option(help="en, zh …; the corpus's own if left out. Decides on presets and the tagger.")]
TypeFilter = Annotated[bool, typer.Option(help="Score only type combinations of training relations.")]
Sentences = Annotated[int | None, typer.Option(help="Take a sample of whole documents with so many sentences.")]
Development = Annotated[float, typer.Option(help="Share of each training part held out for selection.")]
FoldSeed = Annotated[int, typer.Option(help="Decides which document is in which fold.")]
OnlyFold = Annotated[list[int] | None, typer.Option("--only-fold", help="Compute this fold only; may be given several times.")]
OnlySeed = Annotated[list[int] | None, typer.Option("--only-seed", help="Compute this seed only; may be given several times.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override a value in every system: training.epochs=10 …")]
Pack = Annotated[bool, typer.Option("--pack", help="Put all finished cells of the folder into one small file.")]
Quick = Annotated[bool, typer.Option("--quick", help="A trial of the machinery: 2 folds, 1 seed, 300 sentences, 3 epochs.")]
