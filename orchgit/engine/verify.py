"""Holds a history of the state branch against the rules: gathers what the judge of one commit has to know."""

from __future__ import annotations

import re
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from orchgit.engine.claims import Claims
from orchgit.model import audit, config
from orchgit.model.audit import Facts, Finding, Offence, Signed
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, UsageError
from orchgit.model.task import Status, Task
from orchgit.repository import brought, git, inbase, objects, trail
from orchgit.repository.layout import STATE_BRANCH, STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State
    from orchgit.repository.trail import Recorded

_AT_ONCE = 2000
_HEX = re.compile(r"[0-9a-f]{4,64}")
_SIGNED = {"G": Signed.GOOD, "U": Signed.UNKNOWN, "N": Signed.MISSING, "E": Signed.UNKNOWN}


class Lack(StrEnum):
    """What a clone lacks to tell whether the base branch holds a task's work."""

    BASE = "base"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Case:
    """What a commit did against the rules; `author` is a name."""

    commit: str
    at: datetime
    author: str
    subject: str
    finding: Finding


@dataclass(slots=True)
class Report:
    """`first` holds the first case of each offence, oldest first, and `counts` how many there are of it.

    `commits` were verified. `corrected` are those that were not legal, and set back by a later commit that says so.
    `unchecked` are tasks that are done, and what lacks here to tell that the base branch holds their work.
    """

    commits: int = 0
    corrected: set[str] = field(default_factory=set)
    first: dict[Offence, Case] = field(default_factory=dict)
    counts: dict[Offence, int] = field(default_factory=dict)
    unchecked: dict[str, Lack] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not self.first

    def note(self, case: Case) -> None:
        self.first.setdefault(case.finding.offence, case)
        self.counts[case.finding.offence] = self.counts.get(case.finding.offence, 0) + 1


@dataclass(slots=True)
class _Judging:
    """A verification under way. `settings` are those in force after each commit that was read.

    `drafts` are new files that can't be read, as path and blob, with the commits that brought them.
    """

    directory: Path
    env: Mapping[str, str]
    bases: Sequence[str] | None
    settings: dict[str, Config] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    corrected: set[tuple[str, str]] = field(default_factory=set)
    put_right: list[tuple[str, str, str]] = field(default_factory=list)
    adopted: set[tuple[str, str]] = field(default_factory=set)
    drafts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)

    def settings_at(self, commit: str) -> Config:
        """Return the settings in force at `commit`: read where the range that is verified begins after it."""
        if commit not in self.settings:
            self.settings[commit] = _config_at(self.directory, commit, self.env)
        return self.settings[commit]

    def note_settings(self, each: Recorded) -> None:
        before = self.settings_at(each.parents[0]) if each.parents else Config()
        now = next((c.after for c in each.commit.parents[0] if c.path == config.PATH), None)
        self.settings[each.id] = now.item if now and isinstance(now.item, Config) else before


def check(
    directory: Path,
    revisions: Sequence[str] = (STATE_REF,),
    *,
    bases: Sequence[str] | None = None,
    claims: bool = False,
    env: Mapping[str, str] | None = None,
) -> Report:
    """Verify the commits that `revisions` name, as `git log` takes them; the whole history is looked at for gaps too.

    `bases` are commits of the base branch, where it isn't to be found by its name. With `claims` new files must have an
    id, or a name, of their own at the end. `env` is for git, where objects lie elsewhere: in a hook on a server, say.
    """
    judging = _Judging(directory, {**trail.NO_REPLACEMENTS, **(env or {})}, bases)
    report = Report()
    recorded = trail.read(directory, revisions, env=env)
    cases: list[Case] = []
    last: Recorded | None = None
    while some := list(islice(recorded, _AT_ONCE)):
        cases += _judge(judging, some, report)
        last = some[-1]
    for case in cases:
        if (case.commit, case.finding.path) in judging.adopted and case.finding.offence is Offence.INVALID_FILE:
            continue
        if _is_corrected(judging, case):
            report.corrected.add(case.commit)
        else:
            report.note(case)
    for each, finding in judging.claims.found(directory, last.id, env=judging.env) if claims and last else ():
        report.note(_case(each, finding))
    if tuple(revisions) == (STATE_REF,):
        for case in _rewritten(judging):
            report.note(case)
    return report


def named(layout: Layout, state: State, words: Sequence[str]) -> tuple[str, ...]:
    """Return the revisions that a person named; UsageError where one is an option, or leads out of the state branch."""
    for word in words:
        names = git.call("rev-parse", "--revs-only", word, cwd=layout.state).text.split()
        tips = [name for name in names if not name.startswith("^")]
        if word.startswith("-") or not names:
            raise UsageError(f"{word!r} names no commits.", "Give a range as git log takes it: orchestry~10..orchestry")
        if not all(git.is_ancestor(tip, state.tip, cwd=layout.common) for tip in tips):
            raise UsageError(f"{word!r} is not of the branch {STATE_BRANCH}.", "`orchgit log` lists its commits.")
    return tuple(words)


def _judge(judging: _Judging, some: Sequence[Recorded], report: Report) -> Iterator[Case]:
    for each, findings, unknown in _found(judging, some):
        report.commits += 1
        _note_drafts(judging, each)
        judging.claims.note(each)
        yield from (_case(each, finding) for finding in findings)
        if not findings and each.commit.message.get("Restores"):
            commits = (each.commit.message.get("Corrects") or "").split()
            judging.corrected.update((name, change.path) for name in commits for change in each.commit.parents[0])
            back = each.commit.message.get("Restores") or ""
            judging.put_right += [(name, back, each.id) for name in commits if not each.commit.parents[0]]
        for task in () if each.is_start else _done(each):
            if task.review_commit and task.review_commit in unknown:
                report.unchecked[task.id] = unknown[task.review_commit]


def _note_drafts(judging: _Judging, each: Recorded) -> None:
    """Note which new files were no task yet, and which of them the ledger has made one of, as they were."""
    for change in each.commit.parents[0]:
        before, after = change.before, change.after
        if before is None and after is not None and isinstance(after.item, InvalidFileError):
            judging.drafts.setdefault((change.path, after.blob), []).append(each.id)
        elif before is not None and audit.adopts(each.commit, change):
            commits = judging.drafts.get((change.path, before.blob), ())
            judging.adopted.update((commit, change.path) for commit in commits)


def _is_corrected(judging: _Judging, case: Case) -> bool:
    """Was what the commit did set back, by a later one that is legal and names it?

    One that changes nothing says that this had been done by then: the file is as it is in the commit that it restores.
    """
    path = case.finding.path
    if any(commit == case.commit and path in ("", where) for commit, where in judging.corrected):
        return True
    claims = [(back, by) for commit, back, by in judging.put_right if commit == case.commit]
    return bool(path) and any(_is_same(judging, back, by, path) for back, by in claims)


def _is_same(judging: _Judging, one: str, other: str, path: str) -> bool:
    said = git.call("diff", "--quiet", one, other, "--", f":(top,literal){path}", cwd=judging.directory)
    return said.code == 0


def findings(directory: Path, revisions: Sequence[str]) -> Iterator[tuple[Recorded, tuple[Finding, ...]]]:
    """Yield the commits that `revisions` name, oldest first, each with what it does against the rules."""
    judging, recorded = _Judging(directory, trail.NO_REPLACEMENTS, None), trail.read(directory, revisions)
    while some := list(islice(recorded, _AT_ONCE)):
        yield from ((each, found) for each, found, _ in _found(judging, some))


def _found(
    judging: _Judging, some: Sequence[Recorded]
) -> Iterator[tuple[Recorded, tuple[Finding, ...], Mapping[str, Lack]]]:
    """Yield commits with their offences, and the reviewed commits of which nobody can tell here, with the reason."""
    for each in some:
        judging.note_settings(each)
    in_base, unknown = _in_base(judging, some)
    holds = _holds(judging, some)
    signed = _signatures(judging, some)
    for each in some:
        judging.seen.add(each.id)
        facts = Facts(in_base=in_base, holds=holds, signed=signed.get(each.id), restored=_restored(judging, each))
        yield each, () if each.is_start else audit.judge(each.commit, facts), unknown


def _case(each: Recorded, finding: Finding) -> Case:
    return Case(each.id, each.at, each.commit.author.name, each.commit.message.subject, finding)


def _done(each: Recorded) -> Iterator[Task]:
    """Yield the tasks that a commit makes, or leaves, done: their work must be in the base branch."""
    for change in each.commit.parents[0]:
        item = change.after.item if change.after else None
        if isinstance(item, Task) and item.status is Status.DONE and item.review_commit != item.review_base:
            yield item


def _in_base(judging: _Judging, some: Sequence[Recorded]) -> tuple[dict[str, bool], dict[str, Lack]]:
    """Return which reviewed commits the base branch holds, and what lacks to tell it of the others."""
    wanted = {task.review_commit for each in some for task in _done(each) if task.review_commit}
    if not wanted:
        return {}, {}
    now = judging.settings_at(STATE_REF).project_base
    names = dict.fromkeys([now, *(judging.settings[each.id].project_base for each in some)])
    bases = judging.bases if judging.bases is not None else base_commits(judging.directory, names, env=judging.env)
    if not bases:
        return {}, dict.fromkeys(wanted, Lack.BASE)
    landed = is_landed(judging.directory, wanted, bases, env=judging.env)
    unknown: dict[str, Lack] = {}
    for each in some:
        for task in _done(each):
            if task.review_commit and landed.get(task.review_commit) is False:
                came = _came_otherwise(judging, each, task, bases)
                unknown.update({task.review_commit: Lack.WORK} if came is None else {})
                landed[task.review_commit] = came is True
    return {commit: there for commit, there in landed.items() if commit not in unknown}, unknown


def _came_otherwise(judging: _Judging, each: Recorded, task: Task, bases: Sequence[str]) -> bool | None:
    """Was the work squashed or rebased into the base branch? None where nobody can tell: the work itself isn't here.

    `Landed-Commit` says where to look, and proves nothing. What was squashed elsewhere is seldom pushed as it was.
    """
    assert task.review_commit
    work = inbase.Work(task.id, task.review_base or task.review_commit, task.review_commit)
    named = each.commit.message.get("Landed-Commit") or ""
    known = is_landed(judging.directory, [named], bases, env=judging.env) if _HEX.fullmatch(named) else {}
    if known.get(named) and git.commit_of(task.review_commit, cwd=judging.directory) is None:
        return None if _may_have_it(judging, task, named, bases) else False
    tips = [named] if known.get(named) else bases
    return any(inbase.find(judging.directory, work, tip) for tip in tips)


def _may_have_it(judging: _Judging, task: Task, commit: str, bases: Sequence[str]) -> bool:
    """Can `commit`, of the base branch, be what brought the work, which isn't here?

    It changes files, it came after what the work was begun on, and not for other tasks.
    """
    start = task.review_base
    if git.call("diff-tree", "--quiet", f"{commit}^", commit, "--", cwd=judging.directory).code != 1:
        return False
    if not start or git.commit_of(start, cwd=judging.directory) is None:
        return True
    came = [brought.tasks(judging.directory, start, base).get(commit) for base in bases]
    return any(tasks is not None and (not tasks or task.id in tasks) for tasks in came)


def base_commits(directory: Path, names: Iterable[str], *, env: Mapping[str, str]) -> list[str]:
    """Return where the base branches with these names stand here, each in this clone and as its remotes had it last."""
    said = git.run(
        "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes", cwd=directory, env=env
    )
    wanted = tuple(f"/{name}" for name in names if name)
    refs = (line.split(" ", 1) for line in said.text.splitlines())
    return list(dict.fromkeys(commit for commit, ref in refs if _branch_of(ref) in wanted))


def _branch_of(ref: str) -> str:
    """Return `/main` for refs/heads/main and for refs/remotes/origin/main."""
    kind, _, name = ref.removeprefix("refs/").partition("/")
    return f"/{name}" if kind == "heads" else f"/{name.partition('/')[2]}"


def is_landed(
    directory: Path, commits: Iterable[str], bases: Sequence[str], *, env: Mapping[str, str]
) -> dict[str, bool]:
    """Return for each commit whether any of `bases` holds it: one git process for all. What isn't here, isn't held."""
    wanted = list(commits)
    asked = "\n".join((*wanted, *bases)).encode() + b"\n"
    said = git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", cwd=directory, stdin=asked, env=env)
    here = {name for name, kind in (line.split(" ", 1) for line in said.text.splitlines()) if kind == "commit"}
    stdin = "\n".join([*(each for each in wanted if each in here), *(f"^{base}" for base in bases if base in here)])
    said = git.run("rev-list", "--stdin", cwd=directory, stdin=stdin.encode() + b"\n", env=env)
    missing = frozenset(said.text.split())
    return {each: each in here and each not in missing for each in wanted}


def _holds(judging: _Judging, some: Sequence[Recorded]) -> dict[tuple[str, str], bool]:
    """Return for each approval whether its Merge-Commit holds what was reviewed; nothing where that isn't here."""
    pairs = {
        (merge, task.review_commit)
        for each in some
        if (merge := each.commit.message.get("Merge-Commit"))
        for task in _done(each)
        if task.review_commit
    }
    parents = _parents(judging, {merge for merge, _ in pairs if _HEX.fullmatch(merge)})
    return {
        (merge, commit): commit in parents[merge] or git.is_ancestor(commit, merge, cwd=judging.directory)
        for merge, commit in pairs
        if merge in parents
    }


def _parents(judging: _Judging, commits: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the parents of those commits that are here, and the commits themselves with them."""
    wanted = sorted(commits)
    if not wanted:
        return {}
    asked = "\n".join(wanted).encode() + b"\n"
    said = git.run("cat-file", "--batch-check=%(objecttype)", cwd=judging.directory, stdin=asked, env=judging.env)
    here = [commit for commit, kind in zip(wanted, said.text.splitlines(), strict=True) if kind == "commit"]
    said = git.run(
        "rev-list", "--no-walk=unsorted", "--parents", "--stdin", cwd=judging.directory,
        stdin="\n".join(here).encode() + b"\n", env=judging.env,
    )  # fmt: skip
    return {line.split()[0]: tuple(line.split()) for line in said.text.splitlines()} if here else {}


def _signatures(judging: _Judging, some: Sequence[Recorded]) -> dict[str, Signed]:
    """Return how the signatures stand of the commits that need one; nothing is asked where none does."""
    wanted = [each.id for each in some if _needs_signature(judging, each)]
    if not wanted:
        return {}
    said = git.run(
        "log", "--no-walk=unsorted", "--format=%H %G?", "--stdin", cwd=judging.directory,
        stdin="\n".join(wanted).encode() + b"\n", env=judging.env,
    )  # fmt: skip
    found = dict(line.split(" ", 1) for line in said.text.splitlines())
    signed = {commit: _SIGNED.get(letter, Signed.BAD) for commit, letter in found.items()}
    # Where no list of allowed signers is set, git says of a commit with an SSH signature that it has none.
    bare = [commit for commit, how in signed.items() if how is Signed.MISSING]
    texts = objects.blobs(bare, cwd=judging.directory, env=judging.env)
    carrying = (each for each, text in zip(bare, texts, strict=True) if b"\ngpgsig" in text.partition(b"\n\n")[0])
    return {**signed, **dict.fromkeys(carrying, Signed.UNKNOWN)}


def _needs_signature(judging: _Judging, each: Recorded) -> bool:
    """Is a signature required before it or after it? The commit that ends the requirement needs one too."""
    before = judging.settings_at(each.parents[0]).require_signatures if each.parents else False
    return before or judging.settings[each.id].require_signatures


def _restored(judging: _Judging, each: Recorded) -> dict[str, str | None] | None:
    named = each.commit.message.get("Restores")
    if not named or not _HEX.fullmatch(named):
        return None
    commit = git.commit_of(named, cwd=judging.directory)
    if commit is None or not git.is_ancestor(commit, each.id, cwd=judging.directory):
        return None
    with objects.reader(judging.directory) as reader:
        found = {change.path: reader.object(f"{commit}:{change.path}") for change in each.commit.parents[0]}
    return {path: blob[0] if blob else None for path, blob in found.items()}


def _rewritten(judging: _Judging) -> Iterator[Case]:
    """Yield what once was the tip here, or a remote's, and is in the history no more: as far as reflogs remember."""
    said = git.text("for-each-ref", "--format=%(refname)", f"refs/remotes/*/{STATE_BRANCH}", cwd=judging.directory)
    for ref in (STATE_REF, *said.split()):
        log = git.call("log", "--walk-reflogs", "--format=%H%x00%at%x00%an%x00%s", ref, "--", cwd=judging.directory)
        entries = dict(line.split("\0", 1) for line in log.text.splitlines() if "\0" in line) if log.code == 0 else {}
        gone = [commit for commit in entries if commit not in judging.seen]
        gone = [commit for commit in gone if not git.is_ancestor(commit, ref, cwd=judging.directory)]
        for commit in reversed(gone):
            yield _gone(commit, ref, entries[commit])


def _gone(commit: str, ref: str, entry: str) -> Case:
    seconds, author, subject = entry.split("\0", 2)
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    finding = Finding(Offence.REWRITTEN_HISTORY, "", f"it was the tip of {branch}, and is not in its history any more")
    return Case(commit, datetime.fromtimestamp(int(seconds), UTC), author, subject, finding)


def _config_at(directory: Path, commit: str, env: Mapping[str, str]) -> Config:
    said = git.call("cat-file", "blob", f"{commit}:{config.PATH}", cwd=directory, env=env)
    try:
        return config.read(said.out.decode()) if said.code == 0 else Config()
    except (InvalidFileError, UnicodeDecodeError):
        return Config()
