"""Are relations that a sentence denies, doubts or merely imagines called related more often? The figures of docs/decisions.md.

    python benchmarks/denied_relations.py [--data gazette-en] [--model multitask_cnn] [--encoder FOLDER]

The shipped corpus annotates no relation that is denied, rumoured, asked or hypothetical (GUIDE.md), so such sentences hold pairs whose
words speak of a relation that is not there. Five folds by document; each pair is scored by the model that has not seen its document, and
scores of the folds are compared by their distance from the fold's threshold. Of the unrelated pairs of fitting types in sentences with a
word of denial or doubt (`WORDS`), and in all others, the share is printed that is called related where 70 % of all relations are found.
"""

from __future__ import annotations

import argparse
import math
import re

from relsift.config import encoder_overrides, load_config
from relsift.corpora.data import resolve
from relsift.inference import score
from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence
from relsift.training.loop import train

FOLDS = 5
RECALL = 0.7
WORDS = {
    "en": r"\b(den(y|ies|ied)|not|never|neither|nor|nobody|would|might|may|could|if|rumou?r(ed)?|refus(ed|es)|hop(ed|es) to|\w+n't)\b",
    "zh": r"否认|没有|并未|从未|不是|不会|未曾|如果|要是|假如|可能|也许|传闻|谣|据说|本来会|希望|打算",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="gazette-en")
    parser.add_argument("--model", default="multitask_cnn")
    parser.add_argument("--preset")
    parser.add_argument("--encoder")
    args = parser.parse_args()
    source = resolve(args.data)
    doubt = re.compile(WORDS["zh" if args.data.endswith("zh") else "en"], re.IGNORECASE)
    documents = [document for part in ("train", "dev", "test") for document in source.documents(part, ReadReport())]
    overrides = ["training.threads=1", "training.seed=1", *encoder_overrides(args.encoder)]
    config = load_config(model=args.model, preset=args.preset, overrides=overrides, direction=source.direction)
    right: list[float] = []
    unrelated: dict[bool, list[float]] = {True: [], False: []}  # whether its sentence denies or doubts -> best level of each pair
    relations = 0
    for fold in range(FOLDS):
        parts = [documents[number::FOLDS] for number in range(FOLDS)]
        test, development = parts[fold], parts[(fold + 1) % FOLDS]
        rest = [document for number, part in enumerate(parts) if number not in (fold, (fold + 1) % FOLDS) for document in part]
        bundle = train(config, sentences(rest), sentences(development)).bundle
        decision, labels = bundle.decision, bundle.encoding.labels
        for scored in score(bundle.scorer, sentences(test), entities="gold"):
            denies = bool(doubt.search(scored.sentence.text))
            relations += len(scored.sentence.relations or ())
            found, best = decision.choices(scored, labels), dict[int, float]()
            for pair, column, level in zip(found.pairs.tolist(), found.columns.tolist(), found.levels.tolist()):
                level -= decision.threshold
                types = scored.pairs[pair].types
                if labels[column] in types:
                    right.append(level)
                elif not types:
                    best[pair] = max(level, best.get(pair, level))
            unrelated[denies] += best.values()
    threshold = sorted(right, reverse=True)[math.ceil(RECALL * relations) - 1]
    for denies, levels in unrelated.items():
        called = sum(level >= threshold for level in levels)
        where = "sentences that deny or doubt" if denies else "all other sentences"
        print(f"{where}: {called} of {len(levels)} unrelated pairs called related, {100 * called / len(levels):.1f} %")


def sentences(documents: list[Document]) -> list[Sentence]:
    return [sentence for document in documents for sentence in document.sentences]


if __name__ == "__main__":
    main()
