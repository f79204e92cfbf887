"""Fixtures that many tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no failure; CI, which has little time, draws fewer examples than the developer does.
settings.register_profile("relsift", deadline=None, max_examples=int(os.environ.get("RELSIFT_TEST_EXAMPLES", "100")))
settings.load_profile("relsift")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of public corpora, one subfolder each; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("RELSIFT_TEST_DATA") or Path(__file__).resolve().parents[1] / "../shared/data")
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}: set RELSIFT_TEST_DATA to their folder")
    return folder.resolve()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Tiny tensors are fastest on one thread; tests that are about threads set their own number."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Hugging Face with a tiny transformer; a test that needs it is skipped without the packages."""
    pytest.importorskip("transformers", exc_type=ImportError)
    from toy_transformer import write_toy_folder

    return write_toy_folder(tmp_path_factory.mktemp("toy-encoder"))
