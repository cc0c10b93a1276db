-- Tables, types and views of the sample: the core of HSDS 3.1, and what the real database has
-- besides: versions of every record, one row per source that knows a thing, views over views, a
-- log that only grows. Lists of varchar and several BETWEENs are here on purpose: PostgreSQL words
-- them in another way once it has read them back from a dump.
-- Keys, indexes and triggers follow in keys.sql, after the rows: building them once is faster.

CREATE TYPE public.service_status AS ENUM ('active', 'inactive', 'defunct', 'temporarily closed');
CREATE TYPE public.location_kind AS ENUM ('physical', 'postal', 'virtual');
CREATE DOMAIN public.schedule_frequency AS character varying(10)
    CONSTRAINT schedule_frequency_check CHECK (VALUE IN ('WEEKLY', 'MONTHLY'));

-- By which name two sources mean the same organization.
CREATE FUNCTION public.normalized_name(name text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_catalog.btrim(pg_catalog.regexp_replace(pg_catalog.lower(name), '[^a-z0-9]+', ' ', 'g')) $$;

CREATE TABLE public.taxonomy (
    id character varying(250) NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    uri text,
    version text
);

CREATE TABLE public.taxonomy_term (
    id character varying(250) NOT NULL,
    taxonomy_id character varying(250) NOT NULL,
    parent_id character varying(250),
    code text NOT NULL,
    name text NOT NULL,
    description text,
    language text,
    term_uri text
);

CREATE TABLE public.organization (
    id character varying(250) NOT NULL,
    name text NOT NULL,
    alternate_name text,
    description text NOT NULL,
    email text,
    website text,
    tax_status text,
    tax_id text,
    year_incorporated smallint,
    legal_status text,
    logo text,
    uri text,
    parent_organization_id character varying(250),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT organization_year_check CHECK (year_incorporated BETWEEN 1700 AND 2100)
);
COMMENT ON TABLE public.organization IS 'Who offers help: a pantry, a congregation, a food bank.';

CREATE TABLE public.organization_identifier (
    id character varying(250) NOT NULL,
    organization_id character varying(250) NOT NULL,
    identifier_scheme text,
    identifier_type text NOT NULL,
    identifier text NOT NULL
);

CREATE TABLE public.program (
    id character varying(250) NOT NULL,
    organization_id character varying(250) NOT NULL,
    name text NOT NULL,
    alternate_name text,
    description text NOT NULL
);

CREATE TABLE public.service (
    id character varying(250) NOT NULL,
    organization_id character varying(250) NOT NULL,
    program_id character varying(250),
    name text NOT NULL,
    alternate_name text,
    description text,
    url text,
    email text,
    status public.service_status DEFAULT 'active'::public.service_status NOT NULL,
    interpretation_services text,
    application_process text,
    fees_description text,
    eligibility_description text,
    minimum_age numeric(4,1),
    maximum_age numeric(4,1),
    assured_date date,
    alert text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.service IS 'What help there is, for whom, and how to get it.';

CREATE TABLE public.location (
    id character varying(250) NOT NULL,
    organization_id character varying(250),
    location_type public.location_kind DEFAULT 'physical'::public.location_kind NOT NULL,
    name text,
    alternate_name text,
    description text,
    transportation text,
    url text,
    latitude double precision,
    longitude double precision,
    external_identifier text,
    external_identifier_type text,
    is_canonical boolean DEFAULT true NOT NULL,
    confidence_score smallint DEFAULT 50 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT location_on_earth_check
        CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)
);
COMMENT ON TABLE public.location IS 'Where help is given.';

CREATE TABLE public.service_at_location (
    id character varying(250) NOT NULL,
    service_id character varying(250) NOT NULL,
    location_id character varying(250) NOT NULL,
    description text
);

CREATE TABLE public.address (
    id character varying(250) NOT NULL,
    location_id character varying(250) NOT NULL,
    attention text,
    address_1 text NOT NULL,
    address_2 text,
    city text NOT NULL,
    region text,
    state_province text NOT NULL,
    postal_code text NOT NULL,
    country character(2) NOT NULL,
    address_type public.location_kind NOT NULL
);

CREATE TABLE public.accessibility (
    id character varying(250) NOT NULL,
    location_id character varying(250) NOT NULL,
    description text,
    details text,
    url text
);

CREATE TABLE public.contact (
    id character varying(250) NOT NULL,
    organization_id character varying(250),
    service_id character varying(250),
    service_at_location_id character varying(250),
    location_id character varying(250),
    name text,
    title text,
    department text,
    email text
);

CREATE TABLE public.phone (
    id character varying(250) NOT NULL,
    location_id character varying(250),
    service_id character varying(250),
    organization_id character varying(250),
    contact_id character varying(250),
    service_at_location_id character varying(250),
    number text NOT NULL,
    extension numeric(8,0),
    type character varying(20),
    description text,
    CONSTRAINT phone_type_check CHECK (type IN ('voice', 'fax', 'text', 'tty'))
);

CREATE TABLE public.schedule (
    id character varying(250) NOT NULL,
    service_id character varying(250),
    location_id character varying(250),
    service_at_location_id character varying(250),
    valid_from date,
    valid_to date,
    dtstart date,
    timezone text,
    until date,
    count integer,
    wkst text,
    freq public.schedule_frequency,
    "interval" integer,
    byday text,
    bymonthday text,
    description text,
    opens_at time without time zone,
    closes_at time without time zone,
    notes text
);

CREATE TABLE public.language (
    id character varying(250) NOT NULL,
    service_id character varying(250),
    location_id character varying(250),
    phone_id character varying(250),
    name text,
    code text,
    note text
);

CREATE TABLE public.service_area (
    id character varying(250) NOT NULL,
    service_id character varying(250),
    service_at_location_id character varying(250),
    name text,
    description text,
    extent jsonb,
    extent_type text,
    uri text
);

CREATE TABLE public.funding (
    id character varying(250) NOT NULL,
    organization_id character varying(250),
    service_id character varying(250),
    source text
);

CREATE TABLE public.cost_option (
    id character varying(250) NOT NULL,
    service_id character varying(250) NOT NULL,
    valid_from date,
    valid_to date,
    option text,
    currency character(3),
    amount numeric(10,2),
    amount_description text
);

CREATE TABLE public.required_document (
    id character varying(250) NOT NULL,
    service_id character varying(250),
    document text,
    uri text
);

CREATE TABLE public.url (
    id character varying(250) NOT NULL,
    label text,
    url text NOT NULL,
    organization_id character varying(250),
    service_id character varying(250)
);

CREATE TABLE public.attribute (
    id character varying(250) NOT NULL,
    link_id character varying(250) NOT NULL,
    taxonomy_term_id character varying(250) NOT NULL,
    link_type text,
    link_entity text NOT NULL,
    value text,
    label text
);

CREATE TABLE public.metadata (
    id character varying(250) NOT NULL,
    resource_id character varying(250) NOT NULL,
    resource_type text NOT NULL,
    last_action_date date NOT NULL,
    last_action_type text NOT NULL,
    field_name text NOT NULL,
    previous_value text NOT NULL,
    replacement_value text NOT NULL,
    updated_by text NOT NULL
);

CREATE TABLE public.organization_source (
    id character varying(250) NOT NULL,
    organization_id character varying(250) NOT NULL,
    scraper_id text NOT NULL,
    name text NOT NULL,
    description text,
    website text,
    email text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text
);

CREATE TABLE public.location_source (
    id character varying(250) NOT NULL,
    location_id character varying(250) NOT NULL,
    scraper_id text NOT NULL,
    name text NOT NULL,
    description text,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text
);

CREATE TABLE public.service_source (
    id character varying(250) NOT NULL,
    service_id character varying(250) NOT NULL,
    scraper_id text NOT NULL,
    name text NOT NULL,
    description text,
    status public.service_status NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text
);

CREATE TABLE public.record_version (
    id bigserial NOT NULL,
    record_id uuid NOT NULL,
    record_type character varying(50) NOT NULL,
    version_num integer NOT NULL,
    data jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text,
    source_id character varying(250),
    CONSTRAINT record_version_type_check
        CHECK (record_type IN ('organization', 'location', 'service'))
);
COMMENT ON TABLE public.record_version IS 'What a record said before, version by version.';

CREATE TABLE public.content_log (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    scraper_id character varying(100) NOT NULL,
    content_hash bytea NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    outcome character varying(20) DEFAULT 'stored'::character varying NOT NULL,
    CONSTRAINT content_log_outcome_check CHECK (outcome IN ('stored', 'known', 'unreadable')),
    CONSTRAINT content_log_hash_check CHECK (octet_length(content_hash) = 32)
);
COMMENT ON TABLE public.content_log IS 'Every content that a scraper has ever seen; only grows.';

CREATE VIEW public.location_master_view AS
SELECT
    location.id,
    coalesce(location.name, organization.name) AS name,
    organization.name AS organization_name,
    address.city,
    address.state_province,
    address.postal_code,
    location.latitude,
    location.longitude,
    (
        SELECT jsonb_object_agg(location_source.scraper_id, location_source.name)
        FROM public.location_source
        WHERE location_source.location_id = location.id
    ) AS sources
FROM public.location
JOIN public.organization ON organization.id = location.organization_id
LEFT JOIN public.address
    ON address.location_id = location.id
    AND address.address_type = 'physical'::public.location_kind
WHERE location.is_canonical;
COMMENT ON VIEW public.location_master_view IS 'One line per place, with who says so.';

CREATE VIEW public.reachable_phones AS
SELECT id, organization_id, location_id, number
FROM public.phone
WHERE type NOT IN ('fax', 'tty');
