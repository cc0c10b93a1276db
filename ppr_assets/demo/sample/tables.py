"""The tables of the sample and the columns that are filled, in the order of the rows' values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Value = str | int | float | bool | bytes | None
Row = tuple[Value, ...]

SAMPLE_TABLES: Mapping[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "taxonomy": "id name description uri version",
        "taxonomy_term": "id taxonomy_id parent_id code name description language term_uri",
        "organization": "id name alternate_name description email website tax_status tax_id"
        " year_incorporated legal_status logo uri parent_organization_id created_at updated_at",
        "organization_identifier": "id organization_id identifier_scheme identifier_type"
        " identifier",
        "program": "id organization_id name alternate_name description",
        "service": "id organization_id program_id name alternate_name description url email status"
        " interpretation_services application_process fees_description eligibility_description"
        " minimum_age maximum_age assured_date alert created_at updated_at",
        "location": "id organization_id location_type name alternate_name description"
        " transportation url latitude longitude external_identifier external_identifier_type"
        " is_canonical confidence_score created_at updated_at",
        "service_at_location": "id service_id location_id description",
        "address": "id location_id attention address_1 address_2 city region state_province"
        " postal_code country address_type",
        "accessibility": "id location_id description details url",
        "contact": "id organization_id service_id service_at_location_id location_id name title"
        " department email",
        "phone": "id location_id service_id organization_id contact_id service_at_location_id"
        " number extension type description",
        "schedule": "id service_id location_id service_at_location_id valid_from valid_to dtstart"
        " timezone until count wkst freq interval byday bymonthday description opens_at closes_at"
        " notes",
        "language": "id service_id location_id phone_id name code note",
        "service_area": "id service_id service_at_location_id name description extent extent_type"
        " uri",
        "funding": "id organization_id service_id source",
        "cost_option": "id service_id valid_from valid_to option currency amount"
        " amount_description",
        "required_document": "id service_id document uri",
        "url": "id label url organization_id service_id",
        "attribute": "id link_id taxonomy_term_id link_type link_entity value label",
        "metadata": "id resource_id resource_type last_action_date last_action_type field_name"
        " previous_value replacement_value updated_by",
        "organization_source": "id organization_id scraper_id name description website email"
        " created_at updated_at updated_by",
        "location_source": "id location_id scraper_id name description latitude longitude"
        " created_at updated_at updated_by",
        "service_source": "id service_id scraper_id name description status created_at updated_at"
        " updated_by",
        "record_version": "record_id record_type version_num data created_at created_by source_id",
        "content_log": "scraper_id content_hash seen_at outcome",
        "change_audit": "id location_id action changed_fields previous_values new_values"
        " api_key_name source_ip user_agent caller_context created_at",
        "data_upload": "id file_name content_hash row_count uploaded_by uploaded_at",
        "reconciler_constraint_violations": "constraint_name table_name operation conflicting_data"
        " created_at",
    }.items()
}
"""Every table, in an order in which each comes after those that it refers to."""


class Batch:
    """Rows on their way into the database, table by table."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {table: [] for table in SAMPLE_TABLES}

    def add(self, table: str, *values: Value) -> None:
        """One row of ``table``, its values in the order of :data:`SAMPLE_TABLES`."""
        self._rows[table].append(values)

    def filled(self) -> Iterator[tuple[str, list[Row]]]:
        """The tables that have rows, with them."""
        return ((table, rows) for table, rows in self._rows.items() if rows)
