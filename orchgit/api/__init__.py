"""The public Python API, used by every face: open a project, ask it, and ask things of it."""

from __future__ import annotations

from orchgit.api.anywhere import (
    doctor,
    hook_script,
    init,
    install_skill,
    judge_push,
    judge_receipt,
    org,
    orgs,
    own_config,
    role,
    roles,
    set_own_config,
    uninstall_skill,
    whose_template,
)
from orchgit.api.project import Project, open_project

__all__ = [
    "Project",
    "doctor",
    "hook_script",
    "init",
    "install_skill",
    "judge_push",
    "judge_receipt",
    "open_project",
    "org",
    "orgs",
    "own_config",
    "role",
    "roles",
    "set_own_config",
    "uninstall_skill",
    "whose_template",
]
