"""No dump is published that was not restored and found equal before, unless somebody says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ppr_assets.errors import DumpUnproven
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, listing, settled
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump, publish


@pytest.fixture
def proving(pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline whose role may create databases on the server."""
    role = pipeline.settings.database.user
    pipeline.gate(proof="server")
    pipeline.administer(f"ALTER ROLE {role} CREATEDB")
    yield pipeline
    pipeline.administer(f"ALTER ROLE {role} NOCREATEDB")


def _databases(pipeline: Pipeline) -> list[str]:
    with connect(pipeline.settings.database) as session:
        return [name for (name,) in session.execute("SELECT datname FROM pg_database ORDER BY 1")]


def _trailer(pipeline: Pipeline) -> str:
    form = "--format=%(trailers:key=Proof,valueonly)"
    return git(pipeline.clone, "log", "-1", form, "main").strip()


def test_a_proof_is_recorded_in_manifest_and_commit_and_leaves_no_database(
    proving: Pipeline,
) -> None:
    before = _databases(proving)
    _, published = proving.night()
    proof = published.manifest.proof
    assert proof is not None and proof.proven
    assert (proof.where, proof.server_version) == ("server", "18.6")
    assert proof.seconds > 0
    assert _trailer(proving) == str(proof)
    assert _databases(proving) == before


def test_a_role_that_may_not_create_databases_has_an_embedded_server_prove_it(
    pipeline: Pipeline,
) -> None:
    pipeline.gate(proof="server")
    _, published = pipeline.night()
    proof = published.manifest.proof
    assert proof is not None
    assert (proof.where, proof.proven) == ("embedded", True)
    assert settled(pipeline.children) == []


def test_a_proof_that_is_switched_off_is_recorded_as_off(pipeline: Pipeline) -> None:
    _, published = pipeline.first_night()
    assert published.manifest.proof is not None
    assert not published.manifest.proof.proven
    assert _trailer(pipeline) == "off"


def test_a_staged_dump_that_nobody_proved_is_neither_stored_nor_published(
    proving: Pipeline,
) -> None:
    proving.gate(proof="off")
    staged = dump(proving.settings)
    proving.gate(proof="server")
    before, objects = proving.picture(), git(proving.clone, "count-objects", "-v")
    with pytest.raises(DumpUnproven) as refused:
        publish(proving.settings)
    assert refused.value.exit_code == 4
    assert staged.path is not None
    assert refused.value.render() == (
        f"staged dump {staged.path.name} was never restored, so nothing proves it\n"
        "HINT: dump again: `ppr-assets dump` restores what it makes. SQL_DUMP_PROOF=off publishes "
        "unproven dumps, and records that."
    )
    assert proving.picture() == before
    assert git(proving.clone, "count-objects", "-v") == objects
    assert staged.path.exists()
    assert proving.night()[1].status == "published"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            r"s/^    ADD CONSTRAINT url_pkey PRIMARY KEY (id);/"
            r"    ADD CONSTRAINT url_pkey PRIMARY KEY (no_such_column);/",
            r"did not restore: .*url_pkey.*no_such_column",
        ),
        (
            r"s/^    latitude double precision,/    latitude numeric(4,1),/",
            r"is not what .* says: table location has other rows than the dump",
        ),
    ],
    ids=["does not load", "loads as something else"],
)
def test_a_dump_that_does_not_restore_is_not_published(
    proving: Pipeline, fake_tool: FakeTool, change: str, reason: str
) -> None:
    proving.night()
    proving.change()
    before, databases = proving.picture(), _databases(proving)
    # Whole and well-formed, as what a faulty pg_dump writes can be.
    fake_tool("pg_dump", f"{EMBEDDED_BIN}/pg_dump \"$@\" | sed '{change}'")
    with pytest.raises(DumpUnproven, match=reason):
        dump(proving.settings)
    assert proving.picture() == before
    assert listing(proving.staged) == []
    assert _databases(proving) == databases
