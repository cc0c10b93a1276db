"""The published world as external assets: the HSDS tables and what is published in the
data repository.

Nothing here is computed by this project; the pipeline observes these assets and depends on them.
Assets that this project makes do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from ppr_assets.data_repo.history.publications import Publication
from ppr_assets.operations.dumping.counting import RecordCount
from ppr_assets.orchestration.metadata import DATA_VERSION
from ppr_assets.orchestration.published_days import DAYS, PUBLISHED_DAY
from ppr_assets.postgres.snapshot.snapshot import SnapshotColumn

OWNERS = ["team:pantry-pirate-radio"]
TABLE_GROUP = "hsds_tables"

HSDS_TABLES: Mapping[str, str] = {
    "organization": "Who offers food assistance: pantries, food banks, churches, agencies.",
    "location": "Where help is given: a place with coordinates, on the map or virtual.",
    "service": "What is offered: a pantry, a meal, a delivery, with its eligibility and status.",
    "service_at_location": "Which service is offered at which location.",
    "address": "Postal and street addresses of locations.",
    "phone": "Telephone numbers of organizations, services, locations and contacts.",
    "contact": "People or desks to ask for.",
    "schedule": "Opening hours and recurring events.",
    "language": "Languages in which help is offered.",
    "accessibility": "Aids for people with disabilities at a location.",
    "service_area": "The area that a service is meant for.",
    "taxonomy": "Vocabularies used to classify services.",
    "taxonomy_term": "The terms of those vocabularies.",
    "attribute": "Which term is applied to which record.",
    "metadata": "What was changed in a record, when and by whom.",
    "program": "Programs that group an organization's services.",
    "funding": "Who pays for an organization or a service.",
    "cost_option": "What a service costs, where it costs anything.",
    "required_document": "Papers that a visitor has to bring.",
    "url": "Web pages of organizations and services.",
    "organization_identifier": "Registration numbers of organizations.",
}
"""Core tables of the Human Services Data Specification 3.1, in business language."""

PUBLICATION = dg.AssetSpec(
    "publication",
    description="The newest publishing commit in the data repository that is not a dump of ours. "
    "It says which published data a dump follows.",
    group_name="backup",
    kinds={"git"},
    owners=OWNERS,
)

_PUBLISHED_DAY = dg.AssetSpec(
    PUBLISHED_DAY,
    description="The records that scrapers' publisher has put into the data repository on a day. "
    "A replay says of each day that it has read how many files there were, and what they held.",
    group_name="restore",
    kinds={"git"},
    owners=OWNERS,
    partitions_def=DAYS,
)

MOST_OTHERS = 100
"""So many tables that are no HSDS tables are observed one by one. Each stays in Dagster's catalog
of assets, which a database with thousands of partitions would fill."""


def external_assets(database: str) -> list[dg.AssetSpec]:
    """The published world, with the tables as those of ``database``."""
    tables = [
        dg.AssetSpec(
            name,
            description=description,
            group_name=TABLE_GROUP,
            kinds={"postgres"},
            owners=OWNERS,
            metadata={"dagster/table_name": f"{database}.public.{name}"},
        )
        for name, description in HSDS_TABLES.items()
    ]
    return [PUBLICATION, _PUBLISHED_DAY, *tables]


def observations(counted: RecordCount) -> Iterator[dg.AssetObservation]:
    """Each table with its rows and columns: every HSDS table, and of others ``MOST_OTHERS``."""
    others = 0
    for table, columns in counted.columns.items():
        key = _table_asset(table.schema, table.name)
        others += len(key.path) > 1
        if len(key.path) == 1 or others <= MOST_OTHERS:
            yield dg.AssetObservation(
                asset_key=key,
                metadata={
                    "dagster/row_count": counted.counts[table.key],
                    "dagster/table_name": f"{counted.database.name}.{table.schema}.{table.name}",
                    "dagster/column_schema": _schema(columns),
                },
            )


def published(publication: Publication) -> dg.AssetMaterialization:
    """The publishing commit as an event of :data:`PUBLICATION`, its hash being the data version."""
    sha, page = publication.sha, publication.page
    return dg.AssetMaterialization(
        asset_key=PUBLICATION.key,
        description=publication.subject,
        metadata={
            "commit": dg.MetadataValue.url(page) if page else dg.MetadataValue.text(sha),
            "author": publication.author,
            "committed": dg.MetadataValue.timestamp(publication.date),
        },
        tags={DATA_VERSION: sha},
    )


def _table_asset(schema: str, name: str) -> dg.AssetKey:
    """An HSDS table by its name; another as ``schema/name``, so that a table ``sql_dump`` cannot
    pass for the asset."""
    known = schema == "public" and name in HSDS_TABLES
    return dg.AssetKey([name] if known else [schema, name])


def _schema(columns: Sequence[SnapshotColumn]) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in columns
        ]
    )
