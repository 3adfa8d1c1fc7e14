"""The files that a new state branch begins with."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from orchgit.model import config
from orchgit.repository.stream import Put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.yamltext import Value

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)  # YAML 1.1 reads these as other things
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

_CONFIG = """\
# Settings of the team. `orchgit config set KEY VALUE` changes one line and keeps your comments.
version: 1
project:
  name: {name}
  base: {base}          # what approved work is merged into

# The others, at their defaults:
#
# workspaces_dir: ../{folder}.orchgit   # where agents' worktrees are made, seen from the project
#
# workspace:
#   hooks:                          # commands, run in a task's worktree
#     after_create: ""              # once in a new one
#     before_run: ""                # before each start of an agent
#     after_run: ""                 # when an agent has ended
#     before_remove: ""             # before it is removed
#   hook_timeout_ms: 60000          # the longest that each may take
#   bring: []                       # untracked files that agents get too: [.env]
#   bring_mode: copy                # copy or symlink
#   shared_commit: false            # commit what is done in your checkout onto the task's branch
#
# archive_after_days: 14            # closed tasks move to archive/ then; 0: never
#
# runs:
#   keep: 500                       # folders of runs whose tasks are not open any more
#
# scheduling:
#   max_concurrent_agents: 6        # agents at work at once
#   max_concurrent_retries: 3       # how many of them may be at work on what failed before
#   max_in_review: 0                # while so many wait for review nothing is started; 0: no limit
#   starvation_ms: 1800000          # after so long a waiting task counts as more urgent
#   poll_interval_ms: 10000         # how often to look for what a watcher missed
#   retry_base_delay_ms: 10000      # wait before the first retry; it doubles each time
#   retry_max_delay_ms: 300000      # the longest wait before a retry
#
# defaults:
#   task:
#     max_attempts: 3
#     priority: 3                   # 1 urgent .. 4 low
#   agent:
#     adapter: shell
#     approval_policy: auto         # what it may do unasked: auto, suggest or manual
#     timeout_ms: 3600000           # the longest that a run may take
#     stall_timeout_ms: 600000      # the longest that a run may be silent
#     max_turns: 0                  # the most turns that a run may take; 0: no limit
#     max_tokens: 0                 # the most tokens that it may use, cached ones aside; 0: no limit
#     max_cost_usd: 0               # the most that it may cost, in US dollars; 0: no limit
#     workspace_mode: worktree      # or isolated: a repository of its own; or shared: your checkout
#
# goals:
#   max_tasks: 20                   # the most tasks that one run may make for its goal; 0: no limit
#
# verify:
#   require_signatures: false       # must every commit of this branch be signed?
"""

ATTRIBUTES = b"* -text -filter -ident -working-tree-encoding\n"  # bytes are bytes


def files(name: str, base: str, *, own: Mapping[str, Value] | None = None) -> tuple[Put, ...]:
    """Return the first files of the project called `name`, whose work is merged into the branch `base`.

    `own` are settings that the person who makes it wants in each of theirs, by key.
    """
    settings = _CONFIG.format(name=_scalar(name), base=_scalar(base), folder=_comment(name))
    if own:
        from orchgit.model import yamltext

        settings = yamltext.edit(settings, {tuple(key.split(".")): value for key, value in own.items()})
    return (
        Put(".gitattributes", ATTRIBUTES),
        Put(
            ".pre-commit-config.yaml",
            b"# Lets commits here pass where the pre-commit framework is installed.\nrepos: []\n",
        ),
        Put(config.PATH, settings.encode()),
    )


def _scalar(words: str) -> str:
    """Return `words` as YAML reads them back: bare where that is safe, else quoted."""
    if _PLAIN.fullmatch(words) and words.lower() not in _WORDS:
        return words
    quoted = json.dumps(words, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _comment(words: str) -> str:
    return words if _PLAIN.fullmatch(words) else "PROJECT"
