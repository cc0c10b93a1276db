"""The page beside the dumps, made anew of what the branch tells, for wherever somebody wants it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.dump_page import not_ours, page_at
from ppr_assets.data_repo.remote.missing_objects import bring_beside_dumps
from ppr_assets.errors import SettingsError
from ppr_assets.files import write_whole
from ppr_assets.operations.published.view import OnView, looked_at, unseen
from ppr_assets.rules.naming import PAGE, PICTURE
from ppr_assets.rules.page.picture import is_picture, picture
from ppr_assets.rules.page.readme import has_place, with_page
from ppr_assets.rules.page.static import is_static_page, static_page
from ppr_assets.rules.page.words import Page
from ppr_assets.settings import DataRepoSettings

STATIC = "index.html"
_OURS = {
    PAGE: lambda text: has_place(text.encode("utf-8", "surrogateescape")),
    PICTURE: is_picture,
    STATIC: is_static_page,
}


class MadePage(Struct, frozen=True):
    """``remarks`` tell of files in the dump folder that keep the page from being there."""

    page: Page
    remarks: tuple[str, ...] = ()

    @property
    def files(self) -> Mapping[str, str]:
        """By name: as Markdown with its picture, and as HTML that needs none."""
        readme = with_page(None, self.page) or b""
        return {
            PAGE: readme.decode(),
            PICTURE: picture(self.page.past),
            STATIC: static_page(self.page),
        }


def make_page(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> MadePage:
    """Of the newest commit that is known, and of all of its history that is here."""
    with looked_at(settings, offline=offline, on_view=on_view) as (repo, commit):
        if commit is not None:
            bring_beside_dumps(repo, commit)
        folder = dump_folder(repo, commit)
        return MadePage(page_at(folder), tuple(not_ours(folder)))


def write_page(made: MadePage, folder: Path) -> None:
    """Write the files into ``folder``, which is made. Raises :class:`SettingsError` where another's
    file is in the way; nothing was written then. Raises ``OSError``."""
    for name in made.files:
        path = folder / name
        if path.exists() and not _is_ours(path):
            raise SettingsError(
                f"`{path}` was not written by ppr-assets, and stays as it is",
                hint="name another folder, or move that file away.",
            )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.files.items():
        path = folder / name
        write_whole(path, text, beside=path.with_name(f".{name}.partial"))


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    return _OURS[path.name](path.read_text(encoding="utf-8", errors="surrogateescape"))
