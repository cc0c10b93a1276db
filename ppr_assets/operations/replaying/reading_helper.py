"""A process of its own that is sent published files and answers what they came to."""

from __future__ import annotations

import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from ppr_assets.operations.replaying.read_files import encoded, read_batch


def main(descriptor: int) -> None:
    """Answer each batch that comes over ``descriptor`` until the other end closes."""
    with suppress(EOFError, BrokenPipeError), Connection(descriptor) as asker:
        while True:
            asker.send_bytes(encoded(read_batch(asker.recv())))


if __name__ == "__main__":
    main(int(sys.argv[1]))
