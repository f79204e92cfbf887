"""Download a corpus's public archive and unpack it. `locate` checks every file by its checksum before it is read."""

from __future__ import annotations

import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from relsift.corpora.corpus import Corpus
from relsift.errors import DataError

ReportProgress = Callable[[str, int, int | None], None]
"""Called with (stage, amount done, total amount or None if unknown)."""

TIMEOUT = 30  # seconds without a byte
_BLOCK = 1 << 18  # bytes
_LARGEST = 500 << 20  # bytes, of the archive and of its unpacked content; the largest of the named corpora has 20 MB


def download(corpus: Corpus, folder: Path, progress: ReportProgress) -> None:
    """Fill `folder` with the unpacked archive. Raises DataError, with what to do instead, if that fails."""
    advice = f"download it elsewhere and run `relsift corpora prepare {corpus.name} --from DIR`"
    if corpus.download is None:
        raise DataError(f"{corpus.name}: expected --from DIR with the raw files, since no public page has them; {corpus.source}")
    archive = folder / "download.zip"
    try:
        _fetch(corpus.download, archive, progress)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{corpus.download}: expected to download {corpus.title}, got {reason}; {advice}") from error
    try:
        with zipfile.ZipFile(archive) as packed:
            size = sum(member.file_size for member in packed.infolist())
            if size > _LARGEST:
                raise DataError(f"{corpus.download}: expected at most {_LARGEST} bytes unpacked, got {size}")
            packed.extractall(folder / "unpacked")
    except zipfile.BadZipFile as error:
        raise DataError(f"{corpus.download}: expected a zip archive, got something else; {advice}") from error
    archive.unlink()


def _fetch(url: str, target: Path, progress: ReportProgress) -> None:
    if not url.startswith("https://"):
        raise DataError(f"{url}: expected an https address")
    request = urllib.request.Request(url, headers={"User-Agent": "relsift"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, target.open("wb") as stream:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdecimal() else None
        done = 0
        while block := response.read(_BLOCK):
            done += len(block)
            if done > _LARGEST:
                raise DataError(f"{url}: expected at most {_LARGEST} bytes, got more")
            stream.write(block)
            progress("downloading", done, total)
