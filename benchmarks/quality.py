"""Scores of the core model on open corpora: the grid corpus x variant x seed behind docs/results.md.

    python benchmarks/quality.py [--corpora conll04,scienceie] [--variants baseline,tag] [--seeds 1,2,3] [--share 1/2]

Gold entities, candidates by the type filter of the training part, epoch and threshold chosen on the development part, the test part scored
once. Every cell is one JSON file in benchmarks/results/quality; a finished cell is never computed again, so an interrupted grid goes on.
The corpora must have been prepared (`relsift corpora prepare NAME`). `--share 1/2` does every second cell, for two processes side by side.
`--check` computes finished cells again, writes nothing, and says whether epochs, threshold and scores are still those of the file.
"""

from __future__ import annotations

from grid import Cell, arguments, run

PRESETS = {"conll04": "paper", "scienceie": "paper", "ddi2013": "paper", "scicn": "paper_zh"}  # of the corpus's language
PAPER = {
    "baseline": ["model.tags=false", "model.identification=false"],
    "tag": ["model.identification=false"],
    "mtl": ["model.tags=false"],
    "mtl_tag": [],
}
RELEASED = "released_mtl_tag"
RELEASED_ON = ("conll04", "scienceie")


def cells(corpora: list[str], variants: list[str], seeds: list[int]) -> list[Cell]:
    """Seed by seed, so that an unfinished grid is even."""
    return [
        Cell("quality", corpus, variant, "multitask_cnn", preset, tuple(overrides), seed)
        for seed in seeds
        for corpus in corpora
        for variant, preset, overrides in [*((name, PRESETS[corpus], its) for name, its in PAPER.items()), (RELEASED, "released", [])]
        if variant in variants and not (variant == RELEASED and corpus not in RELEASED_ON)
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--corpora", default=",".join(PRESETS))
    parser.add_argument("--variants", default=",".join([*PAPER, RELEASED]))
    options = parser.parse_args()
    run(cells(options.corpora.split(","), options.variants.split(","), [int(seed) for seed in options.seeds.split(",")]), options)


if __name__ == "__main__":
    main()
