"""How the running loop is spoken to: its token, the order that names it, and whether the team is paused."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from orchgit.model.dataclass import dataclass
from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout


_ROOM = 512  # bytes for an order, which a full disk must not keep from us


class Order(StrEnum):
    """What the one loop of a clone can be asked from outside."""

    DRAIN = "drain"  # start nothing more, end when what runs has ended
    LEAVE = "leave"  # end now, what runs goes on
    NOW = "now"  # end what runs, give its tasks back, then end


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused the team, and when: an ISO time."""

    by: str
    at: str


def appear(layout: Layout) -> str:
    """Note that a loop has begun and return its token; whoever calls holds the loop's lock."""
    token = secrets.token_hex(8)
    files.keep_room(_order(layout), _ROOM)
    files.replace(_token(layout), token.encode())
    return token


def running(layout: Layout) -> str | None:
    """Return the token of the loop that began last; only the loop's lock says whether it still runs."""
    found = files.read(_token(layout))
    return found.decode() if found else None


def give(layout: Layout, order: Order, *, to: str, by: str) -> None:
    """Ask the loop that has the token `to`; an order that it didn't live to see is nobody else's."""
    files.replace(_order(layout), json.dumps({"to": to, "order": order, "by": by}).encode())


def take(layout: Layout, token: str) -> tuple[Order, str] | None:
    """Return what the loop with this `token` is asked and by whom, once; None where it is asked nothing."""
    asked = _read(_order(layout))
    if asked is None or asked.get("to") != token:
        return None
    _order(layout).unlink(missing_ok=True)
    with suppress(OSError):  # the disk is full: then another one may find no room
        files.keep_room(_order(layout), _ROOM)
    try:
        return Order(asked["order"]), str(asked["by"])
    except (KeyError, ValueError):  # another version's
        return None


def is_waiting(layout: Layout) -> bool:
    """Does an order lie there that no loop has taken?"""
    return _order(layout).exists()


def pause(layout: Layout, found: Pause) -> None:
    files.replace(_paused(layout), json.dumps({"by": found.by, "at": found.at}).encode(), durable=True)


def resume(layout: Layout) -> None:
    _paused(layout).unlink(missing_ok=True)


def paused(layout: Layout) -> Pause | None:
    """Return who paused the team, or None; a file that can't be read pauses it all the same."""
    if not _paused(layout).exists():
        return None
    said = _read(_paused(layout)) or {}
    return Pause(str(said.get("by", "somebody")), str(said.get("at", "")))


def _read(path: Path) -> dict[str, Any] | None:
    data = files.read(path)
    try:
        values = json.loads(data) if data else None
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _token(layout: Layout) -> Path:
    return layout.orders / "token"


def _order(layout: Layout) -> Path:
    return layout.orders / "order.json"


def _paused(layout: Layout) -> Path:
    return layout.orders / "paused.json"
