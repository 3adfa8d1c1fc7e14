"""The judge of a push: what it brings to a state branch must verify, on the way out and on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import verify
from orchgit.model import config
from orchgit.model.audit import Offence
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, RefusedError
from orchgit.repository import git
from orchgit.repository.layout import STATE_BRANCH, STATE_REF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orchgit.engine.verify import Case, Report

_HEADS = "refs/heads/"
_KEYS = "  The keys that count are known here: gpg.ssh.allowedSignersFile for SSH, the keyring for GPG."


@dataclass(frozen=True, slots=True)
class Update:
    """What a push does to one ref of the remote; `old` and `new` are None where there is none before, or after."""

    ref: str
    old: str | None
    new: str | None


def going_out(words: str) -> tuple[Update, ...]:
    """Read what git tells pre-push: `<local ref> <local id> <remote ref> <remote id>` lines."""
    lines = (line.split(" ") for line in words.splitlines())
    return tuple(Update(line[2], _id(line[3]), _id(line[1])) for line in lines if len(line) == 4)


def coming_in(words: str) -> tuple[Update, ...]:
    """Read what git tells pre-receive: `<old id> <new id> <ref>` lines."""
    lines = (line.split(" ", 2) for line in words.splitlines())
    return tuple(Update(line[2], _id(line[0]), _id(line[1])) for line in lines if len(line) == 3)


def before_push(common: Path, updates: Sequence[Update], *, remote: str = "") -> None:
    """RefusedError where the new commits of a state branch that goes out don't verify; `remote` is its name here."""
    ours = git.commit_of(STATE_REF, cwd=common)
    for update in updates:
        if update.ref == STATE_REF or (ours is not None and update.new == ours):
            _judge(common, update, bases=None, remote=remote)


def on_receipt(common: Path, updates: Sequence[Update]) -> None:
    """RefusedError where what comes to the state branch doesn't verify; base branches pushed with it count."""
    for update in (each for each in updates if each.ref == STATE_REF):
        base = _base(common, update.new) if update.new else ""
        fresh = [each.new for each in updates if each.ref == f"{_HEADS}{base}" and each.new]
        known = verify.base_commits(common, [base], env={}) if base else []
        _judge(common, update, bases=[*known, *fresh] or None, remote="")


def _judge(common: Path, update: Update, *, bases: Sequence[str] | None, remote: str) -> None:
    if update.new is None:
        what = f"The push deletes {STATE_BRANCH}: the team's history is never thrown away."
        raise RefusedError(what, "Leave that branch out of the push.")
    if update.old is not None and not git.is_ancestor(update.old, update.new, cwd=common):
        raise RefusedError(
            f"The push rewrites {STATE_BRANCH}: {update.old[:12]}, which the remote has, would be in it no more.",
            "Fetch it and merge it, then push again.",
        )
    report = verify.check(common, _new(common, update, remote), bases=bases, claims=True)
    if not report.is_clean:
        raise RefusedError(_words(report), "`orchgit verify` tells more; undo is a new commit, not another history.")


def _new(common: Path, update: Update, remote: str) -> list[str]:
    """Return the revisions that name the commits which the remote doesn't have, as far as is known."""
    assert update.new is not None
    if update.old is not None:
        return [update.new, f"^{update.old}"]
    if not remote:
        return [update.new]
    had = git.call("for-each-ref", "--format=^%(objectname)", f"refs/remotes/{remote}/{STATE_BRANCH}", cwd=common)
    return [update.new, *had.text.split()]


def _words(report: Report) -> str:
    cases = (_case(case, report.counts[offence] - 1) for offence, case in report.first.items())
    keys = [_KEYS] if Offence.BAD_SIGNATURE in report.first else []
    return "\n".join([f"{STATE_BRANCH} does not verify:", *cases, *keys])


def _case(case: Case, more: int) -> str:
    where = f"{case.finding.path}: " if case.finding.path else ""
    others = f" (and {more} more)" if more else ""
    return f"  {case.finding.offence.value}  {case.commit[:12]}  {case.author}  {where}{case.finding.reason}{others}"


def _base(common: Path, commit: str) -> str:
    said = git.call("cat-file", "blob", f"{commit}:{config.PATH}", cwd=common)
    try:
        return config.read(said.out.decode()).project_base if said.code == 0 else ""
    except (InvalidFileError, UnicodeDecodeError):
        return ""


def _id(word: str) -> str | None:
    return word if word.strip("0") else None
