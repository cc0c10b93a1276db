"""What a policy withholds is in nothing that a night leaves or says."""

from __future__ import annotations

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.withheld_values import Withholding
from ppr_assets.postgres.compare.computed import read_digests
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.publication.policy import Decision
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump

PRIVATE = "Pirate-Private-7d3e"

COMPUTED = """
CREATE TABLE public.seen (who text, said text,
  loud text GENERATED ALWAYS AS (pg_catalog.upper(who)) STORED);
CREATE TABLE public.open (a int);
CREATE VIEW public.named AS SELECT who FROM public.seen;
CREATE MATERIALIZED VIEW public.through_views AS SELECT * FROM public.named;
CREATE MATERIALIZED VIEW public.over_it AS SELECT * FROM public.through_views;
CREATE MATERIALIZED VIEW public.harmless AS SELECT a FROM public.open;
CREATE FUNCTION public.looked() RETURNS text STABLE LANGUAGE sql
  AS 'SELECT pg_catalog.max(who) FROM public.seen';
CREATE MATERIALIZED VIEW public.by_function AS SELECT public.looked();
CREATE MATERIALIZED VIEW public.by_text AS
  SELECT word FROM pg_catalog.ts_stat('SELECT pg_catalog.to_tsvector(who) FROM public.seen');
CREATE MATERIALIZED VIEW public.by_catalog AS SELECT tablename FROM pg_catalog.pg_stats;
"""


def test_no_digest_is_of_what_is_computed_from_what_is_withheld(pipeline: Pipeline) -> None:
    pipeline.execute(COMPUTED)
    with connect(pipeline.settings.database) as session:
        everything = read_digests(session)
        found = read_digests(session, withheld={"seen": ()})
    assert not everything.withheld
    assert {"generated columns of seen", "materialized view over_it"} <= everything.found.keys()
    assert {*found.withheld} == {
        "generated columns of seen",
        *(
            f"materialized view {name}"
            for name in ("through_views", "over_it", "by_function", "by_text", "by_catalog")
        ),
    }
    assert "materialized view harmless" in found.found
    assert everything.found.keys() == {*found.found, *found.withheld}


@pytest.mark.parametrize(
    "lost",
    [
        f'{REAL_PG_DUMP} "$@"; echo "{PRIVATE}"',
        f"{REAL_PG_DUMP} \"$@\" | sed 's/^COPY public.language .*/\\\\\\\\x {PRIVATE}/'",
    ],
    ids=["after the end", "a row for a command"],
)
def test_no_error_quotes_what_came_from_pg_dump(
    pipeline: Pipeline, fake_tool: FakeTool, lost: str
) -> None:
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}; {lost}")
    with pytest.raises(DumpDamaged, match="at byte") as caught:
        dump(pipeline.settings)
    assert PRIVATE not in repr(caught.value) + str(caught.value) + caught.value.hint


def test_a_row_of_other_values_than_columns_is_not_taken_apart() -> None:
    rows = Withholding("t", ["id", "who", "note"], {"who": Decision("null")})
    with pytest.raises(DumpDamaged) as caught:
        list(rows.rows([f"1\t{PRIVATE}\tmore\tnote\n".encode()]))
    assert caught.value.render() == (
        "a row of t has 4 values, 3 needed\nHINT: pg_dump wrote something else than its COPY "
        "statement says. Nothing was published."
    )
