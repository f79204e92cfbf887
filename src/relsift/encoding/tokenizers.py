"""The tokenizer and the configuration of a transformer: from a Hugging Face folder or hub id, and in a model folder.

A model folder keeps them in `encoder/`, so that it loads without the folder that training began from, and without a network:
config.json       the configuration of the transformer
tokenizer.json    the tokenizer
pieces.json       the bounds that relsift found in training
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import Field

from relsift.encoding.subwords import INSTALL, SubwordInput, as_saved, config_text, stand_in_of, tokenizers_class
from relsift.errors import CheckpointError, ConfigError, require
from relsift.files import file_sha256, joint_sha256, make_folder, replaced_file, write_json
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json

ENCODER_FOLDER, CONFIG, TOKENIZER, PIECES = "encoder", "config.json", "tokenizer.json", "pieces.json"
FILES = (CONFIG, TOKENIZER, PIECES)
_READ = (".json", ".txt", ".model", ".safetensors", ".bin")  # endings of the files that a folder of Hugging Face is read from
SHORTEST = 16  # pieces that a transformer has to read at once
FEWEST = 2  # pieces of a tokenizer, without special ones
WITHOUT_LIMIT = 512  # pieces at once for a transformer that names no limit
_MOST = 100_000  # pieces; tokenizers write 1e30 for "no limit"
_PADDED_POSITIONS = {  # families whose positions begin behind the number of the padding piece
    "camembert", "data2vec-text", "esm", "ibert", "lilt", "longformer", "luke", "markuplm", "roberta", "roberta-prelayernorm",
    "xlm-roberta", "xlm-roberta-xl", "xmod",
}  # fmt: skip


class _PiecesFile(Strict):
    """pieces.json"""

    longest: int = Field(ge=SHORTEST)
    stand_in: int = Field(ge=0)


def subwords_of(source: str) -> SubwordInput:
    """The tokenizer and the configuration of a folder, or of a model of the hub that is on this machine or can be fetched.

    Raises: ConfigError for a folder without tokenizer or configuration, or a tokenizer that cannot say where its pieces stand in the text.
    """
    try:
        from transformers import AutoConfig, AutoTokenizer
    except ImportError as error:
        raise ConfigError(f"--encoder {source}: expected the packages of Hugging Face, got none ({error}); {INSTALL}") from error
    _check_place(source)
    try:
        with quiet():
            config = AutoConfig.from_pretrained(source, trust_remote_code=False)
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:  # of many kinds, from several packages
        raise ConfigError(
            f"--encoder {source}: expected a folder or hub id of Hugging Face with {CONFIG} and a tokenizer, got {reason(error)}"
        ) from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not getattr(tokenizer, "is_fast", False) or backend is None or not hasattr(backend, "to_str"):
        raise ConfigError(
            f"--encoder {source}: expected a tokenizer that tells the place of each piece in the text (a *fast* one, with tokenizer.json), "
            f"got {type(tokenizer).__name__}; convert it with the package transformers, or take another encoder"
        )
    # transformers makes an empty tokenizer if there is no file.
    if len(set(backend.get_vocab()) - set(tokenizer.all_special_tokens)) < FEWEST:
        raise ConfigError(f"--encoder {source}: expected a folder with a tokenizer, got none; copy {TOKENIZER} too")
    special = {name: piece for name, piece in tokenizer.special_tokens_map.items() if isinstance(piece, str)}
    vocabulary = {name: piece_id for name, piece in special.items() if (piece_id := backend.token_to_id(piece)) is not None}
    description = as_saved(config.to_dict())
    stand_in = stand_in_of(vocabulary, f"--encoder {source}")
    size, pieces = description.get("vocab_size"), 1 + max(backend.get_vocab(with_added_tokens=True).values())
    if isinstance(size, int) and pieces > size:
        raise ConfigError(
            f"--encoder {source}: expected a tokenizer with at most {size} pieces, as {CONFIG} says, got one with {pieces}; "
            "do both files belong to the same model?"
        )
    longest = _longest(description, tokenizer.model_max_length)
    if longest < SHORTEST:
        raise ConfigError(f"--encoder {source}: expected an encoder that reads at least {SHORTEST} pieces at once, got {longest}")
    subwords = SubwordInput(backend.to_str(), description, longest, stand_in)
    _check(subwords, f"--encoder {source}")
    return subwords


def missing_packages(packages: Sequence[str] = ("tokenizers", "transformers")) -> str | None:
    """What Python says if the packages of Hugging Face cannot be imported; None if they can."""
    try:
        for package in packages:
            import_module(package)
    except ImportError as error:
        return str(error)
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars and the warnings of transformers: what matters is an error or a note of relsift."""
    from transformers.utils import logging

    log: Any = logging
    bars, level = log.is_progress_bar_enabled(), log.get_verbosity()
    log.disable_progress_bar()
    log.set_verbosity(log.CRITICAL)
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def _check_place(source: str) -> None:
    """Raises ConfigError for a path without a configuration of Hugging Face. What is no path may be a hub id."""
    require(bool(source.strip()), "--encoder", expected="a folder or hub id of Hugging Face", got=source)
    place = Path(source)
    if place.exists() and not (place / CONFIG).is_file():
        got = "a folder without" if place.is_dir() else "a file"
        raise ConfigError(f"--encoder {source}: expected a folder of Hugging Face with {CONFIG}, got {got}")
    if not place.exists() and (place.is_absolute() or source.startswith((".", "~")) or source.count("/") > 1):
        raise ConfigError(f"--encoder {source}: expected a folder of Hugging Face, got a path where there is nothing")


def encoder_sha256(source: str) -> str | None:
    """One checksum of what training reads of a folder: configuration, tokenizer, weights. None for the id of a model of the hub."""
    folder = Path(source)
    if not folder.is_dir():
        return None
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in _READ]
    return joint_sha256({path.name: file_sha256(path) for path in files})


def save_subwords(subwords: SubwordInput, folder: Path) -> None:
    """Write the files of `encoder/`."""
    make_folder(folder)
    for name, content in ((CONFIG, config_text(subwords.config)), (TOKENIZER, subwords.tokenizer)):
        with replaced_file(folder / name) as stream:
            stream.write(content)
    write_json(folder / PIECES, {"longest": subwords.longest, "stand_in": subwords.stand_in})


def subwords_sha256(folder: Path) -> str:
    """One checksum of the files of `encoder/`. Raises CheckpointError naming those that are missing."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"{folder}: expected {', '.join(FILES)}, {' and '.join(missing)} missing; copy the whole folder again")
    return joint_sha256({name: file_sha256(folder / name) for name in FILES})


def load_subwords(folder: Path, *, only_tokenizer: bool = False) -> SubwordInput:
    """Read what `save_subwords` wrote. Raises CheckpointError naming the file that is missing or broken.

    Args: only_tokenizer: the transformer itself is not needed, nor the package transformers.
    """
    subwords_sha256(folder)  # are all files there?
    if (lacking := missing_packages(("tokenizers",) if only_tokenizer else ("tokenizers", "transformers"))) is not None:
        raise CheckpointError(f"{folder}: expected the packages of Hugging Face, which this model needs, got none ({lacking}); {INSTALL}")
    bounds = conform(_PiecesFile, read_json(folder / PIECES), folder / PIECES)
    config: dict[str, Any] = conform(dict[str, Any], read_json(folder / CONFIG), folder / CONFIG)
    try:
        text = (folder / TOKENIZER).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{folder / TOKENIZER}: expected a tokenizer, got {_first_line(error)}; copy the folder again") from error
    subwords = SubwordInput(text, config, bounds.longest, bounds.stand_in)
    try:
        _check(subwords, str(folder / TOKENIZER))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    return subwords


def _check(subwords: SubwordInput, where: str) -> None:
    """Raises ConfigError for a tokenizer that does not work."""
    tokenizers_class()
    try:
        room = subwords.room
    except Exception as error:  # the library raises plain Exception for a broken tokenizer.json
        raise ConfigError(f"{where}: expected a tokenizer, got {_first_line(error)}; copy the folder again") from error
    if room < 1 or not subwords.stand_in >= 0:
        raise ConfigError(f"{where}: expected room for text beside the special pieces, got {subwords.longest} pieces at once")


def _longest(config: dict[str, Any], of_tokenizer: Any) -> int:
    """Pieces that the transformer reads at once."""
    limits = [WITHOUT_LIMIT] if not isinstance(config.get("max_position_embeddings"), int) else []
    if not limits:
        family, padding = config.get("model_type"), config.get("pad_token_id")
        offset = 2 if family == "mpnet" else 0  # where the padding piece is number 1 for positions, whatever it is
        if family in _PADDED_POSITIONS:
            offset = 1 + (padding if isinstance(padding, int) else 1)
        limits.append(config["max_position_embeddings"] - offset)
    if isinstance(of_tokenizer, int) and of_tokenizer < _MOST:
        limits.append(of_tokenizer)
    return min(limits)


def reason(error: Exception) -> str:
    """What a package of Hugging Face says, in one line, and what to do."""
    text = str(error)
    if "trust_remote_code" in text:
        return "code of its own, which is not run; take one of the architectures of the package transformers"
    hint = "; there is no such folder; without a network, name a folder" if "connect" in text or "offline" in text.lower() else ""
    return _first_line(error) + hint


def _first_line(error: Exception) -> str:
    line = str(error).partition("\n")[0][:200]
    return line if line and not isinstance(error, KeyError) else f"{type(error).__name__} {line}".strip()
