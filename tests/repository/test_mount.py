from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import BusyError, GitError, NotFoundError, OrchgitError, RefusedError
from orchgit.repository import entry, find, locks, mount
from orchgit.repository import git as production_git
from orchgit.repository.mount import Did
from tests.support.repos import (
    add_worktree,
    clone,
    commit,
    file_bytes,
    git,
    git_bytes,
    is_clean,
    is_sound,
    make_bare,
    make_repo,
    make_script,
    subjects,
    write,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchgit.repository.layout import Layout

PACKAGE = Path(__file__).parents[2]
TASK = b"---\r\nid: tsk_1\r\n---\r\n$Id$ caf\xc3\xa9\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "project")
    mount.init(repo)
    return repo


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A bare remote that holds a project and its state branch, with one task in odd bytes."""
    source = make_repo(tmp_path / "source")
    mount.init(source)
    commit(source / ".orchestry", {"tasks/tsk_1-a.md": TASK}, "task(tsk_1): create")
    return make_bare(tmp_path / "team.git", source)


def in_order(project: Path) -> bool:
    """Is the state mounted, whole, and nowhere in the way?"""
    state = project / ".orchestry"
    layout = find.locate(project).layout
    return find.mounted(layout) and is_clean(project) and is_clean(state) and is_sound(state)


def snapshot(repo: Path) -> tuple[str, str, dict[str, bytes], list[str]]:
    """What init may touch: refs, worktrees, config and excludes, what lies in the project."""
    common = repo / ".git"
    kept = {name: (common / name).read_bytes() for name in ("config", "info/exclude") if (common / name).exists()}
    return git(repo, "for-each-ref"), git(repo, "worktree", "list"), kept, sorted(path.name for path in repo.iterdir())


@contextmanager
def fake_git(tmp_path: Path, verb: str, then: str) -> Iterator[str]:
    """Have a git on the PATH that does `then` where it is called as `verb`; yield that PATH."""
    script = f'case " $* " in *" {verb} "*) {then};; esac\nexec {shutil.which("git")} "$@"'
    make_script(tmp_path / "fake" / "git", script)
    yield f"{tmp_path / 'fake'}{os.pathsep}{os.environ['PATH']}"


def opened(start: Path) -> Layout:
    return entry.open(start).layout


def python(code: str, folder: Path, **env: str) -> subprocess.Popen[bytes]:
    program = f"from pathlib import Path\nfrom orchgit.repository import entry, find, mount\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env={**os.environ, "PYTHONPATH": str(PACKAGE), **env},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def refused(start: Path, *, base: str | None = None) -> str:
    with pytest.raises(OrchgitError) as caught:
        mount.init(start, base=base)
    assert caught.value.exit_code == 1
    return str(caught.value)


# A new state branch


def test_init_creates_the_state_branch(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "shop", branch="trunk")
    outcome = mount.init(repo / "src")
    assert (outcome.did, outcome.layout.root, outcome.base, outcome.source) == (Did.CREATED, repo, "trunk", "")
    assert git(repo, "log", "--format=%an <%ae>|%cn <%ce>|%P|%B", "orchestry") == (
        "Ada Lovelace <ada@example.org>|Ada Lovelace <ada@example.org>||state: created\n\n"
        "The tasks, agents and settings of shop are kept on this branch; approved work goes to trunk.\n\n"
        "Actor: Ada Lovelace\n"
    )
    state = repo / ".orchestry"
    files = file_bytes(state)
    assert sorted(files) == [".gitattributes", ".pre-commit-config.yaml", "config.yaml"]
    assert files[".gitattributes"] == b"* -text -filter -ident -working-tree-encoding\n"
    assert b"version: 1\nproject:\n  name: shop\n  base: trunk  " in files["config.yaml"]
    assert (state / "tasks").is_dir()
    assert (state / "agents").is_dir()
    assert git(state, "symbolic-ref", "HEAD") == "refs/heads/orchestry"
    assert in_order(repo)
    assert is_sound(repo)


def test_init_again_changes_nothing_and_says_so(project: Path) -> None:
    before = snapshot(project), file_bytes(project), sorted((project / ".git" / "worktrees").iterdir())
    for start in (project, project / ".orchestry", project / ".git"):
        outcome = mount.init(start)
        assert (outcome.did, outcome.base) == (Did.UNCHANGED, "main")
    assert before == (snapshot(project), file_bytes(project), sorted((project / ".git" / "worktrees").iterdir()))


def test_name_and_base_are_written_down(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "branch", "feature/#1")
    assert mount.init(repo, base="feature/#1", name="yes: the\nshop").base == "feature/#1"
    text = (repo / ".orchestry" / "config.yaml").read_text()
    assert '  name: "yes: the shop"\n  base: "feature/#1"  ' in text


def test_asking_for_another_base_than_the_one_in_force_is_refused(project: Path) -> None:
    git(project, "branch", "other")
    assert mount.init(project, base="main").did is Did.UNCHANGED
    assert refused(project, base="other") == (
        "orchestry is there already, and its project.base is 'main', not 'other'.\n"
        "`orchgit config set project.base other` changes it."
    )


def test_init_in_a_linked_worktree_takes_the_base_of_the_main_one(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    tree = add_worktree(repo, tmp_path / "tree", "feature")
    outcome = mount.init(tree)
    assert (outcome.layout.root, outcome.base) == (repo, "main")


def test_init_under_an_agent_names_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path / "project")
    monkeypatch.setenv("ORCHGIT_AGENT", "backend")
    monkeypatch.setenv("ORCHGIT_RUN", "run_1")
    mount.init(repo)
    assert git(repo, "log", "--format=%an <%ae>|%cn|%(trailers:key=Actor,valueonly)", "orchestry").strip() == (
        "backend <backend@orchgit>|Ada Lovelace|backend"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"/.orchestry/\n"),
        (b"", b"/.orchestry/\n"),
        (b"*.log\n", b"*.log\n/.orchestry/\n"),
        (b"# caf\xe9\r\n*.log", b"# caf\xe9\r\n*.log\n/.orchestry/\n"),
        (b"/.orchestry/\r\n*.log\n", b"/.orchestry/\r\n*.log\n"),
    ],
)
def test_the_exclude_file_keeps_its_bytes(tmp_path: Path, before: bytes | None, after: bytes) -> None:
    repo = make_repo(tmp_path / "project")
    exclude = repo / ".git" / "info" / "exclude"
    shutil.rmtree(exclude.parent)
    if before is not None:
        write(repo / ".git", {"info/exclude": before})
    mount.init(repo)
    mount.init(repo)
    assert exclude.read_bytes() == after


def test_an_exclude_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    exclude = repo / ".git" / "info" / "exclude"
    write(tmp_path, {"dotfiles/exclude": "*.swp\n"})
    exclude.unlink()
    exclude.symlink_to(tmp_path / "dotfiles" / "exclude")
    mount.init(repo)
    assert exclude.is_symlink()
    assert exclude.read_text() == "*.swp\n/.orchestry/\n"


def test_a_lost_exclude_entry_comes_back(project: Path) -> None:
    (project / ".git" / "info" / "exclude").unlink()
    assert mount.init(project).did is Did.MOUNTED
    assert in_order(project)


def test_the_persons_hooks_do_not_run_and_their_config_stays(tmp_path: Path, world: Path, team: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    hooks = ("post-checkout", "reference-transaction", "post-index-change", "pre-commit", "commit-msg", "post-commit")
    for hook in hooks:
        make_script(repo / ".git" / "hooks" / hook, f"touch {tmp_path}/ran-{hook}; exit 1")
    before = (repo / ".git" / "config").read_bytes(), (world / "gitconfig").read_bytes()
    mount.init(repo)
    shutil.rmtree(repo / ".orchestry")
    opened(repo)
    assert not list(tmp_path.glob("ran-*"))
    assert before == ((repo / ".git" / "config").read_bytes(), (world / "gitconfig").read_bytes())


def test_it_works_without_an_identity(tmp_path: Path, world: Path) -> None:
    repo = make_repo(tmp_path / "project")
    (world / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    assert mount.init(repo).did is Did.CREATED


# A remote


def test_a_fresh_clone_attaches(team: Path, tmp_path: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    config = (repo / ".git" / "config").read_bytes()
    outcome = mount.init(repo / "src")
    assert (outcome.did, outcome.source, outcome.base) == (Did.ATTACHED, "origin/orchestry", "main")
    assert git(repo, "rev-parse", "orchestry") == git(team, "rev-parse", "orchestry")
    assert (repo / ".orchestry" / "tasks" / "tsk_1-a.md").read_bytes() == TASK
    assert (repo / ".git" / "config").read_bytes() == config
    assert in_order(repo)
    assert mount.init(repo).did is Did.UNCHANGED


@pytest.mark.parametrize(
    "options",
    [
        ["--depth=1"],
        ["--single-branch"],
        ["--filter=blob:none"],
        ["--filter=tree:0"],
        ["--sparse"],
        ["--sparse", "--filter=blob:none", "--depth=1"],
        ["--no-checkout"],
        ["--config=core.autocrlf=true"],
        ["--config=core.autocrlf=true", "--config=core.eol=crlf", "--config=core.safecrlf=true"],
        ["--origin=upstream"],
    ],
    ids=" ".join,
)
def test_every_kind_of_clone_attaches(team: Path, tmp_path: Path, options: list[str]) -> None:
    repo = clone(team, tmp_path / "clone", *options)
    shallow = git(repo, "rev-parse", "--is-shallow-repository"), git(repo, "rev-list", "--count", "main")
    status = git(repo, "status", "--porcelain")
    assert mount.init(repo).did is Did.ATTACHED
    assert subjects(repo, "refs/heads/orchestry") == ["task(tsk_1): create", "state: created"]
    assert (repo / ".orchestry" / "tasks" / "tsk_1-a.md").read_bytes() == TASK
    assert is_clean(repo / ".orchestry")
    assert git(repo, "status", "--porcelain") == status
    assert (git(repo, "rev-parse", "--is-shallow-repository"), git(repo, "rev-list", "--count", "main")) == shallow
    shutil.rmtree(repo / ".orchestry")
    opened(repo)
    assert is_clean(repo / ".orchestry")


def test_a_partial_clone_brings_all_missing_files_in_one_request(
    team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = clone(team, tmp_path / "clone", "--filter=blob:none")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    mount.init(repo)
    fetches = [line for line in (tmp_path / "trace").read_text().splitlines() if "built-in: git fetch" in line]
    assert len(fetches) == 3  # the branch, the settings to see whose it is, and then all the others
    assert is_clean(repo / ".orchestry")


def test_a_cone_of_the_project_is_no_cone_of_the_state(team: Path, tmp_path: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    git(repo, "sparse-checkout", "set", "--cone", "--sparse-index", "src")
    shared = (repo / ".git" / "config").read_bytes(), (repo / ".git" / "config.worktree").read_bytes()
    mount.init(repo)
    state = repo / ".orchestry"
    git(state, "checkout", "--quiet", "HEAD~1")
    git(state, "checkout", "--quiet", "orchestry")
    assert (state / "tasks" / "tsk_1-a.md").read_bytes() == TASK
    assert shared == ((repo / ".git" / "config").read_bytes(), (repo / ".git" / "config.worktree").read_bytes())
    assert in_order(repo)


@pytest.mark.parametrize("shared", ["true", "false"])
def test_an_old_sparse_checkout_without_a_config_of_its_own(team: Path, tmp_path: Path, shared: str) -> None:
    repo = clone(team, tmp_path / "clone")
    git(repo, "config", "core.sparseCheckout", shared)
    write(repo / ".git", {"info/sparse-checkout": "/src/\n"})
    git(repo, "read-tree", "-mu", "HEAD")
    mount.init(repo)
    git(repo / ".orchestry", "reset", "--quiet", "--hard")
    assert (repo / ".orchestry" / "tasks" / "tsk_1-a.md").read_bytes() == TASK
    assert in_order(repo)


def test_sha256(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project", "--object-format=sha256")
    assert mount.init(repo).did is Did.CREATED
    assert len(entry.open(repo).tip or "") == 64
    commit(repo / ".orchestry", {"tasks/tsk_1-a.md": TASK}, "task")
    copy = clone(make_bare(tmp_path / "team.git", repo), tmp_path / "clone")
    assert mount.init(copy).did is Did.ATTACHED
    assert in_order(repo)
    assert in_order(copy)


def test_a_remote_without_a_state_branch(tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source")
    git(source, "branch", "team/orchestry")
    git(source, "update-ref", "refs/heads/x/refs/heads/orchestry", "main")
    repo = clone(make_bare(tmp_path / "team.git", source), tmp_path / "clone")
    assert mount.init(repo).did is Did.CREATED
    assert subjects(repo, "orchestry") == ["state: created"]


def test_the_remote_of_the_current_branch_comes_before_origin(team: Path, tmp_path: Path) -> None:
    repo = clone(make_bare(tmp_path / "empty.git", make_repo(tmp_path / "other")), tmp_path / "clone")
    git(repo, "remote", "add", "fork", team.as_uri())
    assert mount.init(repo).did is Did.CREATED
    again = clone(tmp_path / "empty.git", tmp_path / "again")
    git(again, "remote", "add", "fork", team.as_uri())
    git(again, "config", "branch.main.remote", "fork")
    assert mount.init(again).source == "fork/orchestry"


@pytest.mark.parametrize("remote", [".", "https://nowhere.example/x.git"])
def test_a_branch_that_tracks_no_named_remote(tmp_path: Path, remote: str) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "config", "branch.main.remote", remote)
    assert mount.init(repo).did is Did.CREATED


def test_an_unreachable_remote_is_refused_unless_offline(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "remote", "add", "origin", str(tmp_path / "gone.git"))
    before = snapshot(repo)
    assert refused(repo) == (
        "The remote origin can't be asked whether the team has a state branch already: "
        f"'{tmp_path}/gone.git' does not appear to be a git repository\n"
        "Try again when it can be reached, or run `orchgit init --offline` if you are the first."
    )
    assert snapshot(repo) == before
    assert mount.init(repo, offline=True).did is Did.CREATED


def test_a_remote_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchgit.repository import remote

    repo = make_repo(tmp_path / "project")
    git(repo, "remote", "add", "origin", str(tmp_path / "slow.git"))
    monkeypatch.setattr(remote, "ANSWER_WITHIN", 0.05)
    with fake_git(tmp_path, "ls-remote", "exec sleep 60") as path:
        monkeypatch.setenv("PATH", path)
        assert "already: no answer within 0.05 s\n" in refused(repo)


def test_no_error_shows_what_a_url_holds_to_log_in_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "remote", "add", "origin", "https://ada:s3cr3t@host.invalid/x.git")
    words = "fatal: unable to access 'https://ada:s3cr3t@host.invalid/x.git/': Could not resolve host"
    with fake_git(tmp_path, "ls-remote", f'echo "{words}" >&2; exit 128') as path:
        monkeypatch.setenv("PATH", path)
        message = refused(repo)
    assert "already: unable to access 'https://host.invalid/x.git/': Could not resolve host\n" in message


def test_offline_a_branch_that_was_fetched_before_is_attached(team: Path, tmp_path: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    team.rename(tmp_path / "gone")
    assert mount.init(repo, offline=True).did is Did.ATTACHED


def test_a_local_state_branch_is_mounted_without_asking_the_remote(team: Path, tmp_path: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    git(repo, "update-ref", "refs/heads/orchestry", "refs/remotes/origin/orchestry")
    team.rename(tmp_path / "gone")
    outcome = mount.init(repo)
    assert (outcome.did, outcome.base) == (Did.MOUNTED, "main")
    assert in_order(repo)


def test_a_clone_with_a_detached_head_attaches(team: Path, tmp_path: Path) -> None:
    repo = clone(team, tmp_path / "clone")
    git(repo, "checkout", "--quiet", "--detach")
    assert mount.init(repo).did is Did.ATTACHED


# Refusals


def _no_commits(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "project", files={})


def _detached(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "project")
    git(repo, "checkout", "--quiet", "--detach")
    return repo


def _with(files: dict[str, str]) -> Callable[[Path], Path]:
    def build(tmp_path: Path) -> Path:
        repo = make_repo(tmp_path / "project")
        write(repo, files)
        return repo

    return build


def _link(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "project")
    (repo / ".orchestry").symlink_to(tmp_path)
    return repo


def _tracked(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "project", files={".orchestry/state.json": "{}"})


def _branch(name: str) -> Callable[[Path], Path]:
    def build(tmp_path: Path) -> Path:
        repo = make_repo(tmp_path / "project")
        git(repo, "branch", name)
        return repo

    return build


def _foreign_remote(tmp_path: Path) -> Path:
    return clone(make_bare(tmp_path / "team.git", _branch("orchestry")(tmp_path / "source")), tmp_path / "project")


def _own_repository(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "project")
    make_repo(repo / ".orchestry")
    return repo


ELSEWHERE = "Move that folder elsewhere."
TRACKS = "tracks .orchestry/state.json, and orchgit keeps its state on a branch of its own."


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (_no_commits, "{0} has no commits yet.\nMake the first one: git commit --allow-empty -m 'First commit'"),
        (
            _detached,
            ("{0} has no branch checked out (its HEAD is detached), so approved work has nowhere to go.\n"
            "Name the branch to merge into: `orchgit init --base BRANCH`."),
        ),
        (_with({".orchestry": ""}), "{0}/.orchestry is a file, and orchgit keeps its state there.\nMove it elsewhere."),
        (_link, "{0}/.orchestry is a symbolic link, and orchgit keeps its state there.\nMove it elsewhere."),
        (
            _with({".orchestry/notes.md": "", ".orchestry/a": "", ".orchestry/b": "", ".orchestry/c/d": ""}),
            f"{{0}}/.orchestry holds something else already: a, b, c, ...\n{ELSEWHERE}",
        ),
        (
            _with({".orchestry/state.json": "{}"}),
            ("{0}/.orchestry holds something else already: state.json.\n"
            f"{ELSEWHERE} It looks like ORCH's: it has state.json; `orchgit import orch` brings it over then."),
        ),
        (
            _with({".orchestry/config.yml": ""}),
            ("{0}/.orchestry holds something else already: config.yml.\n"
            f"{ELSEWHERE} It looks like ORCH's: it has config.yml; `orchgit import orch` brings it over then."),
        ),
        (
            _tracked,
            (f"{{0}} {TRACKS}\n"
            "Move .orchestry elsewhere in the project and commit that. "
            "It looks like ORCH's: it has state.json; `orchgit import orch` brings it over then."),
        ),
        (
            _own_repository,
            "{0}/.orchestry is a checkout of another repository, {0}/.orchestry/.git.\nMove it elsewhere.",
        ),
        (
            _branch("orchestry"),
            ("The branch orchestry of {0} is not orchgit's: it has no config.yaml that says `version:`.\n"
            "Rename it: `git branch -m orchestry NEW-NAME`."),
        ),
        (
            _foreign_remote,
            ("The branch origin/orchestry of {0} is not orchgit's: it has no config.yaml that says `version:`.\n"
            "Rename it at the remote."),
        ),
        (
            _branch("orchgit"),
            ("{0} has a branch orchgit, and beside it git can't have orchgit/..., which orchgit needs.\n"
            "Rename it: `git branch -m orchgit NEW-NAME`."),
        ),
        (
            _branch("orchestry/old"),
            ("{0} has a branch orchestry/old, and beside it git can't have orchestry, which orchgit needs.\n"
            "Rename it: `git branch -m orchestry/old NEW-NAME`."),
        ),
    ],
    ids=[
        "no commits", "detached", "file", "symlink", "folder", "ORCH state", "ORCH config", "tracked", "own repository",
        "branch of somebody else", "remote branch of somebody else", "branch orchgit", "branch below orchestry",
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_named_and_nothing_is_touched(
    tmp_path: Path, build: Callable[[Path], Path], message: str
) -> None:
    repo = build(tmp_path)
    before = None if message.startswith("The branch origin") else snapshot(repo)
    assert refused(repo) == message.format(repo)
    assert before in (None, snapshot(repo))


def test_work_branches_that_are_left_from_before_are_no_hindrance(tmp_path: Path) -> None:
    assert mount.init(_branch("orchgit/tsk_1-old")(tmp_path)).did is Did.CREATED


def test_a_detached_head_with_a_base(tmp_path: Path) -> None:
    assert mount.init(_detached(tmp_path), base="main").base == "main"


def test_a_tracked_folder_counts_when_it_is_deleted_but_committed(tmp_path: Path) -> None:
    repo = _tracked(tmp_path)
    git(repo, "rm", "--quiet", "-r", ".orchestry")
    assert TRACKS in refused(repo)


@pytest.mark.parametrize("base", ["nope", "", "-x", "HEAD", "refs/heads/main", "main~0", "v1"])
def test_a_base_that_is_no_branch(tmp_path: Path, base: str) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "tag", "v1")
    before = snapshot(repo)
    with pytest.raises(NotFoundError) as caught:
        mount.init(repo, base=base)
    assert str(caught.value) == (f"{repo} has no branch {base!r}.\nName an existing branch with --base, such as main.")
    assert snapshot(repo) == before


@pytest.mark.parametrize("base", ["orchestry", "orchgit", "orchgit/tsk_1"])
def test_a_base_that_is_orchgits_own(tmp_path: Path, base: str) -> None:
    assert refused(make_repo(tmp_path / "project"), base=base) == (
        f"Work can't be merged into {base}: that name is orchgit's own.\nName another with --base."
    )


@pytest.mark.parametrize(("version", "shown"), [("2.37.4", "2.37.4"), ("2.30.1 (Apple Git-130)", "2.30.1")])
def test_a_git_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, shown: str) -> None:
    repo = make_repo(tmp_path / "project")
    with fake_git(tmp_path, "version", f"echo 'git version {version}'; exit 0") as path:
        monkeypatch.setenv("PATH", path)
        with pytest.raises(GitError) as caught:
            mount.init(repo)
    assert str(caught.value) == f"Git {shown} is too old.\nInstall Git 2.38 or later."


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Take the right to write into `folder` away; from root it can't be taken, so root is somebody else for a while."""
    folder.chmod(0o555)
    effective, nobody = os.geteuid(), 65534
    if effective == 0:
        os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(effective)
        folder.chmod(0o755)


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody can enter, with a Git config of its own: pytest's are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        (folder / "gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n[safe]\n\tdirectory = *\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        yield folder


@pytest.mark.parametrize("locked", [".", ".git"])
def test_a_folder_that_can_not_be_written_to(open_folder: Path, locked: str) -> None:
    mount.init(make_repo(open_folder / "warm-up"))  # what is imported late must be in before root is given up
    repo = make_repo(open_folder / "project")
    if locked == ".":
        for each in (repo / ".git", *(repo / ".git").rglob("*")):
            each.chmod(0o777)
    before = snapshot(repo)
    with unwritable(repo / locked):
        message = refused(repo)
    where = f"{repo}/.orchestry" if locked == "." else f"{repo}/.git/orchgit"
    assert message == (
        f"{repo}/.orchestry can't be set up: {where}: Permission denied.\n"
        "Make sure that it can be written to, and run the command again."
    )
    assert snapshot(repo) == before


# Failing half-way


@pytest.mark.parametrize("verb", ["fast-import", "worktree", "read-tree", "ls-files --deleted", "checkout-index"])
def test_a_failed_init_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    repo = make_repo(tmp_path / "project")
    before = snapshot(repo)
    with fake_git(tmp_path, verb.replace(" ", " -z "), "exit 1") as path, monkeypatch.context() as patched:
        patched.setenv("PATH", path)
        refused(repo)
    assert snapshot(repo) == before
    assert not (repo / ".git" / "worktrees").exists()
    assert mount.init(repo).did is Did.CREATED
    assert in_order(repo)


def test_what_comes_to_lie_there_while_the_remote_is_asked_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "project")
    git(repo, "remote", "add", "origin", str(tmp_path / "empty.git"))
    with fake_git(tmp_path, "ls-remote", "mkdir .orchestry; echo typed > .orchestry/note; exit 0") as path:
        monkeypatch.setenv("PATH", path)
        assert ".orchestry holds something else already: note." in refused(repo)
    assert (repo / ".orchestry" / "note").read_text() == "typed\n"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["fast-import", "worktree", "read-tree", "update-index", "checkout-index"])
def test_init_killed_anywhere_is_mended_by_the_next_one(tmp_path: Path, verb: str, when: str) -> None:
    repo = make_repo(tmp_path / "project")
    then = "kill -9 $PPID; exit 1" if when == "before" else f'{shutil.which("git")} "$@"; kill -9 $PPID; exit 1'
    with fake_git(tmp_path, verb, then) as path:
        killed = python("mount.init(Path.cwd())", repo, PATH=path)
        killed.communicate()
    assert killed.returncode == -9
    mount.init(repo)
    assert in_order(repo)
    assert len(list((repo / ".git" / "worktrees").iterdir())) == 1
    assert sorted(file_bytes(repo / ".orchestry")) == [".gitattributes", ".pre-commit-config.yaml", "config.yaml"]


@pytest.mark.parametrize("verb", ["read-tree", "update-index", "checkout-index"])
def test_a_mount_killed_anywhere_is_mended_by_the_next_command(project: Path, tmp_path: Path, verb: str) -> None:
    shutil.rmtree(project / ".orchestry")
    with fake_git(tmp_path, verb, "kill -9 $PPID; exit 1") as path:
        killed = python("entry.open(Path.cwd())", project, PATH=path)
        killed.communicate()
    assert killed.returncode == -9
    opened(project)
    assert in_order(project)


# Mounting again


def test_git_clean_deletes_it_and_the_next_command_mounts_it(project: Path) -> None:
    commit(project / ".orchestry", {"tasks/tsk_1-a.md": TASK}, "task")
    git(project, "clean", "--quiet", "-ffdx")
    assert not (project / ".orchestry").exists()
    opened(project / "src")
    assert (project / ".orchestry" / "tasks" / "tsk_1-a.md").read_bytes() == TASK
    assert (project / ".orchestry" / "agents").is_dir()
    assert in_order(project)


def test_it_comes_back_at_the_tip_that_is_not_at_the_index_of_old(project: Path) -> None:
    state = project / ".orchestry"
    first = git(state, "rev-parse", "HEAD")
    commit(state, {"tasks/tsk_1-a.md": TASK}, "task")
    shutil.rmtree(state)
    git(project, "update-ref", "refs/heads/orchestry", first)
    opened(project)
    assert not (state / "tasks" / "tsk_1-a.md").exists()
    assert in_order(project)


@pytest.mark.parametrize("pruned", [False, True], ids=["registered", "pruned"])
def test_leftover_files_are_adopted_and_typed_ones_stay(project: Path, *, pruned: bool) -> None:
    state = project / ".orchestry"
    commit(state, {"tasks/tsk_1-a.md": TASK, "tasks/tsk_2-b.md": "b\n", "tasks/tsk_3-c.md": "c\n"}, "tasks")
    inode = (state / "tasks" / "tsk_1-a.md").stat().st_ino
    (state / ".git").unlink()
    if pruned:
        git(project, "worktree", "prune", "--expire=now")
    write(state, {"tasks/tsk_2-b.md": "typed\n", "tasks/new.md": "new\n"})
    (state / "tasks" / "tsk_3-c.md").unlink()
    opened(project)
    assert git(state, "status", "--porcelain") == " M tasks/tsk_2-b.md\n?? tasks/new.md"
    assert (state / "tasks" / "tsk_2-b.md").read_bytes() == b"typed\n"
    assert (state / "tasks" / "tsk_3-c.md").read_bytes() == b"c\n"
    assert (state / "tasks" / "tsk_1-a.md").stat().st_ino == inode
    assert is_clean(project)


@pytest.mark.parametrize("start", [".", "src", ".orchestry/tasks"])
def test_a_moved_project(project: Path, tmp_path: Path, start: str) -> None:
    state = project / ".orchestry"
    commit(state, {"tasks/tsk_1-a.md": TASK}, "task")
    write(state, {"tasks/tsk_1-a.md": "typed\n", "tasks/staged.md": "staged\n"})
    git(state, "add", "tasks/staged.md")
    tree = add_worktree(project, tmp_path / "tree", "feature")
    moved = project.rename(tmp_path / "moved")
    assert opened(moved / start).root == moved
    assert git(moved / ".orchestry", "status", "--porcelain") == "A  tasks/staged.md\n M tasks/tsk_1-a.md"
    assert is_clean(moved)
    assert opened(tree).root == moved


def test_a_copied_project_leaves_the_original_alone(project: Path, tmp_path: Path) -> None:
    tree = add_worktree(project, tmp_path / "tree", "feature")
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    assert opened(copy / ".orchestry").root == copy
    commit(copy / ".orchestry", {"tasks/tsk_1-a.md": TASK}, "in the copy")
    assert in_order(copy)
    assert in_order(project)
    assert subjects(project, "orchestry") == ["state: created"]
    assert opened(tree).root == project


def test_a_link_that_was_broken_by_hand(project: Path) -> None:
    (project / ".orchestry" / ".git").write_text("gitdir: /nowhere/at/all\n")
    opened(project)
    assert in_order(project)


@pytest.mark.parametrize("attributes", ["info/attributes", "global", "project"])
def test_bytes_are_bytes_whatever_the_project_says_of_its_files(
    project: Path, tmp_path: Path, world: Path, attributes: str
) -> None:
    files = {"tasks/tsk_1-a.md": TASK, "tasks/tsk_2-b.md": b"one\ntwo\n", "attachments/x.bin": b"\0\r\n\n"}
    commit(project / ".orchestry", files, "files")
    text = "* text=auto eol=crlf ident filter=shout working-tree-encoding=UTF-16\n"
    place = {"info/attributes": project / ".git/info/attributes", "global": tmp_path / "attributes"}
    place.get(attributes, project / ".gitattributes").write_text(text)
    with (world / "gitconfig").open("a") as file:
        file.write(f"[core]\n\tautocrlf = true\n\teol = crlf\n\tattributesFile = {tmp_path}/attributes\n")
        file.write('[filter "shout"]\n\tclean = tr a-z A-Z\n\tsmudge = tr a-z A-Z\n\trequired = true\n')
    shutil.rmtree(project / ".orchestry")
    opened(project)
    found = file_bytes(project / ".orchestry")
    assert {name: found[name] for name in files} == files
    assert "config.yaml" in found
    assert git_bytes(project / ".orchestry", "ls-files", "--stage") == git_bytes(
        project, "ls-tree", "-r", "--format=%(objectmode) %(objectname) 0%x09%(path)", "refs/heads/orchestry"
    )


def test_a_file_where_the_state_has_a_folder(project: Path) -> None:
    state = project / ".orchestry"
    commit(state, {"tasks/tsk_1-a.md": TASK}, "task")
    shutil.rmtree(state)
    write(state, {"tasks": "typed\n"})
    with pytest.raises(
        RefusedError, match=f"{state}/tasks is in the way of the state's own folder.\nMove it elsewhere."
    ):
        opened(project)
    assert (state / "tasks").read_bytes() == b"typed\n"


def test_a_link_where_the_state_has_a_folder(project: Path, tmp_path: Path) -> None:
    state = project / ".orchestry"
    commit(state, {"tasks/tsk_1-a.md": TASK}, "task")
    shutil.rmtree(state)
    state.mkdir()
    (tmp_path / "outside").mkdir()
    (state / "tasks").symlink_to(tmp_path / "outside")
    with pytest.raises(RefusedError, match="is in the way"):
        opened(project)
    assert not list((tmp_path / "outside").iterdir())


def test_another_branch_in_the_state_folder_is_named_not_undone(project: Path) -> None:
    state = project / ".orchestry"
    git(state, "checkout", "--quiet", "--detach")
    with pytest.raises(RefusedError) as caught:
        opened(project)
    assert str(caught.value) == (
        f"{state} is not on the branch orchestry.\n"
        "Finish the rebase or bisect that runs there, or run `git switch orchestry` in it."
    )
    git(state, "switch", "--quiet", "orchestry")
    assert opened(project).root == project


def test_a_second_worktree_of_the_state_branch_is_not_taken(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / ".orchestry")
    git(project, "worktree", "prune", "--expire=now")
    git(project, "worktree", "add", "--quiet", tmp_path / "mine", "orchestry")
    opened(project)
    assert in_order(project)
    assert is_clean(tmp_path / "mine")
    assert sorted(path.name for path in (project / ".git" / "worktrees").iterdir()) == ["mine", "orchestry"]


def test_a_foreign_branch_is_not_mounted(tmp_path: Path) -> None:
    repo = _branch("orchestry")(tmp_path)
    with pytest.raises(RefusedError, match="is not orchgit's"):
        opened(repo)
    assert not (repo / ".orchestry").exists()


def test_many_processes_mount_at_once(project: Path) -> None:
    shutil.rmtree(project / ".orchestry")
    asked = [python("print(entry.open(Path.cwd()).layout.root)", project) for _ in range(6)]
    answers = [(process.communicate(), process.returncode) for process in asked]
    assert answers == [((f"{project}\n".encode(), b""), 0)] * 6
    assert in_order(project)


def test_many_processes_initialise_at_once(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    asked = [python("print(mount.init(Path.cwd()).did)", repo) for _ in range(6)]
    answers = sorted(process.communicate()[0].decode().strip() for process in asked)
    assert answers == ["created", *["unchanged"] * 5]
    assert in_order(repo)


def test_a_mount_that_never_ends_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(project / ".orchestry")
    monkeypatch.setattr(mount, "_WAIT", 0.01)
    lock = project / ".git" / "orchgit" / "mount.lock"
    with (
        locks.held(lock, wait=0, doing="test"),
        pytest.raises(BusyError, match=f"Can't mount the state: .* holds {lock}"),
    ):
        opened(project)


def test_a_mounted_state_is_only_looked_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production_git, "run", None)
    assert opened(project).root == project
