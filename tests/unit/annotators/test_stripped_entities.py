"""`KIND[strip=articles]:…`: entities without "the" before them and "'s" behind them, by any annotator, in a model folder too."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.annotators.base import find_annotator
from relsift.annotators.entities import EntitySource, entity_annotator
from relsift.annotators.stored import load_annotators, save_annotators, source_checksum
from relsift.errors import ConfigError
from relsift.readers.raw import split_by_rules
from relsift.schema import Document, Sentence

NAMES = ("the Mill", "A Bank", "Oslo's", "The Bo ’s", "the", "Thea", "an Ox's")


@pytest.fixture
def names(tmp_path: Path) -> Path:
    file = tmp_path / "names.jsonl"
    file.write_text("".join(f'{{"label": "X", "pattern": "{name}"}}\n' for name in NAMES), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("He saw the Mill.", "Mill"),
        ("He saw A Bank.", "Bank"),
        ("He saw Oslo's port.", "Oslo"),
        ("He saw The Bo ’s port.", "Bo"),
        ("He saw the sea.", "the"),  # nothing would be left
        ("He saw Thea.", "Thea"),
        ("He saw an Ox's horn.", "Ox"),
    ],
)
def test_articles_and_genitives_are_taken_off_with_exact_characters(names, text, mention):
    document = Document("d", tuple(split_by_rules(text)), text)
    (sentence,) = find_annotator(f"patterns[strip=articles]:{names}", "entities").annotate(document.sentences)
    (entity,) = sentence.entities
    assert entity.chars is not None and text[slice(*entity.chars)] == sentence.text_of(entity) == mention
    (as_it_is,) = find_annotator(f"patterns:{names}", "entities").annotate(document.sentences)
    assert len(as_it_is.text_of(as_it_is.entities[0])) >= len(mention)


def test_tokens_without_offsets_are_stripped_too_and_each_change_is_counted(names):
    annotator = entity_annotator(EntitySource((f"patterns[strip=articles]:{names}",)))
    (sentence,) = annotator.annotate([Sentence("s", ("saw", "the", "Mill", "of", "Thea"))])
    assert [(entity.start, entity.end) for entity in sentence.entities] == [(2, 3), (4, 5)]
    assert annotator.report.dropped == {"entities without their article or their final 's": 1}


def test_a_genitive_inside_a_token_stays(names):
    (sentence,) = find_annotator(f"patterns[strip=articles]:{names}", "entities").annotate([Sentence("s", ("Oslo's", "port"))])
    assert [(entity.start, entity.end) for entity in sentence.entities] == [(0, 1)]


def test_a_model_folder_keeps_the_option_and_the_file(names, tmp_path):
    source = EntitySource((f"patterns[strip=articles]:{names}",))
    save_annotators(tmp_path / "model", {}, source)
    _, loaded = load_annotators(tmp_path / "model")
    assert loaded is not None and loaded.specs[0].startswith("patterns[strip=articles]:")
    (sentence,) = entity_annotator(loaded).annotate([Sentence("s", ("the", "Mill"))])
    assert [(entity.start, entity.end) for entity in sentence.entities] == [(1, 2)]
    assert source_checksum(source) == source_checksum(loaded)


@pytest.mark.parametrize("options", ["[strip]", "[strip=all]", "[strip=articles", "[]"])
def test_another_option_is_refused(names, options):
    with pytest.raises(ConfigError, match=r"expected patterns\[strip=articles\], the one option"):
        find_annotator(f"patterns{options}:{names}", "entities")
