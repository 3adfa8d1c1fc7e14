"""Keys to sign commits with, made by ssh-keygen, and git's settings for them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from orchgit.repository import stream
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path


def use_ssh(home: Path, *, name: str = "key", allowed: bool = True) -> Path:
    """Let git sign every commit with a new SSH key of this name, which is one of the `allowed` signers or not."""
    key, signers = home / name, home / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    if allowed:
        signers.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    settings = {
        "gpg.format": "ssh", "user.signingkey": str(key), "commit.gpgsign": "true",
        "gpg.ssh.allowedSignersFile": str(signers),
    }  # fmt: skip
    for setting, value in settings.items():
        repos.git(home, "config", "--global", setting, value)
    stream.signs.cache_clear()
    return key


def forget_signers(home: Path) -> None:
    repos.git(home, "config", "--global", "--unset", "gpg.ssh.allowedSignersFile")


def lose_key(home: Path) -> None:
    """Let the key that git signs with be one that is not there."""
    repos.git(home, "config", "--global", "user.signingkey", str(home / "nowhere"))
