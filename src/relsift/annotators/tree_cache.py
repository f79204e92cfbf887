"""A cache of dependency trees in `$RELSIFT_HOME/parses`: one SQLite file for each version of a parser, one row a sentence.

With SQLite, several processes can read and write at once, rows are written completely or not at all, and nothing is held in memory. A
sentence with a broken row is reported and parsed again. A file that is no database is reported and replaced.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from relsift.errors import DataError, OutputError
from relsift.home import home
from relsift.schema import Syntax

FOLDER = "parses"
PATIENCE = 60.0  # seconds to wait for another process that writes
_TABLE = "CREATE TABLE IF NOT EXISTS trees (key BLOB PRIMARY KEY, tree TEXT NOT NULL) WITHOUT ROWID"

Tokens = tuple[str, ...]


class TreeCache:
    """The cached trees of one version of a parser, by the tokens of the sentence."""

    def __init__(self, name: str, version: str, library: str, folder: Path | None = None) -> None:
        """Args: name, version: of the pipeline. library: version of spaCy. folder: None: `$RELSIFT_HOME/parses`."""
        digest = hashlib.sha256("\0".join((name, version, library)).encode()).hexdigest()[:12]
        self.file = (folder or home() / FOLDER) / f"{Path(name).name}-{version}-{digest}.sqlite"

    def get(self, sentences: Sequence[Tokens]) -> dict[Tokens, Syntax]:
        """The trees of the sentences that are in the cache."""
        trees: dict[Tokens, Syntax] = {}
        if not self.file.is_file():
            return trees
        with self._open() as database:
            for tokens in set(sentences):
                row = database.execute("SELECT tree FROM trees WHERE key = ?", (_key(tokens),)).fetchone()
                if row is None:
                    continue
                try:
                    trees[tokens] = _syntax(row[0], len(tokens))
                except (ValueError, KeyError, TypeError, DataError) as error:
                    warnings.warn(f"relsift: {self.file}: {' '.join(tokens[:5])!r} is parsed again: broken row: {error}", stacklevel=2)
        return trees

    def put(self, trees: Mapping[Tokens, Syntax]) -> None:
        """Write the trees, all or none of them."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as database, database:
                database.executemany("INSERT OR REPLACE INTO trees VALUES (?, ?)", _rows(trees.items()))
        except (OSError, sqlite3.OperationalError, DataError, OutputError) as error:  # a cache is a help and no condition
            reason = getattr(error, "strerror", None) or str(error)
            slower = f"these {len(trees)} sentences will be parsed again next time"
            warnings.warn(f"relsift: {self.file}: expected a place to keep parses, got {reason}; {slower}", stacklevel=2)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, full or read-only, but not broken
                raise DataError(f"{self.file}: expected a file that can be read and written, got {error}") from error
            warnings.warn(f"relsift: {self.file}: expected a cache of parses, got {error}; it is begun again", stacklevel=2)
            self.file.unlink()
            database = self._connect()
        with closing(database):
            try:
                yield database
            except sqlite3.OperationalError as error:
                raise OutputError(f"{self.file}: expected a file to read and write on, got {error}") from error

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.file, timeout=PATIENCE)
        try:
            database.execute(_TABLE)
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database


def _key(tokens: Tokens) -> bytes:
    return hashlib.sha256("\0".join(tokens).encode("utf-8", "surrogatepass")).digest()


def _rows(trees: Iterable[tuple[Tokens, Syntax]]) -> Iterator[tuple[bytes, str]]:
    for tokens, syntax in trees:
        yield _key(tokens), json.dumps([syntax.heads, syntax.dependencies, syntax.pos], ensure_ascii=False)


def _syntax(text: str, size: int) -> Syntax:
    heads, dependencies, pos = json.loads(text)
    if len(heads) != size:
        raise ValueError(f"expected {size} heads, got {len(heads)}")
    if not all(type(head) is int for head in heads):
        raise ValueError("expected whole numbers as heads")
    return Syntax(tuple(heads), tuple(map(str, dependencies)), tuple(map(str, pos)))
