"""Where a sentence's trees come from: the data, the cache, a parser (here one that counts its sentences), or a CoNLL-U file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from relsift.annotators import trees
from relsift.annotators.base import Addition, Annotator, find_annotator
from relsift.annotators.conllu_trees import ConlluTrees
from relsift.annotators.spacy_trees import SpacyTrees
from relsift.annotators.trees import with_trees
from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.corpora import annotated
from relsift.corpora.annotated import annotated_data
from relsift.corpora.data import resolve
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, DataError
from relsift.inference import Scorer, score
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.models.sptree import SPTreeConfig
from relsift.schema import Sentence, Syntax
from relsift.training.loop import train
from toy import run_config, sentences

BARE = [replace(sentence, syntax=None) for sentence in sentences(6)]


class Counting(SpacyTrees):
    """Every token hangs on the one before it."""

    def trees(self, sentences):
        asked.extend(sentences)
        return (Syntax(tuple(range(-1, len(s) - 1)), ("dep",) * len(s), ("N",) * len(s)) for s in sentences)


asked: list[tuple[str, ...]] = []


@pytest.fixture
def parser(monkeypatch, tmp_path: Path) -> str:
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path))
    monkeypatch.setattr(trees, "find_annotator", lambda spec, adds: Counting(spec.removeprefix("spacy:").partition("==")[0], "1.0", "3.8"))
    asked.clear()
    return "counting"


def test_without_a_parser_a_sentence_without_trees_is_named_and_the_way_out_too():
    group = [sentences(1)[0], BARE[1]]
    message = r"sentence 'toy-0-1': expected dependency trees.*1 of 2 sentences.*encoding.parser.*relsift parse"
    with pytest.raises(DataError, match=message):
        with_trees(group, None)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        (lambda parsed: parsed[:-1], "expected the 6 sentences it was given, in order, got 5 other ones"),
        (lambda parsed: [*parsed, parsed[0]], "expected the 6 sentences it was given, in order, got 7 other ones"),
        (lambda parsed: parsed[::-1], "expected the 6 sentences it was given, in order, got 6 other ones"),
        (lambda parsed: [*parsed[:5], BARE[5]], "expected trees for every sentence, got none for 'toy-0-5'"),
    ],
    ids=["too-few", "too-many", "another-order", "one-without-trees"],
)
def test_an_annotator_that_breaks_its_contract_is_named(returned, problem, parser, monkeypatch):
    annotate = Counting.annotate
    monkeypatch.setattr(Counting, "annotate", lambda self, sentences: returned(annotate(self, sentences)))
    with pytest.raises(ConfigError, match=f"annotator 'counting': {problem}"):
        with_trees(BARE, parser)


def test_trees_that_came_with_the_data_stay(parser):
    given = sentences(2)
    assert with_trees(given, None) == with_trees(given, parser) == given
    assert not asked


def test_all_else_of_a_sentence_stays(parser):
    bare = replace(BARE[0], tagged=BARE[0].entities[:1], doc_id="d")
    (parsed,) = with_trees([bare], parser)
    assert parsed.syntax is not None
    assert replace(parsed, syntax=None) == bare


def test_a_sentence_is_parsed_once_and_remembered(parser):
    first = with_trees([*BARE, *BARE], parser)
    assert [replace(s, syntax=None) for s in first] == [*BARE, *BARE]
    assert all(s.syntax is not None and s.syntax.heads[0] == -1 for s in first)
    assert len(asked) == len(BARE)
    assert with_trees(BARE, parser) == first[: len(BARE)]
    assert len(asked) == len(BARE)


def test_a_trained_model_parses_new_sentences_as_it_was_told_in_training(parser, tmp_path: Path):
    config = run_config(epochs=1)
    config = config.model_copy(
        update={
            "model": config.model.model_validate({"name": "sptree", "preset": None, **SPTreeConfig.tiny().to_dict()}),
            "encoding": config.encoding.model_copy(update={"parser": parser}),
        }
    )
    bundle = train(config, BARE, BARE).bundle
    assert bundle.scorer.annotators == {"trees": "spacy:counting==1.0"}
    assert len(asked) == len(BARE)
    bundle.save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    new = replace(BARE[0], tokens=("Zed", *BARE[0].tokens[1:]))
    (scored,) = score(loaded.scorer, [new])
    assert len(scored.scores) == len(scored.pairs) > 0
    assert asked[-1] == new.tokens


def test_models_without_trees_ask_nobody():
    known = Encoding.fit(BARE, reads=MultiTaskCNN.READS)
    assert score(Scorer(build("multitask_cnn", {}, known), known, Candidates()), BARE)


def test_a_model_without_trees_is_not_told_of_them(parser):
    bundle = train(run_config(epochs=1), sentences(6), sentences(6)).bundle
    assert (bundle.encoding.trees, bundle.scorer.annotators) == (None, {})


# ---- CoNLL-U


def conllu(path: Path, *group: tuple[Sentence, int]) -> Path:
    """Trees of sentences in which every token hangs on token `head`, itself a root."""
    blocks = []
    for sentence, head in group:
        heads = [0 if number == head else head + 1 for number in range(len(sentence.tokens))]
        rows = [f"{n}\t{form}\t_\tN\t_\t_\t{above}\tdep\t_\t_" for n, (form, above) in enumerate(zip(sentence.tokens, heads), start=1)]
        blocks.append("\n".join(rows) + "\n\n")
    file = path / "trees.conllu"
    file.write_text("".join(blocks), encoding="utf-8")
    return file


def test_trees_are_taken_from_the_sentence_with_the_same_tokens_in_any_order(tmp_path: Path):
    parse = ConlluTrees(conllu(tmp_path, (BARE[1], 1), (BARE[0], 0), (BARE[0], 2))).annotate
    heads = [s.syntax.heads.index(-1) for s in parse([BARE[0], BARE[1], BARE[0], BARE[0]]) if s.syntax]
    assert heads == [0, 1, 2, 2]


def test_a_sentence_that_the_file_does_not_have_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"trees.conllu: expected a sentence with the tokens of sentence 'toy-0-1', got none"):
        ConlluTrees(conllu(tmp_path, (BARE[0], 0))).annotate([BARE[0], BARE[1]])


def test_data_is_parsed_part_by_part_while_it_is_read(parser, monkeypatch):
    monkeypatch.setattr(annotated, "DOCUMENTS_AT_ONCE", 2)
    data = annotated_data(resolve("gazette-en"), lambda group: with_trees(group, parser))
    assert data.splits == ("train", "dev", "test")
    documents = list(data.documents("dev"))
    assert documents == [
        replace(d, sentences=tuple(with_trees(d.sentences, parser))) for d in resolve("gazette-en").documents("dev")
    ]
    assert sum(len(d.sentences) for d in documents) >= len(asked) > 0


# ---- names


def test_a_pipeline_that_is_not_installed_is_refused_by_name():
    pytest.importorskip("spacy")
    with pytest.raises(ConfigError, match="expected an installed spaCy pipeline or its folder, got 'no_such_pipeline'"):
        find_annotator("no_such_pipeline", "trees")


def test_a_kind_of_annotator_that_is_not_installed_is_named_with_those_that_are():
    with pytest.raises(ConfigError, match=r"^annotator 'stanza:en': expected one of spacy before the colon, or a spaCy pipeline; "):
        find_annotator("stanza:en", "trees")


def test_without_spacy_the_message_says_what_to_install(monkeypatch):
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ConfigError, match=r"expected spaCy for 'en', which is not installed: pip install 'relsift\[spacy\]'"):
        SpacyTrees.named("en")


# ---- plug-ins that fail


def failing(_: Sequence[Sentence]) -> Any:
    raise KeyError("model\nfile")


@pytest.mark.parametrize(
    ("annotate", "words"),
    [
        (failing, "expected the sentences with trees, got KeyError: 'model"),
        (lambda sentences: None, "expected a list of sentences, got NoneType of other things"),
        (lambda sentences: [None for _ in sentences], "expected a list of sentences, got list of other things"),
        (lambda sentences: 3, "expected a list of sentences, got int of other things"),
        (lambda sentences: [], "expected the 1 sentences it was given, in order, got 0 other ones"),
    ],
)
def test_a_plug_in_that_fails_or_returns_anything_else_is_named_in_one_line(annotate, words, monkeypatch):
    class Broken(Annotator):
        ADDS: ClassVar[Addition] = "trees"
        spec = "broken:1"

        def annotate(self, sentences: Sequence[Sentence]) -> Any:
            return annotate(sentences)

    monkeypatch.setattr("relsift.annotators.trees.find_annotator", lambda spec, adds: Broken())
    with pytest.raises(ConfigError) as caught:
        with_trees([Sentence("s", ("Ada",), ())], "broken:1")
    assert str(caught.value).startswith("annotator 'broken:1': ") and words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("made", [None, 3])
def test_a_plug_in_that_makes_no_annotator_is_named(made, monkeypatch):
    class Kind:
        @classmethod
        def named(cls, argument: str) -> Any:
            if made is None:
                raise RuntimeError("no model")
            return made

    monkeypatch.setattr("relsift.annotators.base.find", lambda kind, name: Kind)
    with pytest.raises(ConfigError, match=r"^annotator spacy: expected .* for 'none such', got (RuntimeError: no model|3)"):
        find_annotator("none such", "trees")
