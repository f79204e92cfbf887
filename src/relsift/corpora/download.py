"""Get a corpus's public archive and unpack it. `locate` checks every file by its checksum before it is read."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from relsift.archive import LARGEST, unpack
from relsift.corpora.corpus import Corpus
from relsift.errors import DataError

ReportProgress = Callable[[str, int, int | None], None]
"""Called with (stage, amount done, total amount or None if unknown)."""

TIMEOUT = 30  # seconds without a byte
_BLOCK = 1 << 18  # bytes
_LENGTH_DIGITS = 18  # of the announced size; a longer one says nothing


def download(corpus: Corpus, folder: Path, progress: ReportProgress) -> None:
    """Fill `folder` with the unpacked archive. Raises DataError, with what to do instead, if that fails."""
    advice = f"download and unpack it yourself, and run `relsift corpora prepare {corpus.name} --from DIR`"
    if corpus.download is None:
        raise DataError(f"{corpus.name}: expected --from DIR with the raw files, since no public page has them; {corpus.source}")
    archive = folder / "download.zip"
    try:
        _fetch(corpus.download, archive, progress)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or repr(error)
        raise DataError(f"{corpus.download}: expected to download {corpus.title}, got {reason}; {advice}") from error
    try:
        unpack(archive, folder / "unpacked", corpus.download)
    except DataError as error:
        raise DataError(f"{error}; {advice}") from error
    archive.unlink()


def _fetch(url: str, target: Path, progress: ReportProgress) -> None:
    if not url.startswith("https://"):
        raise DataError(f"{url}: expected an https address")
    request = urllib.request.Request(url, headers={"User-Agent": "relsift"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, target.open("wb") as stream:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdecimal() and len(length) <= _LENGTH_DIGITS else None
        done = 0
        while block := response.read(_BLOCK):
            done += len(block)
            if done > LARGEST:
                raise DataError(f"{url}: expected at most {LARGEST} bytes, got more")
            stream.write(block)
            progress("downloading", done, total)
    if total is not None and done != total:
        raise DataError(f"{url}: expected {total} bytes, got {done}; the connection ended early: try again")
