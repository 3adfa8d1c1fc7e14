"""Orders reach the loop they name, once, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.repository import orders
from orchgit.repository.layout import Layout
from orchgit.repository.orders import Order, Pause

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, tmp_path / ".git")


@pytest.mark.parametrize("order", list(Order))
def test_an_order_is_taken_once_by_the_loop_that_it_names(layout: Layout, order: Order) -> None:
    token = orders.appear(layout)
    assert orders.running(layout) == token
    assert orders.take(layout, token) is None
    orders.give(layout, order, to=token, by="Ada")
    assert orders.take(layout, token) == (order, "Ada")
    assert not orders.is_waiting(layout)
    assert orders.take(layout, token) is None


def test_an_order_to_a_loop_that_died_is_nobody_elses(layout: Layout) -> None:
    orders.give(layout, Order.NOW, to=orders.appear(layout), by="Ada")
    assert orders.take(layout, orders.appear(layout)) is None
    assert orders.is_waiting(layout)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_order_asks_for_nothing(layout: Layout, data: bytes) -> None:
    token = orders.appear(layout)
    (layout.orders / "order.json").write_bytes(data)
    assert orders.take(layout, token) is None


def test_an_order_of_another_version_asks_for_nothing(layout: Layout) -> None:
    token = orders.appear(layout)
    (layout.orders / "order.json").write_text(f'{{"to": "{token}", "order": "dance", "by": "Ada"}}')
    assert orders.take(layout, token) is None
    assert not orders.is_waiting(layout)


def test_a_pause_lasts_until_it_is_ended(layout: Layout) -> None:
    assert orders.paused(layout) is None
    orders.pause(layout, Pause("Ada", "2026-11-22T10:00:00+00:00"))
    assert orders.paused(layout) == Pause("Ada", "2026-11-22T10:00:00+00:00")
    orders.resume(layout)
    orders.resume(layout)
    assert orders.paused(layout) is None


def test_a_damaged_pause_is_a_pause(layout: Layout) -> None:
    orders.pause(layout, Pause("Ada", ""))
    (layout.orders / "paused.json").write_text("{")
    assert orders.paused(layout) == Pause("somebody", "")
