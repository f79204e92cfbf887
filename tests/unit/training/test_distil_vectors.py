"""Word vectors from a tiny transformer: of which rows or states, how shortened, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

pytest.importorskip("transformers", exc_type=ImportError)

from relsift.cli.main import app
from relsift.encoding.subwords import SubwordInput
from relsift.encoding.vectors import read_vectors
from relsift.errors import ConfigError, DataError
from relsift.schema import Sentence
from relsift.training.distil_vectors import SPREAD, WordTable, distil, principal_components, write_vectors
from toy_transformer import toy_subwords, write_toy_folder

SENTENCES = [Sentence("1", ("the", "cab", "of", "Oslo"), ()), Sentence("2", ("Oslo", "of", "Oslo"), ()), Sentence("3", ("cab",) * 30, ())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Hugging Face with random weights."""
    return write_toy_folder(tmp_path_factory.mktemp("encoder"))


def rows_of(folder: Path, subwords: SubwordInput, *words: str) -> list[torch.Tensor]:
    """The mean of the table's rows of the pieces of each word."""
    from transformers import AutoModel

    table = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach()
    return [table[subwords.ids(word)].mean(dim=0) for word in words]


def gram(vectors: Sequence[torch.Tensor] | np.ndarray) -> np.ndarray:
    """Products of all pairs of centred rows up to a factor, which principal components keep if none is left out."""
    rows = np.stack([np.asarray(row, np.float64) for row in vectors])
    rows = rows - rows.mean(axis=0)
    products = rows @ rows.T
    return products / np.trace(products)


def test_the_vector_of_a_word_is_the_mean_of_the_rows_of_its_pieces(folder):
    table = distil(str(folder), SENTENCES, size=8)
    assert table.words == ["cab", "Oslo", "of", "the"]  # by frequency
    assert table.kept == pytest.approx(1.0)
    np.testing.assert_allclose(gram(table.vectors), gram(rows_of(folder, toy_subwords(), *table.words)), atol=1e-5)
    assert np.sqrt((table.vectors**2).mean()) == pytest.approx(SPREAD, rel=1e-4)


def test_of_a_layer_it_is_the_mean_of_the_states_of_its_tokens(folder):
    from transformers import AutoModel

    sentences = SENTENCES[:2]
    table = distil(str(folder), sentences, size=8, layer=1)
    model, subwords = AutoModel.from_pretrained(folder).eval(), toy_subwords()
    states: dict[str, list[torch.Tensor]] = {}
    for sentence in sentences:
        pieces = [subwords.ids(token) for token in sentence.tokens]
        ids = torch.tensor([[2, *(piece for those in pieces for piece in those), 3]])
        with torch.no_grad():
            rows = model(input_ids=ids, output_hidden_states=True).hidden_states[1][0, 1:-1]
        for token, those in zip(sentence.tokens, rows.split([len(those) for those in pieces])):
            states.setdefault(token, []).append(those.mean(dim=0))
    means = [torch.stack(states[word]).mean(dim=0) for word in table.words]
    np.testing.assert_allclose(gram(table.vectors), gram(means), atol=1e-5)


def test_further_words_come_last_and_need_not_be_in_the_data(folder):
    table = distil(str(folder), SENTENCES, size=2, further=["Acme", "cab", "two words"])
    assert table.words == ["cab", "Oslo", "of", "the", "Acme"]
    assert table.left_out == 1
    assert table.vectors.shape == (5, 2)


def test_principal_components_keep_the_most_variance_and_say_how_much():
    rows = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
    vectors, kept = principal_components(rows, 1)
    assert kept == pytest.approx(18 / 20)
    np.testing.assert_allclose(vectors[:, 0] / vectors[0, 0], [1, -1, 0, 0], atol=1e-6)
    assert vectors[0, 0] > 0
    assert np.sqrt((vectors**2).mean()) == pytest.approx(SPREAD)
    same, all_kept = principal_components(np.ones((3, 2)), 1)
    assert not same.any() and all_kept == 1.0


def test_the_file_is_read_as_word_vectors(tmp_path):
    table = WordTable(["b", "a"], np.array([[0.25, -2], [1, 3]], np.float32), 1.0, 0)
    write_vectors(table, tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_text() == "2 2\nb 0.25 -2\na 1 3\n"
    vectors = read_vectors(tmp_path / "v.txt", ["a", "b"])
    assert vectors.values.tolist() == [[1, 3], [0.25, -2]]
    with pytest.raises(ConfigError, match=r"--out .*v\.txt: expected a new file, got one that exists"):
        write_vectors(table, tmp_path / "v.txt")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"size": 9}, "--size: expected a number from 1 to 8"), ({"size": 2, "layer": 3}, "--layer: expected a number from 1 to 2")],
)
def test_more_than_the_encoder_has_is_refused(folder, options, message):
    with pytest.raises(ConfigError, match=message):
        distil(str(folder), SENTENCES, **options)


def test_data_without_words_and_a_folder_without_a_transformer_are_refused(folder, tmp_path):
    with pytest.raises(DataError, match="expected sentences with words, got none"):
        distil(str(folder), [], size=2)
    with pytest.raises(ConfigError, match=f"--encoder {tmp_path}: expected a folder of Hugging Face"):
        distil(str(tmp_path), SENTENCES, size=2)


def test_on_the_command_line(folder, tmp_path):
    out = tmp_path / "v.txt"
    arguments = ["vectors", "distil", str(folder), "--data", "gazette-en", "--size", "4", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "4 numbers each" in result.output and f"--set encoding.vectors={out} --set model.word_size=4" in result.output
    assert read_vectors(out, ["the"]).report.found == 1
    again = CliRunner().invoke(app, arguments)
    assert isinstance(again.exception, ConfigError) and "expected a new file" in str(again.exception)
    broken = CliRunner().invoke(app, [*arguments[:-1], str(tmp_path / "w.txt"), "--words", str(tmp_path / "none.txt")])
    assert isinstance(broken.exception, DataError) and "--words" in str(broken.exception)


def test_without_the_packages_of_hugging_face_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ConfigError, match=r"pip install 'relsift\[transformers\]'"):
        distil(str(tmp_path), SENTENCES, size=2)
