"""The models that come with relsift, by name: `demo-en`, `demo-zh`. Each is a model folder beside this file (see `relsift.bundle`).

They are a demonstration: trained on the few hundred sentences of gazette, to show at once what the library does. The script
`benchmarks/shipped_models.py` of the repository makes them.
"""

from __future__ import annotations

from pathlib import Path

from relsift.errors import CheckpointError

_FOLDER = Path(__file__).parent
_MARK = "model.json"  # of a model folder


def shipped_models() -> tuple[str, ...]:
    """The names, in alphabetical order."""
    return tuple(sorted(place.parent.name for place in _FOLDER.glob(f"*/{_MARK}")))


def located(folder: Path) -> Path:
    """Where the model lies that `folder` names: the folder itself, unless it is the name of a model that comes with relsift.

    Raises: CheckpointError if the working directory holds something of that name too: which one is meant is not guessed.
    Example:
        >>> located(Path("demo-en")).parent.name, located(Path("runs/mine")).as_posix()
        ('shipped', 'runs/mine')
    """
    name = str(folder)
    if name not in shipped_models():
        return folder
    if folder.exists():
        raise CheckpointError(
            f"{name}: expected a name that only one thing has, got a model that comes with relsift and {folder.absolute()}; "
            "write the whole path for that one, or rename it to use the one that comes with relsift"
        )
    return _FOLDER / name
