"""Cut data into training, development and test parts: by document, and documents that share text on one side.

The cut follows from the documents, the shares and the seed alone.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from relsift.corpora.convert import with_ids
from relsift.corpora.corpus import DEV, SPLITS, TEST, TRAIN
from relsift.corpora.data import Data
from relsift.corpora.groups import Group, group_documents
from relsift.corpora.losses import holding
from relsift.errors import ConfigError, DataError, require
from relsift.files import check_output, open_output, recovered, replaced_files
from relsift.readers.base import ReadReport
from relsift.report.wording import counted
from relsift.schema import Document
from relsift.writers import native
from relsift.writers.content import ALL

SEED = 0
_NEAR = 0.5  # of a share: a part that differs more from it is named


def check_shares(dev: float, test: float) -> None:
    """Raises ConfigError for shares that leave nothing to train on, or cut nothing."""
    for name, share in (("--dev", dev), ("--test", test)):
        is_share = math.isfinite(share) and 0 <= share < 1
        require(is_share, name, expected="a share of the sentences, from 0 to below 1, such as 0.1", got=share)
    require(dev + test < 1, "--dev, --test", expected="shares that leave some for training", got=f"{dev:g} and {test:g}")
    require(dev + test > 0, "--dev, --test", expected="a share above 0, of one of them at least", got=f"{dev:g} and {test:g}")


def split_documents(documents: Sequence[Document], shares: Mapping[str, float], *, seed: int, where: str) -> dict[str, list[Document]]:
    """The documents by part, in their old order; what no share asks for is the training part.

    A part gets whole groups of documents (see `relsift.corpora.groups`) as long as they fit into its share of the sentences, and at least
    one. Documents without annotated relations cannot be scored, and stay in the training part.

    Args: shares: part -> share of the sentences, above 0. where: name of the data, for messages.
    Raises: DataError if there are fewer groups with annotated relations than parts.
    """
    groups = [group for group in group_documents(documents) if any(map(_is_annotated, group))]
    if len(groups) < len(shares) + 1:
        raise DataError(
            f"{where}: expected at least {len(shares) + 1} documents with annotated relations to cut into parts, got {len(groups)}; "
            "documents that share sentences count as one, and a document is never cut"
        )
    random.Random(seed).shuffle(groups)
    total = sum(map(_size, groups))
    part_of: dict[int, str] = {}
    for number, (part, share) in enumerate(shares.items(), start=1):
        most = len(groups) - (len(shares) - number) - 1  # a group is left for every later part, and one for training
        taken = _within(groups, share * total, most)
        part_of |= {id(document): part for group in taken for document in group}
        groups = [group for group in groups if not any(group is other for other in taken)]
    parts: dict[str, list[Document]] = {part: [] for part in (TRAIN, *shares)}
    for document in documents:
        parts[part_of.get(id(document), TRAIN)].append(document)
    return {part: parts[part] for part in SPLITS if part in parts}


def share_warnings(parts: Mapping[str, Sequence[Document]], shares: Mapping[str, float]) -> list[str]:
    """One line a part that is far from the share that was asked for, since its documents could not be separated."""
    total = sum(_size(part) for part in parts.values())
    lines = []
    for part, share in shares.items():
        size = _size(parts[part])
        if abs(size - share * total) > max(_NEAR * share * total, 1):
            lines.append(
                f"{part}: {size} of {total} sentences ({100 * size / total:.0f} %) in place of {100 * share:g} %: documents are not cut, "
                "and those with the same id or a shared sentence stay together"
            )
    return lines


def unlearnable_types(parts: Mapping[str, Sequence[Document]]) -> list[str]:
    """One line that names the relation types which only parts to score have, if there are any: no model can learn them."""
    counts = {part: _relation_types(documents) for part, documents in parts.items()}
    learnable = counts.pop(TRAIN, None)
    if learnable is None:
        return []
    types = [
        f"{name} ({counted(number, 'relation')} in {part})"
        for part, those in counts.items() for name, number in sorted(those.items()) if name not in learnable
    ]  # fmt: skip
    if not types:
        return []
    return [
        f"relation types without an example in {TRAIN}: {', '.join(types)}; no model can learn them, and each such relation counts as "
        "missed; another --seed cuts otherwise, and a type of one document can stand in one part only"
    ]


def split(
    data: Data, folder: Path, *, dev: float, test: float, seed: int, report: ReadReport
) -> tuple[dict[str, list[Document]], list[str]]:
    """Write the parts of `data` below `folder` in the native format, one file each, all or none. Returns them, and warnings.

    Of data with a training part, the parts that are there stay as they are, and the missing ones are cut from the training part.
    Raises: ConfigError for shares that cannot be, and for a folder that holds something; DataError if all parts are there already.
    """
    check_shares(dev, test)
    check_output(folder, data.inputs)
    if recovered(folder).exists() and (not folder.is_dir() or any(folder.iterdir())):
        got = "one that holds something" if folder.is_dir() else "a file"
        raise ConfigError(f"{folder}: expected a new or an empty folder for the parts, got {got}; name another one")
    shares = {part: share for part, share in ((DEV, dev), (TEST, test)) if share and part not in data.splits}
    if data.splits and TRAIN not in data.splits:
        raise DataError(f"{data.name}: expected data with a training part or without parts, got only {', '.join(data.splits)}")
    if not shares:
        raise DataError(
            f"{data.name}: expected data whose parts are not cut yet, got {', '.join(data.splits)}; "
            f"{data.name}/{TRAIN} names one part, which can be cut"
        )
    source = list(holding(data.documents(TRAIN if data.splits else None, report), report, ALL))
    parts = split_documents(source, shares, seed=seed, where=data.name)
    warnings = share_warnings(parts, shares)
    parts |= {part: list(holding(data.documents(part, report), report, ALL)) for part in data.splits if part != TRAIN}
    parts = {part: parts[part] for part in SPLITS if part in parts}
    warnings += unlearnable_types(parts)
    names = {part: f"{part}.jsonl" for part in parts}
    with replaced_files(folder, names.values()) as places:
        for part, name in names.items():
            with open_output(places[name], place=folder / name) as stream:
                native.write(with_ids(parts[part], report), stream)
    return parts, warnings


def _within(groups: Sequence[Group], size: float, most: int) -> list[Group]:
    """Groups in their order as long as they fit into `size` sentences; the smallest one if none does. At most `most` of them."""
    taken: list[Group] = []
    left = size
    for group in groups:
        if _size(group) <= left and len(taken) < most:
            taken.append(group)
            left -= _size(group)
    return taken or [min(groups, key=_size)]


def _relation_types(documents: Iterable[Document]) -> Counter[str]:
    return Counter(relation.type for document in documents for sentence in document.sentences for relation in sentence.relations or ())


def _is_annotated(document: Document) -> bool:
    return any(sentence.relations is not None for sentence in document.sentences)


def _size(documents: Iterable[Document]) -> int:
    return sum(len(document.sentences) for document in documents)
