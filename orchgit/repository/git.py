"""Calls git: argv in, checked bytes out, an explicit directory and a clean environment."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

MINIMUM = (2, 38)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")

# `git rev-parse --local-env-vars`, but for GIT_CONFIG_COUNT, and what hooks export: they name another repository.
_LOCAL = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ATTR_SOURCE", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS",
    "GIT_DIR", "GIT_GLOB_PATHSPECS", "GIT_GRAFT_FILE", "GIT_ICASE_PATHSPECS", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_NAMESPACE", "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished git said. `out` is bytes as written, `err` text."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return os.fsdecode(self.out).strip()

    @property
    def fields(self) -> list[str]:
        """The output of a `-z` command, split."""
        return [os.fsdecode(field) for field in self.out.split(b"\0") if field]


_QUARANTINE = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
_forgotten: dict[str, str] = {}
_quarantine: dict[str, str] = {}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment git is given: ours, without another repository's, in English, leaving indexes alone."""
    kept = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    return {
        **kept,
        **_quarantine,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def forget_other_repositories() -> None:
    """Drop from our own environment what a hook of some repository left there: a command line is about where it is."""
    for name in _LOCAL & os.environ.keys():
        _forgotten[name] = os.environ.pop(name)


def see_what_is_pushed() -> None:
    """Let git find, from now on, the objects of the push that called us: they lie apart until it is accepted."""
    _quarantine.update({name: _forgotten[name] for name in _QUARANTINE if name in _forgotten})


def index_of_commit(git_dir: Path) -> dict[str, str]:
    """Return the environment in which git reads the index of the commit that called us, if `git_dir` has it.

    What `git commit -a` or `git commit FILE` will commit lies in an index of its own.
    """
    named = os.path.abspath(_forgotten.get("GIT_INDEX_FILE", ""))  # noqa: PTH100 - as above
    inside = os.path.realpath(os.path.dirname(named)) == os.path.realpath(git_dir)  # noqa: PTH120
    return {"GIT_INDEX_FILE": named} if inside else {}


def call(
    *args: str | Path,
    cwd: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run git in `cwd` and return what it said, whatever its exit code; `timeout` is in seconds.

    The git process inherits `pass_fds`: a lock that one of them holds lasts as long as that process, if we die.
    """
    try:
        done = subprocess.run(
            ["git", *(os.fspath(arg) for arg in args)],
            cwd=cwd,
            input=stdin,
            env=environment(env),
            capture_output=True,
            check=False,
            timeout=timeout,
            pass_fds=pass_fds,
        )
    except FileNotFoundError as error:
        if os.path.isdir(cwd):  # noqa: PTH112 - pathlib is not on the path of a reading command
            raise GitError("git is not on the PATH.", "Install Git 2.38 or later.") from error
        raise GitError(f"{cwd} is not a directory.") from error
    except NotADirectoryError as error:
        raise GitError(f"{cwd} is not a directory.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {args[0]} did not answer within {timeout:g} s in {cwd}.") from error
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())


def feed(
    *args: str | Path, cwd: str | Path, stdin: bytes, then: Callable[[], bytes], pass_fds: Sequence[int]
) -> Result:
    """Run git in `cwd` on `stdin` and the bytes that `then` returns; what that does is done while git works on these.

    Git is ended where `then` raises.
    """
    with subprocess.Popen(
        ["git", *(os.fspath(arg) for arg in args)], cwd=cwd, env=environment(), pass_fds=pass_fds,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):  # its exit code tells
                process.stdin.write(stdin)
                process.stdin.flush()
            out, err = process.communicate(then())
        except BaseException:
            process.kill()
            raise
    return Result(process.returncode, out, err.decode(errors="replace").strip())


def start(
    *args: str | Path, cwd: str | Path, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a git that reads its input from a pipe and whose output is read from one; what it complains of is lost."""
    return subprocess.Popen(
        ["git", *(os.fspath(arg) for arg in args)], cwd=cwd, env=environment(env), pass_fds=pass_fds,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def detach(*args: str | Path, cwd: str | Path) -> subprocess.Popen[bytes]:
    """Start a git that nobody talks to and that goes on where we end."""
    return subprocess.Popen(
        ["git", *(os.fspath(arg) for arg in args)], cwd=cwd, env=environment(), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def run(
    *args: str | Path,
    cwd: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Result:
    """Run git in `cwd`; GitError with its own words unless it exits 0."""
    result = call(*args, cwd=cwd, stdin=stdin, env=env, timeout=timeout)
    if result.code != 0:
        raise failure(args, result)
    return result


def without_credentials(words: str) -> str:
    """Return `words` without what a URL in them may hold to log in with."""
    return _CREDENTIALS.sub("", words)


def failure(args: Iterable[str | Path], result: Result) -> GitError:
    """Return the error that says which git command failed, and in which words."""
    verb = next((str(arg) for arg in args if not str(arg).startswith("-") and "=" not in str(arg)), "")
    words = without_credentials(result.err).splitlines() or [f"exit code {result.code}"]
    return GitError(
        f"git {verb} failed: {words[-1] if len(words) == 1 else '; '.join(each.rstrip('.') for each in words[:3])}"
    )


def text(*args: str | Path, cwd: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run git and return its output, stripped."""
    return run(*args, cwd=cwd, env=env).text


def version() -> tuple[int, ...]:
    """Return git's version, as numbers: (2, 39, 5)."""
    words = text("version", cwd="/").split()
    return tuple(int(part) for part in words[2].split(".")[:3] if part.isdigit())


def commit_of(revision: str, *, cwd: str | Path) -> str | None:
    """Return the commit that `revision` names, or None where it names none."""
    found = call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", cwd=cwd)
    return found.text if found.code == 0 else None


def branch_exists(name: str, *, cwd: str | Path) -> bool:
    return call("show-ref", "--verify", "--quiet", f"refs/heads/{name}", cwd=cwd).code == 0


def is_ancestor(commit: str, of: str, *, cwd: str | Path) -> bool:
    return call("merge-base", "--is-ancestor", commit, of, cwd=cwd).code == 0
