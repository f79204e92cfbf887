"""Make the models that come with relsift, demo-en and demo-zh, print their scores, and write into docs/start/demo_models.md what they find.

    python benchmarks/shipped_models.py FOLDER_OF_MINILM FOLDER_OF_E5 [--only demo-en] [--epochs 1]

The folders hold all-MiniLM-L6-v2 (English, Apache-2.0) and multilingual-e5-small (Chinese, MIT) in the form of Hugging Face. Of each only
the table of word pieces is used, for word vectors. Needs `relsift[transformers]`, and some minutes on one core. The same versions of torch
and relsift, on the same kind of processor, make the same models.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import shipped_page
from swapped_mentions import with_swapped_mentions

from relsift import shipped
from relsift.bundle import Bundle, model_folder
from relsift.config import load_config
from relsift.files import replaced_file
from relsift.schema import Sentence
from relsift.training.data import scoring_data, training_data
from relsift.training.distil_vectors import distil, write_vectors
from relsift.training.predicting import predict_all
from relsift.training.run import train_run
from relsift.training.scoring import Evaluation, scored_data

SHIPPED = Path(shipped.__file__).parent
MOST_BYTES = 3_000_000  # of one model folder
WORD_SIZE = 96  # numbers of a word vector


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one model is made. All values were chosen on the development part."""

    name: str
    language: str
    corpus: str
    encoder: str  # where the word vectors come from
    licence: str  # of the encoder
    word: str  # regular expression of the pieces that are words of the table
    words: int  # in the model: those of the training data, then frequent ones of the encoder
    copies: int  # of each training sentence, with other mentions
    epochs: int
    looks: str  # how often the test part was scored while the recipe was made: more than once is said on the card


ENGLISH = Recipe(
    name="demo-en", language="English", corpus="gazette-en", encoder="all-MiniLM-L6-v2", licence="Apache-2.0", word="[a-z]{2,}",
    words=6100, copies=0, epochs=45, looks="three times",
)  # fmt: skip
CHINESE = Recipe(
    name="demo-zh", language="Chinese", corpus="gazette-zh", encoder="multilingual-e5-small", licence="MIT", word="[\u4e00-\u9fff]",
    words=4500, copies=3, epochs=15, looks="twice",
)  # fmt: skip


def settings(recipe: Recipe, vectors: Path) -> list[str]:
    """The options that differ from the preset: smaller layers, so that the file stays small, and word vectors."""
    return [
        f"model.word_size={WORD_SIZE}", "model.encoder_options={units: 96}", "model.units=96", "model.re_hidden=128",
        "encoding.lowercase=true", f"encoding.vectors={vectors}", f"encoding.vectors_words={recipe.words}",
        f"training.epochs={recipe.epochs}", f"training.patience={recipe.epochs}", "training.threads=1",
    ]  # fmt: skip


def word_vectors(recipe: Recipe, encoder: Path, sentences: Sequence[Sentence], out: Path) -> None:
    """Vectors of the words of the sentences, and of words that the encoder has in one piece, whose order is that of frequency."""
    lowered = [Sentence(s.id, tuple(token.lower() for token in s.tokens)) for s in sentences]
    vocabulary: Any = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    if isinstance(vocabulary, dict):
        in_order = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    else:
        in_order = [piece for piece, _ in vocabulary]
    words = dict.fromkeys(word for piece in in_order for word in re.findall(f"^{recipe.word}$", piece))
    write_vectors(distil(str(encoder), lowered, size=WORD_SIZE, further=words), out)


def scores_of(bundle: Bundle, data: str) -> Evaluation:
    source = scoring_data(data)
    predicted, report = predict_all(bundle, source.sentences)
    return scored_data(bundle, source, predicted, report, entities="predicted")


def make(recipe: Recipe, encoder: Path) -> None:
    """Train a model on the training part, to tune the decision, then one on the development part too, and put that into the package."""
    with tempfile.TemporaryDirectory() as scratch:
        tuned, whole = Path(scratch) / "tuned", Path(scratch) / "whole"
        train(recipe, encoder, tuned, with_development=False)
        train(recipe, encoder, whole, with_development=True)
        ship(recipe, tuned, whole)


def train(recipe: Recipe, encoder: Path, run: Path, *, with_development: bool) -> None:
    """One run, with its word vectors beside it. Trained on the development part too, it takes one of the last epochs."""
    data = training_data(recipe.corpus)
    sentences = [*data.run.training, *(data.run.development if with_development else ())]
    vectors = run.with_suffix(".txt")
    word_vectors(recipe, encoder, sentences, vectors)
    config = load_config(model="joint_birnn", preset="tuned", overrides=settings(recipe, vectors), direction=data.direction)
    train_run(
        config, replace(data.run, training=with_swapped_mentions(sentences, recipe.copies)), run,
        on_epoch=lambda record: print(recipe.name, json.dumps(record), flush=True),
    )  # fmt: skip


def ship(recipe: Recipe, tuned: Path, whole: Path) -> None:
    """Save the second model with weights of 16 bits and the decision of the first, score what was saved, and write scores and card."""
    place = SHIPPED / recipe.name
    shutil.rmtree(place, ignore_errors=True)
    first, second = (Bundle.load(model_folder(run)) for run in (tuned, whole))
    rule = first.decision  # the development part was new to this one
    decision = replace(second.decision, threshold=rule.threshold, calibration=rule.calibration, tuned_on=rule.tuned_on)
    replace(second, decision=decision).save(place, half=True)
    bundle = Bundle.load(place)
    scores = {"test": figures(scores_of(bundle, f"{recipe.corpus}/test")), "dev": figures(scores_of(first, f"{recipe.corpus}/dev"))}
    about = {key: value for key, value in bundle.about.items() if key != "development"}  # which it was trained on
    about |= {"parts": ["train", "dev"], "scores": scores}  # "dev": of the model that was trained on the training part alone
    replace(bundle, about=about).save(place, half=True)  # the same weights: they have 16 bits already
    with replaced_file(place / "README.md") as stream:
        stream.write(card(recipe, scores))
    size = sum(file.stat().st_size for file in place.iterdir())
    if size >= MOST_BYTES:
        raise SystemExit(f"{place}: expected less than {MOST_BYTES} bytes, got {size}; take fewer words or smaller layers")
    print(f"{place}: {size} bytes\n{json.dumps(scores, indent=1)}")


def figures(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    """Micro precision, recall and F1 of entities and of relations between found entities, in per cent."""
    assert evaluation.entities is not None
    parts = {"entities": evaluation.entities.micro, "relations": evaluation.relations.micro}
    return {
        name: {kind: round(100 * getattr(part, kind), 1) for kind in ("precision", "recall", "f1")} for name, part in parts.items()
    }


def card(recipe: Recipe, scores: dict[str, Any]) -> str:
    data = training_data(recipe.corpus).run
    sentences = len(data.training) + len(data.development)
    copies = f", and {recipe.copies} copies of each with other mentions of the same type in it" if recipe.copies else ""
    rows = "".join(
        f"| {part} | {what} | {figure['precision']} | {figure['recall']} | {figure['f1']} |\n"
        for part, both in (("test", scores["test"]), ("development, of the model of the training part", scores["dev"]))
        for what, figure in both.items()
    )
    return f"""# {recipe.name}

A **demonstration**, which comes with relsift so that there is something to try at once. Do not use it on text of your own: it has learned
from {sentences} sentences of invented news, and it is often wrong. Train a model on your own annotations for that.

    relsift predict {recipe.name} file.txt

    from relsift import RelationExtractor
    rx = RelationExtractor.from_pretrained("{recipe.name}")

- **Finds** in {recipe.language} text: entities of six types (PER, ORG, GPE, LOC, FAC, VEH), and relations of six types between them (PHYS,
  PART-WHOLE, PER-SOC, ORG-AFF, ART, GEN-AFF). The annotation guide of gazette says what they mean.
- **Model**: `joint_birnn`, preset `tuned`, weights of 16 bits. `model.json` has all options.
- **Data**: the training and development parts of `{recipe.corpus}`, {sentences} sentences (CC0 1.0){copies}.
  Options, threshold and calibration were chosen with a model of the training part alone, on the development part.
  Word vectors are principal components of the table of word pieces of {recipe.encoder} ({recipe.licence}).
- **Licence**: Apache-2.0, as relsift.
- **Made by** `benchmarks/shipped_models.py` of the repository.

Micro scores in per cent; an entity is right if span and type are, a relation if its type and both its entities are. `relsift evaluate
{recipe.name} {recipe.corpus}` computes the test rows anew. The test part was scored {recipe.looks} while the model was made, so its scores
may be a little too good.

| part | | precision | recall | F1 |
|---|---|---|---|---|
{rows}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minilm", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("e5", type=Path, help="folder of multilingual-e5-small")
    parser.add_argument("--only", choices=(ENGLISH.name, CHINESE.name))
    parser.add_argument("--epochs", type=int, help="of each, to see that it works: the models are then of no use")
    options = parser.parse_args()
    for recipe, encoder in ((ENGLISH, options.minilm), (CHINESE, options.e5)):
        if options.only in (None, recipe.name):
            make(recipe if options.epochs is None else replace(recipe, epochs=options.epochs, copies=0), encoder)
    shipped_page.main()


if __name__ == "__main__":
    main()
