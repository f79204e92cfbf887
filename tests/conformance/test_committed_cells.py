"""The cells in the repository, from which docs/results is made, are read by this version."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from relsift.experiments.cell_files import PACK_FILE, write_pack
from relsift.experiments.grid import load_results

FOLDERS = sorted(file.parent for file in (Path(__file__).parents[2] / "benchmarks" / "results").glob(f"*/*/{PACK_FILE}"))
pytestmark = pytest.mark.skipif(not FOLDERS, reason="not in a checkout of the repository")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_committed_grid_is_read_whole_and_packed_to_the_same_content(folder, tmp_path):
    results = load_results(folder)
    cells = [cell for system in results.systems for cell in results.of(system)]
    write_pack(tmp_path / PACK_FILE, results.plan, cells)
    committed, again = (lzma.decompress((place / PACK_FILE).read_bytes()) for place in (folder, tmp_path))
    assert again == committed
    assert len(cells) == json.loads(committed.partition(b"\n")[0])["cells"] > 0
