"""The client of whatever kind of place a URL names; each is loaded for who needs it."""

from __future__ import annotations

from ppr_assets.copies.place import Place
from ppr_assets.settings import CopyUrl


def open_place(url: CopyUrl) -> Place:
    """Loads the client of that kind of place, and asks nobody yet. Raises :class:`CopyFailed`."""
    if url.kind == "rclone":
        from ppr_assets.copies.rclone import RclonePlace

        return RclonePlace(url)
    from ppr_assets.copies.bucket import BucketPlace, FolderPlace

    return FolderPlace(url) if url.kind == "folder" else BucketPlace(url)
