"""What Python's dataclasses do, ours do."""

from __future__ import annotations

import dataclasses
import pickle
from copy import deepcopy
from dataclasses import asdict, field, fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    notes: dict[str, int] = field(default_factory=dict, repr=False, compare=False)


@dataclass(slots=True)
class Tally:
    """A class that changes, counts what it was given, and says so in its own words."""

    names: list[str] = field(default_factory=list)
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.names)

    def __repr__(self) -> str:
        return f"{self.count} names"


def twin(made: Any, *, frozen: bool) -> Any:
    """Return the class as Python's own decorator makes it."""
    kept = {name: each for name, each in vars(made).items() if name in ("__qualname__", "__post_init__")}
    kept |= {"__annotations__": {each.name: each.type for each in fields(made)}, **made.__dataclass_fields__}
    return dataclasses.dataclass(frozen=frozen, slots=True)(type(made.__name__, (), kept))


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: repr(kind(1)),
        lambda kind: repr(kind(x=1, y=3)),
        lambda kind: kind(),
        lambda kind: kind(1, z=3),
        lambda kind: kind(1, 2, {}, 4),
        lambda kind: kind(1) == kind(1, notes={"a": 1}),
        lambda kind: kind(1) == kind(2),
        lambda kind: kind(1) != kind(1),
        lambda kind: kind(1) == (1, 2),
        lambda kind: hash(kind(1)) == hash(kind(1, 2, {"a": 1})),
        lambda kind: hash(kind(1)) == hash(kind(2)),
        lambda kind: len({kind(1), kind(1), kind(2)}),
        lambda kind: setattr(kind(1), "x", 2),
        lambda kind: delattr(kind(1), "x"),
        lambda kind: hasattr(kind(1), "__dict__"),
        lambda kind: repr(replace(kind(1), y=9)),
        lambda kind: asdict(kind(1, notes={"a": 1})),
        lambda kind: kind(1).notes is kind(1).notes,
        lambda kind: (kind.__match_args__, kind.__slots__),
        lambda kind: repr(deepcopy(kind(1, 7))),
        lambda kind: deepcopy(kind(1, 7)) == kind(1, 7),
    ],
)
def test_a_frozen_one_is_as_pythons(call: Callable[[Any], object]) -> None:
    assert said(call, Point) == said(call, twin(Point, frozen=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(["a"]).count,
        lambda kind: kind(count=1),
        lambda kind: kind(["a"]) == kind(["a"]),
        lambda kind: kind(["a"]) == kind(),
        lambda kind: hash(kind()),
        lambda kind: setattr(kind(), "count", 3),
        lambda kind: setattr(kind(), "other", 3),
        lambda kind: asdict(deepcopy(kind(["a", "b"]))),
    ],
)
def test_one_that_changes_is_as_pythons(call: Callable[[Any], object]) -> None:
    assert said(call, Tally) == said(call, twin(Tally, frozen=False))


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Tally(["a", "b"])) == "2 names"


def test_it_goes_through_pickle() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 7, {"a": 1}))).notes == {"a": 1}


def said(call: Callable[[Any], object], kind: Any) -> object:
    try:
        return call(kind)
    except (TypeError, AttributeError) as error:
        return type(error), str(error)
