"""Whether dumps come out of git as they went in, whatever is configured around them.

Our line in the dump folder's ``.gitattributes`` settles that, also before the first dump has
brought it there. What still outdoes it are lines below ours, and ``$GIT_DIR/info/attributes``.
"""

from __future__ import annotations

from pathlib import Path

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.attributes import ATTRIBUTES, CONVERTING, LINE, with_our_line

_HARMLESS = ("unspecified", "unset", "")


def require_plain_files(repo: DataRepo) -> None:
    """Refuse a dump folder whose files git replaces by something else (LFS, git-crypt)."""
    value = _outdoing(repo).get("filter")
    if value is not None:
        raise DataRepoError(
            f"dumps in `{repo.dump_dir}` would pass through git's filter `{value}`, they must be "
            "plain files",
            hint=_way_out(repo),
        )


def require_same_bytes(repo: DataRepo) -> None:
    """Refuse what makes git write other line ends or characters than were committed."""
    found = _outdoing(repo)
    if found:
        told = ", ".join(f"`{name}={value}`" for name, value in found.items())
        raise DataRepoError(
            f"git's attributes for dumps in `{repo.dump_dir}` are {told}, so a checkout may have "
            "other bytes than were committed",
            hint=_way_out(repo),
        )


def _way_out(repo: DataRepo) -> str:
    return (
        f"put the line `{LINE}` last in `{repo.dump_dir}/{ATTRIBUTES}` (a regular file, git "
        "follows no link there) and commit that, or take out what stands below it; what is in "
        f"`{repo.git_dir / 'info/attributes'}` wins over both."
    )


def _outdoing(repo: DataRepo) -> dict[str, str]:
    """The attributes that would change a dump on its way into a work tree, where our line is."""
    if repo.bare:
        return {}
    ours = repo.path / repo.dump_dir / ATTRIBUTES
    above_all = repo.git_dir / "info" / "attributes"
    unread = ours.is_symlink() or ours.is_dir()  # git takes rules from files alone
    content = ours.read_bytes() if ours.is_file() and not unread else None
    last = (content or LINE.encode()).rstrip().rpartition(b"\n")[2]
    if last.strip() == LINE.encode() and not unread and not _says_something(above_all):
        return {}
    # A work tree of its own has the file as it is going to be.
    scratch = repo.state_dir / "attributes"
    folder = scratch / repo.dump_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ATTRIBUTES).write_bytes(b"" if unread else with_our_line(content))
    dump = f"{repo.dump_dir}/pantry_pirate_radio_2000-01-01_00-00-00.sql"
    place = (f"--git-dir={repo.git_dir}", f"--work-tree={scratch}")
    asked = (*place, "check-attr", "-z", *CONVERTING, "--", dump)
    words = run(scratch, *asked, timeout=repo.settings.timeout_seconds).stdout.split(b"\0")
    answers = (word.decode("utf-8", "replace") for word in words)
    found = {name: value for _, name, value in zip(*[answers] * 3, strict=False)}
    return {name: value for name, value in found.items() if value not in _HARMLESS}


def _says_something(file: Path) -> bool:
    if not file.is_file():
        return False
    lines = (line.strip() for line in file.read_bytes().splitlines())
    return any(line and not line.startswith(b"#") for line in lines)
