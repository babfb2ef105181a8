"""Paths as git and DVC know them, from the root of the project."""

import subprocess

from dvc.repo import Repo


def git(*arguments: str) -> list[str]:
    """What git prints, cut where it prints a NUL."""
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return [name for name in done.stdout.split("\0") if name]


def path_of(repo: Repo, place: str) -> str:
    """The path of a file or folder from the root, where `repo.fs` has it at `place`."""
    return str(repo.dvcfs.from_os_path(repo.fs.relpath(place, repo.root_dir)))


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is that of something in a folder."""
    return path.startswith(f"{folder}/")
