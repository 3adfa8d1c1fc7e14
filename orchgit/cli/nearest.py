"""What a command that there isn't may have been meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES: tuple[str, ...] = ("orchgit", "orch", "ao", "orchestry")
_ELSEWHERE = {
    **{verb: f"task {verb}" for verb in (
        "list", "show", "add", "edit", "assign", "take", "submit", "release", "cancel", "approve", "reject", "retry",
        "delete", "archive",
    )},
    "create": "task add", "new": "task add", "ls": "task list", "rm": "task delete", "remove": "task delete",
    "tasks": "task list", "agents": "agent list", "goals": "goal list", "teams": "team list", "messages": "msg list",
    "message": "msg send", "send": "msg send", "inbox": "msg inbox", "workspaces": "workspace list",
    "worktrees": "workspace list", "roles": "agent shop", "shop": "agent shop", "deploy": "org deploy",
    "watch": "run --watch", "start": "run --all", "ps": "status", "set": "config set", "get": "config get",
    "plan": "goal plan", "help": "--help", "version": "--version",
}  # fmt: skip
_SAME = {
    "create": ("add",), "new": ("add",), "make": ("add",), "set": ("add",), "add": ("create",),
    "rm": ("delete", "remove", "disband", "leave"), "remove": ("delete", "disband"), "delete": ("remove", "disband"),
    "del": ("delete", "remove"), "ls": ("list",), "info": ("show", "status"), "view": ("show",), "show": ("get",),
    "status": ("show",), "change": ("edit", "set"), "done": ("approve", "submit"), "merge": ("approve",),
    "start": ("take",), "claim": ("take",), "close": ("cancel",), "update": ("edit",), "unset": ("set",),
}  # fmt: skip


class Group(click.Group):
    """The commands of a noun."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            same = next((each for each in _SAME.get(args[0], ()) if each in self.commands), "")
            refuse(ctx, args[0], same or _closest(args[0], self.commands))
        return super().resolve_command(ctx, args)


def at_top(word: str, commands: Iterable[str]) -> str:
    """Return the command that `word`, typed in front, may mean: where its verb lives, or a similar one; else ""."""
    return _ELSEWHERE.get(word) or _closest(word, commands)


def refuse(ctx: click.Context, word: str, meant: str) -> None:
    """Say that there is no such command, and which may be meant, by the name that orchgit was called by."""
    called = ctx.find_root().info_name or ""
    program = called if called in _NAMES else _NAMES[0]
    place = " ".join([program, *ctx.command_path.split()[1:]])
    hint = f"Did you mean `{place} {meant}`? " if meant else ""
    inside = " ".join([*ctx.command_path.split()[1:], word])
    ctx.fail(f"There is no command {inside!r}. {hint}`{place} --help` lists them.")


def _closest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), "")
