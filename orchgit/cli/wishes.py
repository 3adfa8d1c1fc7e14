"""The options that say what a task should be, and the task that they ask for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit.cli import budget, given
from orchgit.model import setup

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from orchgit.engine.tasks import Wish


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what a task should be."""
    every = (
        click.option("-d", "--description", help="What to do, in Markdown; `-` reads it from standard input."),
        click.option("-p", "--priority", type=click.IntRange(1, 4), help="1 urgent to 4 low."),
        click.option("-l", "--labels", help="Labels, with commas between."),
        click.option("--assignee", help="An agent, a team or a person."),
        click.option("--depends-on", help="Ids of tasks that must be done first, with commas between."),
        click.option("--goal", "--goal-id", "goal", help="The goal it serves."),
        click.option("--scope", help="Globs of the files it may touch, with commas between."),
        click.option("--context", help="Keys of the team's context that its prompt carries, with commas between."),
        click.option("--review-criteria", help="What its review looks at, with commas between: test_pass,lint."),
        click.option("--max-attempts", type=click.IntRange(1, 100), help="How often it may be tried."),
        click.option("--timeout", "timeout_ms", type=click.IntRange(1), help="The longest that a run may take, in ms."),
        click.option("--stall-timeout", "stall_timeout_ms", type=click.IntRange(1), help="The longest silence, in ms."),
        budget.options,
        click.option("--retry-delay-ms", type=click.IntRange(0), help="Wait before the first retry; it doubles."),
        click.option("--workspace-mode", type=click.Choice(setup.MODES), help="Where it is worked on."),
    )
    for option in reversed(every):
        function = option(function)
    return function


def wish(title: str | None, options: dict[str, Any]) -> Wish:
    from orchgit.engine.tasks import Wish

    return Wish(
        title=title,
        description=given.text(options.get("description")),
        priority=options.get("priority"),
        labels=given.listed(options.get("labels")),
        assignee=options.get("assignee"),
        depends_on=given.listed(options.get("depends_on")),
        goal=options.get("goal"),
        scope=given.listed(options.get("scope")),
        context=given.listed(options.get("context")),
        review_criteria=given.listed(options.get("review_criteria")),
        max_attempts=options.get("max_attempts"),
        timeout_ms=options.get("timeout_ms"),
        stall_timeout_ms=options.get("stall_timeout_ms"),
        max_turns=options.get("max_turns"),
        max_tokens=options.get("max_tokens"),
        max_cost_usd=options.get("max_cost_usd"),
        retry_delay_ms=options.get("retry_delay_ms"),
        workspace_mode=options.get("workspace_mode"),
    )


def paths(words: tuple[str, ...]) -> list[Path]:
    """Return the files that were named, one an option or several with commas between; a name may have commas itself."""
    whole = {
        word: [Path(word)] if Path(word).exists() else [Path(each) for each in given.listed(word) or ()]
        for word in words
    }
    return [path for word in words for path in whole[word]]


def read(file: Path) -> str:
    from orchgit.model import document

    return sys.stdin.read() if str(file) == "-" else document.decode(str(file), file.read_bytes())


def draft(wish: Wish, text: str) -> str:
    from orchgit.model import document

    keys = {"title": "", **wish.keys()}
    made = document.edit(text, keys)
    return document.replace_body(made, wish.description) if wish.description else made
