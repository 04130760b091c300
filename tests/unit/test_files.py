"""Small files are there whole or not at all, whoever else writes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layerloom.files import write_json
from layerloom.schema.rates import RateSearch


@pytest.mark.parametrize("synced", [True, False])
def test_of_several_writers_each_leaves_a_whole_file(tmp_path: Path, synced: bool) -> None:
    file = tmp_path / "report.json"
    reports = [RateSearch(id=f"s{size}", losses=[0.5] * size) for size in (1, 2_000)]
    write_json(file, reports[0], synced=synced)

    def write(report: RateSearch) -> None:
        for _ in range(50):
            write_json(file, report, synced=synced)

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, report) for report in reports]
        while not all(one.done() for one in writing):
            assert RateSearch.model_validate_json(file.read_bytes()) in reports
    for one in writing:
        one.result()
    assert list(tmp_path.iterdir()) == [file]


def test_where_there_is_no_folder_any_more_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_json(tmp_path / "gone" / "report.json", RateSearch(id="s"))
    assert list(tmp_path.iterdir()) == []
