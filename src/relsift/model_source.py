"""Where a model comes from: a folder, a zip archive of one, a model that comes with relsift, or the hub of Hugging Face.

runs/mine                 a folder
mine.zip                  an archive of a model folder or a run folder, unpacked once into `$RELSIFT_HOME/models`
demo-en                   a model that comes with relsift
hub:owner/name            a model of the hub, its newest version
hub:owner/name@revision   that of a branch, a tag or a commit

The hub is named by `hub:` and never guessed, so that a mistyped folder asks no network.
"""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path

from relsift.archive import unpack
from relsift.errors import CheckpointError, DataError
from relsift.files import file_sha256
from relsift.home import home
from relsift.shipped import located

HUB, ARCHIVE = "hub:", ".zip"
LARGEST = 16 << 30  # bytes of an unpacked model; the largest encoders of the field have less
_MODELS = "models"  # below the home folder
_HUB = "relsift.integrations.hub"  # by name: it lies above, and only those who ask for it need it


def model_place(folder: Path, revision: str | None = None) -> Path:
    """The folder of what is named (see the top of this module); a folder stays as it is, whether it is there or not.

    Args: revision: of a model of the hub, in place of one behind `@`.
    Raises: CheckpointError for an archive that cannot be unpacked, a hub that cannot be reached, or a model that it does not have;
        ConfigError for a revision of anything else, or if huggingface_hub is not installed.
    """
    name = str(folder)
    if name.startswith(HUB):
        place: Path = import_module(_HUB).fetched(name.removeprefix(HUB), revision)
        return place
    if revision is not None:
        raise CheckpointError(f"revision: expected none for {name}, which is not of the hub, got {revision!r}; write hub:owner/name")
    if folder.suffix.lower() == ARCHIVE and folder.is_file():
        return _unpacked(folder)
    return located(folder)


def is_own(folder: Path) -> bool:
    """Whether this names a folder of the user, which may be changed."""
    return not str(folder).startswith(HUB) and not (folder.suffix.lower() == ARCHIVE and folder.is_file()) and located(folder) == folder


def _unpacked(archive: Path) -> Path:
    """The folder in the archive, at its top or in a single folder there."""
    place = home() / _MODELS / file_sha256(archive)
    if not place.is_dir():
        fresh = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            unpack(archive, fresh, str(archive), most=LARGEST)
            fresh.rename(place)
        except DataError as error:
            raise CheckpointError(str(error)) from error
        except OSError as error:
            if not place.is_dir():  # else another process was faster
                raise CheckpointError(f"{archive}: expected to unpack it into {place.parent}, got {error.strerror or error}") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    inside = [child for child in place.iterdir() if not child.name.startswith((".", "__MACOSX"))]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "model" else place
