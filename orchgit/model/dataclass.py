"""Dataclasses that cost next to nothing until they are used."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type], type]:
        """Do what `dataclasses.dataclass` does, but write a class's methods when the first of them is called.

        Python writes and compiles six for each class, which takes 0.7 ms. A command loads a hundred classes, and makes
        instances of a few.
        """
        return lambda cls: _made(cls, frozen=frozen, slots=slots)


__all__ = ["dataclass"]
_METHODS = ("__init__", "__repr__", "__eq__")


def _made(cls: type, *, frozen: bool, slots: bool) -> type:
    cls.__doc__ = cls.__doc__ or cls.__name__  # or Python makes one up, which takes as long as all the rest
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    for name in (*_METHODS, *(["__hash__"] if frozen else [])):
        if name not in vars(made):
            setattr(made, name, _promise(made, name, frozen=frozen))
    if frozen:
        made.__setattr__, made.__delattr__, made.__setstate__ = _refuse_to_set, _refuse_to_delete, _restore
    else:
        made.__hash__ = None
    return made  # type: ignore[no-any-return]


def _promise(made: type, name: str, *, frozen: bool) -> Callable[..., Any]:
    """Return a method that puts the real one in place of itself, and calls it."""

    def method(self: object, *args: Any, **options: Any) -> Any:
        real = _written(made, name, frozen=frozen)
        setattr(made, name, real)
        return real(self, *args, **options)

    return method


def _written(made: Any, name: str, *, frozen: bool) -> Callable[..., Any]:
    """Let Python write the method, for a class of the same fields."""
    fields = made.__dataclass_fields__
    kept = {key: getattr(made, key) for key in ("__module__", "__qualname__", "__post_init__") if hasattr(made, key)}
    kept |= {"__annotations__": {key: each.type for key, each in fields.items()}, "__doc__": "The same."}
    writer = dataclasses.dataclass(
        init=name == "__init__", repr=name == "__repr__", eq=name in ("__eq__", "__hash__"),
        frozen=frozen and name in ("__init__", "__hash__"),
    )  # fmt: skip
    method: Callable[..., Any] = getattr(writer(type(made.__name__, (), {**kept, **fields})), name)
    return method


def _refuse_to_set(_: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: object, state: tuple[dict[str, Any] | None, dict[str, Any]] | dict[str, Any]) -> None:
    """Take what `copy` and `pickle` kept of an instance: the values of its slots come second."""
    for values in state if isinstance(state, tuple) else (state,):
        for name, value in (values or {}).items():
            object.__setattr__(self, name, value)
