"""`orchgit verify`: does the history keep to the rules?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchgit.engine.verify import Case, Report

_NAMED = 5  # tasks, before a count stands for the rest
_LACKS = {
    "base": "this clone has no base branch to check that it holds the work",
    "work": "this clone lacks the reviewed commits to check that the base branch holds the work",
}


@click.command()
@click.argument("range", metavar="[RANGE]...", nargs=-1)
@show.as_json
@click.pass_context
def verify(ctx: click.Context, range: tuple[str, ...], *, wants_json: bool) -> None:  # noqa: A002 - as the usage says
    """Hold every commit of the state branch against the rules, or those of RANGE, as `git log` takes it.

    The first offence of each kind is named, and the exit code is 1 then.

    \b
    illegal-jump        the status, or a key that orchgit writes, changes as no rule allows
    two-tasks           a commit that moves a task changes another file as well
    wrong-trailer       a trailer says something else than the commit does
    rewritten-body      a transition changes the task's text, title or the like too
    done-without-merge  a task is done, and what was reviewed is not in the base branch
    unpinned-approval   what became done is not what was reviewed
    invalid-file        a file was committed that can't be read, or config.yaml deleted
    bad-signature       a commit that must be signed is not, or not by a known key
    rewritten-history   a commit that was once the tip is in the history no more
    """
    report = api.open_project(ctx.obj, edits=False).verify(*range)
    if wants_json:
        show.dump(_data(report))
    else:
        _tell(report)
    if not report.is_clean:
        ctx.exit(1)


def _tell(report: Report) -> None:
    for offence, case in report.first.items():
        click.echo(_line(case))
        if more := report.counts[offence] - 1:
            click.echo(f"  and {more} more of this kind")
    for lack, words in _LACKS.items():
        if tasks := [task for task, what in report.unchecked.items() if what == lack]:
            click.echo(f"orchgit: {words} of {_named(tasks)}.", err=True)
    counted = f"{report.commits} {'commit' if report.commits == 1 else 'commits'}"
    if report.corrected:
        which = "commit that was" if len(report.corrected) == 1 else "commits that were"
        click.echo(f"{len(report.corrected)} {which} not legal, and set back since.")
    click.echo(
        f"{counted} verified."
        if report.is_clean
        else f"{counted} looked at; `orchgit verify --help` explains offences."
    )


def _named(tasks: Sequence[str]) -> str:
    rest = len(tasks) - _NAMED
    return ", ".join(tasks[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _line(case: Case) -> str:
    what = show.style(case.finding.offence.value, fg="red", bold=True)
    where = f"{case.finding.path}: " if case.finding.path else ""
    return f"{what}  {case.commit[:12]}  {show.one_line(f'{case.author}  {where}{case.finding.reason}')}"


def _data(report: Report) -> dict[str, object]:
    return {
        "commits": report.commits,
        "clean": report.is_clean,
        "corrected": sorted(report.corrected),
        "offences": [
            {
                "offence": offence,
                "count": report.counts[offence],
                "commit": case.commit,
                "at": case.at,
                "author": case.author,
                "subject": case.subject,
                "path": case.finding.path,
                "reason": case.finding.reason,
            }
            for offence, case in report.first.items()
        ],
        "unchecked": list(report.unchecked),
    }
