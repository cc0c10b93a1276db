"""Loads the fixtures and says which server and which git the tests run on."""

from __future__ import annotations

import signal
import subprocess

from ppr_assets.postgres.embedded import EMBEDDED_BIN

# A shell starts `command &` with Ctrl-C switched off, `nohup` does it to SIGHUP, and every child
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest_plugins = [
    # a module comes after those it imports
    "ppr_assets_tests.fix_git",
    "ppr_assets_tests.fix_hypothesis",
    "ppr_assets_tests.fix_postgres",
    "ppr_assets_tests.fix_nasty",
    "ppr_assets_tests.fix_pipeline",
    "ppr_assets_tests.fix_restore",
    "ppr_assets_tests.fix_publisher",
    "ppr_assets_tests.fix_debian",
    "ppr_assets_tests.fix_pgbouncer",
    "ppr_assets_tests.fix_runs",
    "ppr_assets_tests.fix_command_line",
    "ppr_assets_tests.fix_forwarder",
]


def pytest_report_header() -> list[str]:
    tools = ([str(EMBEDDED_BIN / "postgres"), "--version"], ["git", "--version"])
    return [
        subprocess.run(tool, capture_output=True, text=True, check=True).stdout.strip()
        for tool in tools
    ]
