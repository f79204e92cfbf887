"""Training, development and test parts of a folder, told by the names of its files and folders.

train.jsonl  dev.jsonl  test.jsonl             plain names, with any suffix, in any letter case
Training/  Validation/  Testing/               folders, and the usual other words for a part
conll04_train.json  conll04_dev.json …         one word for the part, and the same rest in all names
conll04_train_dev.json  conll04_types.json     no parts: two parts in one, and no part's name; both are named as not read

Only what some reader recognises can be a part, so that a page `test.html` beside `test.jsonl` changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from relsift.corpora.corpus import DEV, SPLITS, TEST, TRAIN
from relsift.errors import DataError
from relsift.readers.base import is_hidden

WORDS = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("dev", "devel", "development", "valid", "validation", "validate", "val"), DEV),
    **dict.fromkeys(("test", "testing", "tst"), TEST),
}
WORDS |= {f"{word}{thing}": split for word, split in WORDS.items() for thing in ("set", "data")}  # testset, as "test set"
_EVALUATION = frozenset({"eval", "evaluation"})  # the development part for some, the test part for others
_TEXT_OF = {".ann": ".txt"}  # suffix of an annotation file -> that of the text it belongs to
_NAMED = 3  # names in a message

_BETWEEN_WORDS = r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
_Key = tuple[str, ...]  # the words of a name, its part's word replaced by *: what the names of one set of parts share
_PLAIN: _Key = ("*",)


@dataclass(frozen=True)
class Parts:
    """What a folder holds. Without parts, it is one set of data."""

    paths: dict[str, Path]  # part -> its file or folder, in the order train, dev, test
    beside: tuple[Path, ...] = ()  # data beside the parts that is not read, such as train and dev in one file
    others: tuple[Path, ...] = ()  # what else lies there, such as a README


def find_parts(folder: Path, is_data: Callable[[Path], bool]) -> Parts:
    """The parts in a folder; none for a file, and for a folder whose names do not speak of parts.

    Plain names make parts. Names with more words do if at least two parts have them alike.
    Args: is_data: whether a reader recognises a path.
    Raises: DataError if two files could be the same part, or if all data files are called by parts but no rule fits them.
    """
    if not folder.is_dir():
        return Parts({})
    children = sorted(child for child in folder.iterdir() if not is_hidden(child, folder))
    sets = _sets_of_parts(children)
    chosen = {key: found for key, found in sets.items() if _is_whole(key, found)}
    some_data = {key: found for key, found in chosen.items() if any(is_data(path) for paths in found.values() for path in paths)}
    chosen = some_data or _without_lists(chosen, children, is_data)  # files of one format beside those of another
    chosen = {_PLAIN: chosen[_PLAIN]} if _PLAIN in chosen else chosen
    chosen = {key: parts for key, found in chosen.items() if (parts := _recognised(found, is_data)) and _is_whole(key, parts)}
    if not chosen:
        _refuse_unclear_names(folder, children, sets, is_data)
        return Parts({})
    if len(chosen) > 1:
        sets_named = [_names(paths[0] for paths in found.values()) for found in chosen.values()]
        more = f" and {len(sets_named) - 2} more" if len(sets_named) > 2 else ""
        raise DataError(
            f"{folder}: expected one set of parts, got several: {'; '.join(sets_named[:2])}{more}; "
            "name the file to read, or put each set into a folder of its own"
        )
    paths = {split: _only(folder, split, found) for split, found in next(iter(chosen.values())).items()}
    return _with_what_lies_beside(paths, children, is_data)


def part_word(name: str) -> str | None:
    """The part that a word stands for, in any letter case; None if for none."""
    return WORDS.get(name.casefold())


def _with_what_lies_beside(paths: dict[str, Path], children: Sequence[Path], is_data: Callable[[Path], bool]) -> Parts:
    read = set(paths.values())
    texts = {(path.stem, _TEXT_OF[path.suffix.lower()]) for path in read if path.suffix.lower() in _TEXT_OF}
    rest = [child for child in children if child not in read and (child.stem, child.suffix.lower()) not in texts]
    data = [child for child in rest if is_data(child)]
    ordered = {split: paths[split] for split in SPLITS if split in paths}
    return Parts(ordered, tuple(data), tuple(child for child in rest if child not in data))


def _sets_of_parts(children: Iterable[Path]) -> dict[_Key, dict[str, list[Path]]]:
    sets: dict[_Key, dict[str, list[Path]]] = {}
    evaluation: dict[_Key, list[Path]] = {}
    for child in children:
        words = _words(child.name if child.is_dir() else child.stem)
        places = [place for place, word in enumerate(words) if word in WORDS or word in _EVALUATION]
        named = {WORDS.get(words[place]) for place in places}
        if len(named) == 1:  # two words for one part, as in `training/TRAIN_FILE`, are no two parts
            key = tuple("*" if place in places else word for place, word in enumerate(words))
            split = named.pop()
            if split is not None:
                sets.setdefault(key, {}).setdefault(split, []).append(child)
            else:
                evaluation.setdefault(key, []).append(child)
    for key, paths in evaluation.items():  # takes the place that is free
        found = sets.get(key, {})
        if TRAIN in found and not (DEV in found and TEST in found):
            found[TEST if DEV in found else DEV] = paths
    return sets


def _words(name: str) -> _Key:
    """In lower case: cut at marks, blanks, before a capital that follows a small letter, and between letters and digits."""
    return tuple(word.casefold() for word in re.split(_BETWEEN_WORDS, name) if word)


def _without_lists(
    sets: dict[_Key, dict[str, list[Path]]], children: Sequence[Path], is_data: Callable[[Path], bool]
) -> dict[_Key, dict[str, list[Path]]]:
    """Without sets of plain texts, none of them data, where the data lie beside them: `train-names.txt` lists the files of a part."""
    called = {path for found in sets.values() for paths in found.values() for path in paths}
    if not any(is_data(child) for child in children if child not in called):
        return sets
    return {
        key: found for key, found in sets.items() if any(path.suffix.lower() != ".txt" for paths in found.values() for path in paths)
    }


def _is_whole(key: _Key, found: dict[str, list[Path]]) -> bool:
    return len(found) >= 2 or (key == _PLAIN and TRAIN in found)


def _recognised(found: dict[str, list[Path]], is_data: Callable[[Path], bool]) -> dict[str, list[Path]]:
    """Of each part, what a reader recognises. What is alone and has a usual suffix stays in any case: an error will say what is wrong."""
    parts = {}
    for split, paths in found.items():
        data = [path for path in paths if path.is_dir() or is_data(path)]
        if not data and len(paths) == 1 and paths[0].suffix.lower() in (".json", ".jsonl", ".ann", ".txt", ".xml", ".parquet"):
            data = paths
        if data:
            parts[split] = data
    return parts


def _only(folder: Path, split: str, paths: Sequence[Path]) -> Path:
    if len(paths) > 1:
        raise DataError(
            f"{folder}: expected one {split} part, got {_names(paths)}; move all but one away, or name the file to read"
        )
    return paths[0]


def _refuse_unclear_names(
    folder: Path, children: Sequence[Path], sets: dict[_Key, dict[str, list[Path]]], is_data: Callable[[Path], bool]
) -> None:
    """Raises DataError where everything is called by a part, but not in one way: read together, test data would be trained on."""
    splits = {split for found in sets.values() for split in found}
    called = {path for found in sets.values() for paths in found.values() for path in paths}
    if len(splits) < 2:
        return
    data = [child for child in children if is_data(child)]
    if data and called.issuperset(data):
        raise DataError(
            f"{folder}: expected names that tell training, development and test part, got {_names(data)}; call them train, dev and test "
            "(files, or folders of several files), or name the file to read"
        )


def _names(paths: Iterable[Path]) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
