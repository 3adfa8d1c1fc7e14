"""How the state folder and its branch stand after whatever was done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import verify
from orchgit.model import audit
from orchgit.repository import objects
from orchgit.repository.layout import STATE_REF
from tests.support.repos import git, is_sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.repository.layout import Layout


def kept(layout: Layout) -> list[bytes]:
    """Return all that the commits of the state branch hold, and the typed files that are kept under a ref."""
    refs = git(layout.common, "for-each-ref", "--format=%(refname)", "refs/orchgit/edits").split()
    listed = git(layout.common, "rev-list", "--objects", "--no-object-names", STATE_REF, *refs)
    return list(objects.blobs(listed.split(), cwd=layout.common))


def dropped_by_git(layout: Layout) -> list[bytes]:
    """Return what `git merge` has put aside and not brought back, since the branch moved while it tried."""
    said = git(layout.common, "fsck", "--unreachable", "--no-reflogs").splitlines()
    commits = [line.split()[2] for line in said if " commit " in line]
    stashes = [each for each in commits if git(layout.common, "log", "-1", "--format=%s", each).startswith("WIP on ")]
    listed = git(layout.common, "rev-list", "--objects", "--no-object-names", "--no-walk", *stashes) if stashes else ""
    return list(objects.blobs(listed.split(), cwd=layout.common))


def faults(layout: Layout) -> list[str]:
    """Return what is wrong with the history, with what was done by it, with the index, or with Git's objects."""
    own = layout.common / "worktrees" / "orchestry"
    left = [
        path.name for path in (layout.journal, own / "index.lock", *layout.state.rglob(".orchgit-*")) if path.exists()
    ]
    staged = git(layout.state, "diff", "--cached", "--name-only", "HEAD").splitlines()
    found = verify.check(layout.common).first.values()
    offences = [f"{case.commit[:12]} {case.finding.offence}: {case.finding.reason}" for case in found]
    unsound = [] if is_sound(layout.common) else ["fsck"]
    return [*offences, *acted_on(layout), *(f"staged: {path}" for path in staged), *left, *unsound]


def acted_on(layout: Layout) -> Iterator[str]:
    """Yield the transitions by the engine, and the runs, that rest on what was illegal at that moment."""
    illegal: dict[str, str] = {}
    for each, findings in verify.findings(layout.common, [STATE_REF]):
        changed = [change.path for change in each.commit.parents[0]]
        for change in each.commit.parents[0] if not findings else ():
            if audit.adopts(each.commit, change):
                illegal.pop(change.path, None)
        if each.commit.message.get("Restores") and not findings:
            for path in changed:
                illegal.pop(path, None)
        elif each.commit.message.get("Transition") and each.commit.message.get("Run"):
            yield from (f"{each.id[:12]} rests on {illegal[path][:12]}" for path in changed if path in illegal)
        for finding in findings:
            illegal.update(dict.fromkeys([finding.path] if finding.path else changed, each.id))
