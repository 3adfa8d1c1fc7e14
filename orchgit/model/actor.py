"""Who causes a change: a person, an agent, or the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchgit.model.errors import RefusedError


class Kind(StrEnum):
    PERSON = "person"
    AGENT = "agent"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Actor:
    """`email` is what the commit's author line carries; `via` is how it asks, where not by a command: "edit"."""

    kind: Kind
    name: str
    email: str
    via: str = ""


def agent(name: str) -> Actor:
    """Return the actor that the agent `name` is, as commits name it."""
    return Actor(Kind.AGENT, name, f"{name}@orchgit")


def refuse_agent(by: Actor, doing: str) -> None:
    """RefusedError where an agent asks for what is a person's to decide, as "change the team"."""
    if by.kind is Kind.AGENT:
        raise RefusedError(f"An agent may not {doing}.", "Ask the person you work for.")


ENGINE = Actor(Kind.ENGINE, "orchgit", "orchgit@orchgit")
