from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from orchgit.repository.layout import Layout
from orchgit.repository.machine import machine_id

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_made_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".git")
    first = machine_id(layout)
    assert re.fullmatch("[0-9a-f]{6}", first)
    assert machine_id(layout) == first
    assert [path.name for path in layout.local.iterdir()] == ["machine"]


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".git")
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(machine_id, [layout] * 16))) == 1


def test_a_torn_file_is_replaced(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".git")
    layout.local.mkdir(parents=True)
    (layout.local / "machine").write_bytes(b"")
    assert machine_id(layout) == machine_id(layout) != ""
