"""Do the sentences that `relsift suggest` chooses help more than random ones? The trial of docs/tuning.md.

    python benchmarks/suggestion_trial.py FOLDER [--data conll04] [--repetitions 5]

Each repetition trains `multitask_cnn` on 100 random sentences, adds 100 that are chosen in one of three ways, and trains again. Epoch and
threshold come from the whole development part. Prints one JSON object a training: F1 on the development and test parts, annotated relations
trained on, tokens of the sentences added. Runs are left in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch

from relsift.bundle import Bundle
from relsift.config import load_config
from relsift.corpora.data import resolve
from relsift.extractor import RelationExtractor
from relsift.schema import Document, sentences_of
from relsift.suggestions import WAYS, SuggestionReport, suggest
from relsift.training.predicting import score_bundle
from relsift.training.run import train_run
from relsift.training.run_folder import RunData

COUNT = 100  # sentences to begin with, and to add


def trained(name: str, place: Path, documents: Sequence[Document], seed: int) -> tuple[Bundle, dict[str, float]]:
    source = resolve(name)
    development, test = (list(sentences_of(source.documents(part))) for part in ("dev", "test"))
    config = load_config(
        model="multitask_cnn", overrides=[f"training.seed={seed}", "training.threads=1"], direction=source.direction or "directed"
    )
    sentences = list(sentences_of(documents))
    result, scores = train_run(config, RunData(name, sentences, development, {}), place)
    on_test, _ = score_bundle(result.bundle, test)
    relations = sum(len(sentence.relations or ()) for sentence in sentences)
    return result.bundle, {"dev": scores.micro.f1, "test": on_test.micro.f1, "relations": relations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", default="conll04")
    parser.add_argument("--repetitions", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    documents = [
        Document(f"{document.id}:{number}", (sentence,))
        for document in resolve(args.data).documents("train")
        for number, sentence in enumerate(document.sentences)
    ]
    for repetition in range(1, args.repetitions + 1):
        order = list(range(len(documents)))
        random.Random(repetition).shuffle(order)
        start, pool = ([documents[number] for number in part] for part in (order[:COUNT], order[COUNT:]))
        bundle, figures = trained(args.data, args.folder / f"start-{repetition}", start, repetition)
        print(json.dumps({"repetition": repetition, "by": "none", **figures}), flush=True)
        for by in sorted(WAYS):
            found = suggest(
                RelationExtractor(bundle), pool, COUNT, by=by, seed=repetition, include_annotated=True, report=SuggestionReport()
            )
            chosen = [pool[suggestion.place[0]] for suggestion in found]
            tokens = sum(len(sentence.tokens) for sentence in sentences_of(chosen))
            _, figures = trained(args.data, args.folder / f"{by}-{repetition}", [*start, *chosen], repetition)
            print(json.dumps({"repetition": repetition, "by": by, **figures, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
