--
-- PostgreSQL database dump
--

-- Dumped from database version 12.22
-- Dumped by pg_dump version 13.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

DROP PUBLICATION IF EXISTS "All, or; some";
DROP POLICY IF EXISTS "only; mine" ON public.location;
ALTER TABLE IF EXISTS ONLY shapes.tree DROP CONSTRAINT IF EXISTS tree_parent_fkey;
ALTER TABLE IF EXISTS ONLY shapes.refers_to_partitioned DROP CONSTRAINT IF EXISTS refers_to_partitioned_region_taken_fkey;
ALTER TABLE IF EXISTS ONLY shapes.not_valid DROP CONSTRAINT IF EXISTS known;
ALTER TABLE IF EXISTS ONLY shapes.hen DROP CONSTRAINT IF EXISTS hen_egg_id_fkey;
ALTER TABLE IF EXISTS ONLY shapes.egg DROP CONSTRAINT IF EXISTS egg_hen_id_fkey;
ALTER TABLE IF EXISTS ONLY public.service DROP CONSTRAINT IF EXISTS service_organization_id_fkey;
ALTER TABLE IF EXISTS ONLY public.organization DROP CONSTRAINT IF EXISTS organization_parent_id_fkey;
ALTER TABLE IF EXISTS ONLY public.organization DROP CONSTRAINT IF EXISTS main_location;
ALTER TABLE IF EXISTS ONLY public.location DROP CONSTRAINT IF EXISTS location_organization_id_fkey;
DROP TRIGGER IF EXISTS on_partitions ON shapes.measurement;
DROP TRIGGER IF EXISTS "replica
it" ON public.location;
DROP TRIGGER IF EXISTS refuse ON public.organization;
DROP TRIGGER IF EXISTS later ON public.location;
DROP TRIGGER IF EXISTS instead ON code.z;
DROP RULE IF EXISTS never ON public.awkward;
DROP RULE IF EXISTS "log; it" ON public.no_rows;
CREATE OR REPLACE VIEW code.grouped AS
SELECT
    NULL::uuid AS id,
    NULL::text AS name,
    NULL::uuid AS parent_id,
    NULL::uuid AS main_location_id,
    NULL::bigint AS services;
DROP STATISTICS IF EXISTS shapes.correlated;
DROP INDEX IF EXISTS shapes.measurement_west_value_region_idx;
DROP INDEX IF EXISTS shapes.measurement_west_only;
DROP INDEX IF EXISTS shapes.measurement_east_all_value_region_idx;
DROP INDEX IF EXISTS shapes.measurement_east_value_region_idx;
DROP INDEX IF EXISTS shapes.measurement_value;
DROP INDEX IF EXISTS shapes.booking_partial;
DROP INDEX IF EXISTS shapes.booking_gin;
DROP INDEX IF EXISTS shapes.booking_expression;
DROP INDEX IF EXISTS public.by_own_search;
DROP INDEX IF EXISTS public.by_own_function;
DROP INDEX IF EXISTS code.y_id;
DROP INDEX IF EXISTS "Weird Schema"."an ""Index""
\! with all";
ALTER TABLE IF EXISTS ONLY shapes.typed DROP CONSTRAINT IF EXISTS typed_street_key;
ALTER TABLE IF EXISTS ONLY shapes.tree DROP CONSTRAINT IF EXISTS tree_pkey;
ALTER TABLE IF EXISTS ONLY shapes.refers_to_partitioned DROP CONSTRAINT IF EXISTS refers_to_partitioned_pkey;
ALTER TABLE IF EXISTS shapes.not_valid DROP CONSTRAINT IF EXISTS positive;
ALTER TABLE IF EXISTS ONLY shapes.measurement_west DROP CONSTRAINT IF EXISTS measurement_west_pkey;
ALTER TABLE IF EXISTS ONLY shapes.measurement_east_all DROP CONSTRAINT IF EXISTS measurement_east_all_pkey;
ALTER TABLE IF EXISTS ONLY shapes.measurement_east DROP CONSTRAINT IF EXISTS measurement_east_pkey;
ALTER TABLE IF EXISTS ONLY shapes.measurement DROP CONSTRAINT IF EXISTS measurement_pkey;
ALTER TABLE IF EXISTS ONLY shapes.hen DROP CONSTRAINT IF EXISTS hen_pkey;
ALTER TABLE IF EXISTS ONLY shapes.egg DROP CONSTRAINT IF EXISTS egg_pkey;
ALTER TABLE IF EXISTS ONLY shapes.booking DROP CONSTRAINT IF EXISTS booking_room_during_excl;
ALTER TABLE IF EXISTS ONLY shapes.animal DROP CONSTRAINT IF EXISTS animal_pkey;
ALTER TABLE IF EXISTS ONLY public.service DROP CONSTRAINT IF EXISTS service_pkey;
ALTER TABLE IF EXISTS ONLY public.pictures DROP CONSTRAINT IF EXISTS pictures_pkey;
ALTER TABLE IF EXISTS ONLY public.organization DROP CONSTRAINT IF EXISTS organization_pkey;
ALTER TABLE IF EXISTS ONLY public.no_rows DROP CONSTRAINT IF EXISTS no_rows_pkey;
ALTER TABLE IF EXISTS ONLY public.location DROP CONSTRAINT IF EXISTS location_pkey;
ALTER TABLE IF EXISTS ONLY public.awkward DROP CONSTRAINT IF EXISTS awkward_pkey;
ALTER TABLE IF EXISTS ONLY kinds.made DROP CONSTRAINT IF EXISTS made_pkey;
ALTER DOMAIN kinds.even DROP CONSTRAINT IF EXISTS is_even;
ALTER TABLE IF EXISTS ONLY "Weird Schema".organization DROP CONSTRAINT IF EXISTS organization_pkey;
ALTER TABLE IF EXISTS ONLY "Weird Schema"."Order" DROP CONSTRAINT IF EXISTS "Order_pkey";
SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '770002';
SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '770001';
SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '4294967295';
ALTER TABLE IF EXISTS shapes.lap_dog ALTER COLUMN name DROP DEFAULT;
ALTER TABLE IF EXISTS public."ünïcödé 🍞" ALTER COLUMN "größe" DROP DEFAULT;
ALTER TABLE IF EXISTS code.guarded ALTER COLUMN name DROP DEFAULT;
DROP TABLE IF EXISTS shapes.typed;
DROP TABLE IF EXISTS shapes.refers_to_partitioned;
DROP SEQUENCE IF EXISTS shapes.owned;
DROP TABLE IF EXISTS shapes.tree;
DROP TABLE IF EXISTS shapes.not_valid;
DROP TABLE IF EXISTS shapes.measurement_west;
DROP TABLE IF EXISTS shapes.measurement_east_all;
DROP TABLE IF EXISTS shapes.measurement_east;
DROP TABLE IF EXISTS shapes.measurement;
DROP TABLE IF EXISTS shapes.lap_dog;
DROP TABLE IF EXISTS shapes.hen;
DROP TABLE IF EXISTS shapes.generated;
DROP TABLE IF EXISTS shapes.egg;
DROP SEQUENCE IF EXISTS shapes.down;
DROP TABLE IF EXISTS shapes.dog;
DROP TABLE IF EXISTS shapes.by_hash_0;
DROP TABLE IF EXISTS shapes.by_hash;
DROP TABLE IF EXISTS shapes.booking;
DROP TABLE IF EXISTS shapes.animal;
DROP SEQUENCE IF EXISTS public."ünïcödé 🍞_größe_seq";
DROP TABLE IF EXISTS public."ünïcödé 🍞";
DROP TABLE IF EXISTS public.unlogged;
DROP TABLE IF EXISTS public.service;
DROP TABLE IF EXISTS public.pictures;
DROP TABLE IF EXISTS public.one_null;
DROP TABLE IF EXISTS public.no_rows;
DROP TABLE IF EXISTS public.no_columns;
DROP TABLE IF EXISTS public.location;
DROP TABLE IF EXISTS public.duplicates;
DROP TABLE IF EXISTS public.dropped_columns;
DROP TABLE IF EXISTS public.awkward;
DROP TABLE IF EXISTS public."
COPY public.organization (id) FROM stdin;
\.
";
DROP TABLE IF EXISTS kinds.texts;
DROP TABLE IF EXISTS kinds.system;
DROP TABLE IF EXISTS kinds.shapes;
DROP TABLE IF EXISTS kinds.ranges;
DROP TABLE IF EXISTS kinds.numbers;
DROP TABLE IF EXISTS kinds.networks;
DROP TABLE IF EXISTS kinds.moments;
DROP TABLE IF EXISTS kinds.made;
DROP TABLE IF EXISTS kinds.arrays;
DROP TABLE IF EXISTS "it's ""a"".b\c
\! d%s"."x"".""y";
DROP VIEW IF EXISTS code.numbers;
DROP MATERIALIZED VIEW IF EXISTS code.never_filled;
DROP VIEW IF EXISTS code.guarded;
DROP VIEW IF EXISTS code.grouped;
DROP MATERIALIZED VIEW IF EXISTS code.a;
DROP VIEW IF EXISTS code.x;
DROP MATERIALIZED VIEW IF EXISTS code.y;
DROP VIEW IF EXISTS code.z;
DROP TABLE IF EXISTS public.organization;
DROP TABLE IF EXISTS "Weird Schema".organization;
DROP SEQUENCE IF EXISTS "Weird Schema"."Se'quence";
DROP VIEW IF EXISTS "Weird Schema"."A View; --";
DROP TABLE IF EXISTS "Weird Schema"."Order";
DROP TEXT SEARCH CONFIGURATION IF EXISTS code.search;
DROP TEXT SEARCH DICTIONARY IF EXISTS code.plain;
DROP CONVERSION IF EXISTS code.latin;
DROP CAST IF EXISTS (code.celsius AS numeric);
DROP OPERATOR IF EXISTS code.|>| (code.celsius, code.celsius);
DROP OPERATOR IF EXISTS code.|<| (code.celsius, code.celsius);
DROP AGGREGATE IF EXISTS code.weighted(numeric, numeric);
DROP FUNCTION IF EXISTS code.warmer(code.celsius, code.celsius);
DROP FUNCTION IF EXISTS code.refuse();
DROP FUNCTION IF EXISTS code.looks_like_a_dump();
DROP FUNCTION IF EXISTS code.dollars(a text);
DROP FUNCTION IF EXISTS code.degrees(code.celsius);
DROP FUNCTION IF EXISTS code.add(state numeric, next numeric, by numeric);
DROP DOMAIN IF EXISTS kinds.work_email;
DROP TYPE IF EXISTS kinds.person;
DROP TYPE IF EXISTS kinds.mood;
DROP TYPE IF EXISTS kinds.floats;
DROP DOMAIN IF EXISTS kinds.even;
DROP DOMAIN IF EXISTS kinds.email;
DROP TYPE IF EXISTS kinds.address;
DROP TYPE IF EXISTS code.celsius;
DROP EXTENSION IF EXISTS hstore;
DROP EXTENSION IF EXISTS citext;
DROP EXTENSION IF EXISTS btree_gist;
DROP SCHEMA IF EXISTS shapes;
DROP SCHEMA IF EXISTS kinds;
DROP SCHEMA IF EXISTS "it's ""a"".b\c
\! d%s";
DROP SCHEMA IF EXISTS extras;
DROP SCHEMA IF EXISTS code;
DROP SCHEMA IF EXISTS "Weird Schema";
--
-- Name: Weird Schema; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA "Weird Schema";


--
-- Name: code; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA code;


--
-- Name: extras; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA extras;


--
-- Name: it's "a".b\c \! d%s; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA "it's ""a"".b\c
\! d%s";


--
-- Name: kinds; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA kinds;


--
-- Name: shapes; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA shapes;


--
-- Name: SCHEMA shapes; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA shapes IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA extras;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA extras;


--
-- Name: EXTENSION hstore; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION hstore IS 'data type for storing sets of (key, value) pairs';


--
-- Name: celsius; Type: TYPE; Schema: code; Owner: -
--

CREATE TYPE code.celsius AS (
	degrees numeric
);


--
-- Name: address; Type: TYPE; Schema: kinds; Owner: -
--

CREATE TYPE kinds.address AS (
	street text,
	"ZIP code" character varying(9),
	tags text[],
	since date
);


--
-- Name: email; Type: DOMAIN; Schema: kinds; Owner: -
--

CREATE DOMAIN kinds.email AS text COLLATE pg_catalog."C" DEFAULT 'nobody@example.org'::text
	CONSTRAINT email_check CHECK ((VALUE ~~ '%@%'::text))
	CONSTRAINT "not a ; spammer" CHECK ((VALUE !~ ';'::text));


--
-- Name: even; Type: DOMAIN; Schema: kinds; Owner: -
--

CREATE DOMAIN kinds.even AS integer;


--
-- Name: CONSTRAINT is_even ON DOMAIN even; Type: COMMENT; Schema: kinds; Owner: -
--

COMMENT ON CONSTRAINT is_even ON DOMAIN kinds.even IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: floats; Type: TYPE; Schema: kinds; Owner: -
--

CREATE TYPE kinds.floats AS RANGE (
    subtype = double precision,
    subtype_diff = float8mi
);


--
-- Name: mood; Type: TYPE; Schema: kinds; Owner: -
--

CREATE TYPE kinds.mood AS ENUM (
    'sad',
    'it''s "ok"',
    'happy, really',
    '\N',
    'with
newline',
    '🍞'
);


--
-- Name: person; Type: TYPE; Schema: kinds; Owner: -
--

CREATE TYPE kinds.person AS (
	name text,
	home kinds.address,
	mood kinds.mood
);


--
-- Name: work_email; Type: DOMAIN; Schema: kinds; Owner: -
--

CREATE DOMAIN kinds.work_email AS kinds.email NOT NULL DEFAULT 'nobody@example.org'::text
	CONSTRAINT work_email_check CHECK (((VALUE)::text ~~ '%.org'::text));


--
-- Name: add(numeric, numeric, numeric); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.add(state numeric, next numeric, by numeric) RETURNS numeric
    LANGUAGE sql
    AS $_$SELECT $1 + coalesce($2, 0) * $3$_$;


--
-- Name: degrees(code.celsius); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.degrees(code.celsius) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $_$SELECT ($1).degrees$_$;


--
-- Name: dollars(text); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.dollars(a text DEFAULT '$$; $_$'::text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT COST 7 PARALLEL SAFE
    AS $_X$
SELECT '$_$' || a || $q$;$q$;
$_X$;


--
-- Name: looks_like_a_dump(); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.looks_like_a_dump() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
BEGIN
    -- the lines of this body are a dump's
    RETURN '
\unrestrict 0000
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.organization (id, name) FROM stdin;
2	b
1	a
\.

--
-- PostgreSQL database dump complete
--
';
END $$;


--
-- Name: refuse(); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'a trigger fired during the load';
END $$;


--
-- Name: warmer(code.celsius, code.celsius); Type: FUNCTION; Schema: code; Owner: -
--

CREATE FUNCTION code.warmer(code.celsius, code.celsius) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$SELECT ($1).degrees > ($2).degrees$_$;


--
-- Name: weighted(numeric, numeric); Type: AGGREGATE; Schema: code; Owner: -
--

CREATE AGGREGATE code.weighted(numeric, numeric) (
    SFUNC = code.add,
    STYPE = numeric,
    INITCOND = '0'
);


--
-- Name: AGGREGATE weighted(numeric, numeric); Type: COMMENT; Schema: code; Owner: -
--

COMMENT ON AGGREGATE code.weighted(numeric, numeric) IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: |<|; Type: OPERATOR; Schema: code; Owner: -
--

CREATE OPERATOR code.|<| (
    FUNCTION = code.warmer,
    LEFTARG = code.celsius,
    RIGHTARG = code.celsius,
    COMMUTATOR = OPERATOR(code.|>|)
);


--
-- Name: |>|; Type: OPERATOR; Schema: code; Owner: -
--

CREATE OPERATOR code.|>| (
    FUNCTION = code.warmer,
    LEFTARG = code.celsius,
    RIGHTARG = code.celsius,
    COMMUTATOR = OPERATOR(code.|<|)
);


--
-- Name: CAST (code.celsius AS numeric); Type: CAST; Schema: -; Owner: -
--

CREATE CAST (code.celsius AS numeric) WITH FUNCTION code.degrees(code.celsius) AS ASSIGNMENT;


--
-- Name: latin; Type: CONVERSION; Schema: code; Owner: -
--

CREATE CONVERSION code.latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;


--
-- Name: plain; Type: TEXT SEARCH DICTIONARY; Schema: code; Owner: -
--

CREATE TEXT SEARCH DICTIONARY code.plain (
    TEMPLATE = pg_catalog.simple,
    stopwords = 'english' );


--
-- Name: search; Type: TEXT SEARCH CONFIGURATION; Schema: code; Owner: -
--

CREATE TEXT SEARCH CONFIGURATION code.search (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION code.search
    ADD MAPPING FOR asciiword WITH code.plain, english_stem;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: Order; Type: TABLE; Schema: Weird Schema; Owner: -
--

CREATE TABLE "Weird Schema"."Order" (
    "User" text NOT NULL,
    "order" integer,
    "FROM stdin;" text,
    CONSTRAINT "a
; check" CHECK (("order" > 0))
);


--
-- Name: A View; --; Type: VIEW; Schema: Weird Schema; Owner: -
--

CREATE VIEW "Weird Schema"."A View; --" AS
 SELECT "Order"."User" AS "a
column",
    '; --'::text AS "'"
   FROM "Weird Schema"."Order";


--
-- Name: Se'quence; Type: SEQUENCE; Schema: Weird Schema; Owner: -
--

CREATE SEQUENCE "Weird Schema"."Se'quence"
    START WITH 7
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: organization; Type: TABLE; Schema: Weird Schema; Owner: -
--

CREATE TABLE "Weird Schema".organization (
    id integer NOT NULL,
    note text
);


--
-- Name: organization; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.organization (
    id uuid NOT NULL,
    name text NOT NULL,
    parent_id uuid,
    main_location_id uuid
);


--
-- Name: COLUMN organization.name; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.organization.name IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: z; Type: VIEW; Schema: code; Owner: -
--

CREATE VIEW code.z AS
 SELECT organization.id,
    organization.name
   FROM public.organization
  WHERE (organization.name <> ';'::text);


--
-- Name: y; Type: MATERIALIZED VIEW; Schema: code; Owner: -
--

CREATE MATERIALIZED VIEW code.y AS
 SELECT z.id,
    upper(z.name) AS name
   FROM code.z
  WITH NO DATA;


--
-- Name: x; Type: VIEW; Schema: code; Owner: -
--

CREATE VIEW code.x AS
 SELECT y.id,
    y.name,
    (ROW(1, ';'))::text AS r
   FROM code.y;


--
-- Name: a; Type: MATERIALIZED VIEW; Schema: code; Owner: -
--

CREATE MATERIALIZED VIEW code.a AS
 SELECT count(*) AS n,
    max(x.name) AS last
   FROM code.x
  WITH NO DATA;


--
-- Name: grouped; Type: VIEW; Schema: code; Owner: -
--

CREATE VIEW code.grouped AS
SELECT
    NULL::uuid AS id,
    NULL::text AS name,
    NULL::uuid AS parent_id,
    NULL::uuid AS main_location_id,
    NULL::bigint AS services;


--
-- Name: guarded; Type: VIEW; Schema: code; Owner: -
--

CREATE VIEW code.guarded WITH (security_barrier='true') AS
 SELECT organization.id,
    organization.name
   FROM public.organization
  WHERE (organization.name <> ''::text)
  WITH LOCAL CHECK OPTION;


--
-- Name: never_filled; Type: MATERIALIZED VIEW; Schema: code; Owner: -
--

CREATE MATERIALIZED VIEW code.never_filled AS
 SELECT a.n,
    a.last
   FROM code.a
  WITH NO DATA;


--
-- Name: numbers; Type: VIEW; Schema: code; Owner: -
--

CREATE VIEW code.numbers AS
 WITH RECURSIVE numbers(n) AS (
         VALUES (1)
        UNION ALL
         SELECT (numbers_1.n + 1)
           FROM numbers numbers_1
          WHERE (numbers_1.n < 5)
        )
 SELECT numbers.n
   FROM numbers;


--
-- Name: x"."y; Type: TABLE; Schema: it's "a".b\c \! d%s; Owner: -
--

CREATE TABLE "it's ""a"".b\c
\! d%s"."x"".""y" (
    "q""uote" text,
    "back\slash" text,
    "new
line" text,
    "'" text,
    "--" text,
    "/*" text,
    "$$" text,
    "%s" text
);


--
-- Name: TABLE "x"".""y"; Type: COMMENT; Schema: it's "a".b\c \! d%s; Owner: -
--

COMMENT ON TABLE "it's ""a"".b\c
\! d%s"."x"".""y" IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: arrays; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.arrays (
    ints integer[],
    grid text[],
    odd_bounds integer[],
    empty_one text[],
    flags boolean[],
    bytes bytea[],
    docs jsonb[],
    times timestamp with time zone[],
    sized numeric(5,2)[]
);


--
-- Name: made; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.made (
    id integer NOT NULL,
    mood kinds.mood DEFAULT 'it''s "ok"'::kinds.mood,
    email kinds.work_email,
    even kinds.even,
    who kinds.person,
    range kinds.floats,
    moods kinds.mood[],
    emails kinds.email[],
    people kinds.person[]
);


--
-- Name: made_id_seq; Type: SEQUENCE; Schema: kinds; Owner: -
--

ALTER TABLE kinds.made ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME kinds.made_id_seq
    START WITH -5
    INCREMENT BY 5
    MINVALUE -100
    NO MAXVALUE
    CACHE 1
);


--
-- Name: moments; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.moments (
    a_date date,
    a_time time without time zone,
    a_timetz time with time zone,
    a_timestamp timestamp without time zone,
    a_timestamptz timestamp with time zone,
    rough timestamp(0) with time zone,
    an_interval interval,
    only_months interval year to month
);


--
-- Name: networks; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.networks (
    an_inet inet,
    a_cidr cidr,
    a_mac macaddr,
    a_mac8 macaddr8,
    some_bits bit(5),
    more_bits bit varying
);


--
-- Name: numbers; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.numbers (
    a_smallint smallint,
    an_integer integer,
    a_bigint bigint,
    a_numeric numeric,
    a_scaled numeric(12,4),
    a_real real,
    a_double double precision,
    some_money money,
    a_boolean boolean
);


--
-- Name: ranges; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.ranges (
    ints int4range,
    bigs int8range,
    numerics numrange,
    dates daterange,
    stamps tsrange,
    zoned tstzrange
);


--
-- Name: shapes; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.shapes (
    a_point point,
    a_line line,
    a_segment lseg,
    a_box box,
    a_path path,
    an_open_path path,
    a_polygon polygon,
    a_circle circle
);


--
-- Name: system; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.system (
    an_oid oid,
    a_class regclass,
    a_config regconfig,
    a_dictionary regdictionary,
    a_namespace regnamespace,
    an_oper regoper,
    an_operator regoperator,
    a_proc regproc,
    a_procedure regprocedure,
    a_role regrole,
    a_type regtype,
    a_tid tid,
    an_xid xid,
    a_cid cid,
    an_lsn pg_lsn,
    an_old_snapshot txid_snapshot,
    some_oids oidvector,
    some_ints int2vector
);


--
-- Name: texts; Type: TABLE; Schema: kinds; Owner: -
--

CREATE TABLE kinds.texts (
    a_text text,
    a_varchar character varying(10),
    a_char character(8),
    one_byte "char",
    a_name name,
    some_bytes bytea,
    a_uuid uuid,
    some_json json,
    some_jsonb jsonb,
    a_jsonpath jsonpath,
    a_vector tsvector,
    a_query tsquery,
    a_cursor refcursor
);


--
-- Name:  COPY public.organization (id) FROM stdin; \. ; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."
COPY public.organization (id) FROM stdin;
\.
" (
    a integer
);


--
-- Name: awkward; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.awkward (
    id integer NOT NULL,
    "a
 newline, ) FROM stdin;" text,
    "select" text,
    "tab	and \ and % and {}" text
);


--
-- Name: dropped_columns; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.dropped_columns (
    b text,
    d text,
    e text DEFAULT 'late'::text
);


--
-- Name: duplicates; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.duplicates (
    word text COLLATE pg_catalog."C"
);


--
-- Name: location; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.location (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    latitude numeric,
    longitude numeric
);


--
-- Name: no_columns; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.no_columns (
);


--
-- Name: no_rows; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.no_rows (
    id integer NOT NULL,
    note text DEFAULT 'a\b
c'::text
);


--
-- Name: one_null; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.one_null (
    nothing text
);


--
-- Name: pictures; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pictures (
    id integer NOT NULL,
    content oid
);


--
-- Name: service; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.service (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    alternate_name text
);


--
-- Name: unlogged; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.unlogged (
    id integer NOT NULL,
    note text
);


--
-- Name: unlogged_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.unlogged ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.unlogged_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: ünïcödé 🍞; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."ünïcödé 🍞" (
    "größe" integer NOT NULL,
    CONSTRAINT "ünïcödé 🍞_größe_check" CHECK (("größe" > 0))
);


--
-- Name: ünïcödé 🍞_größe_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public."ünïcödé 🍞_größe_seq"
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: ünïcödé 🍞_größe_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public."ünïcödé 🍞_größe_seq" OWNED BY public."ünïcödé 🍞"."größe";


--
-- Name: animal; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.animal (
    id integer NOT NULL,
    name text NOT NULL,
    CONSTRAINT animal_name_check CHECK ((name <> ''::text))
);


--
-- Name: booking; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.booking (
    room integer,
    during tsrange,
    guest extras.citext,
    tags extras.hstore
)
WITH (autovacuum_enabled=off);
ALTER TABLE ONLY shapes.booking ALTER COLUMN room SET STATISTICS 500;

ALTER TABLE ONLY shapes.booking REPLICA IDENTITY FULL;


--
-- Name: by_hash; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.by_hash (
    id integer NOT NULL,
    note text
)
PARTITION BY HASH (id);


--
-- Name: by_hash_0; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.by_hash_0 (
    id integer NOT NULL,
    note text
);
ALTER TABLE ONLY shapes.by_hash ATTACH PARTITION shapes.by_hash_0 FOR VALUES WITH (modulus 1, remainder 0);


--
-- Name: dog; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.dog (
    breed text,
    CONSTRAINT dog_breed_check CHECK ((breed <> 'cat'::text)) NO INHERIT
)
INHERITS (shapes.animal);


--
-- Name: down; Type: SEQUENCE; Schema: shapes; Owner: -
--

CREATE SEQUENCE shapes.down
    AS smallint
    START WITH 10
    INCREMENT BY -3
    NO MINVALUE
    MAXVALUE 10
    CACHE 5
    CYCLE;


--
-- Name: egg; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.egg (
    id integer NOT NULL,
    hen_id integer NOT NULL
);


--
-- Name: generated; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.generated (
    "Full Name" text GENERATED ALWAYS AS (((upper("first, name") || ' '::text) || last)) STORED,
    "first, name" text,
    last text,
    id smallint NOT NULL
);


--
-- Name: generated_id_seq; Type: SEQUENCE; Schema: shapes; Owner: -
--

ALTER TABLE shapes.generated ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME shapes.generated_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    MAXVALUE 3
    CACHE 1
    CYCLE
);


--
-- Name: hen; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.hen (
    id integer NOT NULL,
    egg_id integer NOT NULL
);


--
-- Name: lap_dog; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.lap_dog (
    altered text DEFAULT 'x'::text
)
INHERITS (shapes.dog);


--
-- Name: measurement; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.measurement (
    region text NOT NULL,
    taken date NOT NULL,
    value numeric DEFAULT 0,
    doubled numeric GENERATED ALWAYS AS ((value * (2)::numeric)) STORED
)
PARTITION BY LIST (region);


--
-- Name: measurement_east; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.measurement_east (
    region text NOT NULL,
    taken date NOT NULL,
    value numeric DEFAULT 0,
    doubled numeric GENERATED ALWAYS AS ((value * (2)::numeric)) STORED
)
PARTITION BY RANGE (taken);
ALTER TABLE ONLY shapes.measurement ATTACH PARTITION shapes.measurement_east FOR VALUES IN ('east', 'e''ast');


--
-- Name: measurement_east_all; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.measurement_east_all (
    region text NOT NULL,
    taken date NOT NULL,
    value numeric DEFAULT 0,
    doubled numeric GENERATED ALWAYS AS ((value * (2)::numeric)) STORED
);
ALTER TABLE ONLY shapes.measurement_east ATTACH PARTITION shapes.measurement_east_all FOR VALUES FROM ('2025-12-01') TO (MAXVALUE);


--
-- Name: measurement_west; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.measurement_west (
    value numeric DEFAULT '-1'::integer,
    taken date NOT NULL,
    region text NOT NULL,
    doubled numeric GENERATED ALWAYS AS ((value * (2)::numeric)) STORED
);
ALTER TABLE ONLY shapes.measurement ATTACH PARTITION shapes.measurement_west FOR VALUES IN ('west', NULL);


--
-- Name: not_valid; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.not_valid (
    a integer,
    b integer
);


--
-- Name: tree; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.tree (
    id integer NOT NULL,
    parent integer,
    path text
);


--
-- Name: owned; Type: SEQUENCE; Schema: shapes; Owner: -
--

CREATE SEQUENCE shapes.owned
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: owned; Type: SEQUENCE OWNED BY; Schema: shapes; Owner: -
--

ALTER SEQUENCE shapes.owned OWNED BY shapes.tree.id;


--
-- Name: refers_to_partitioned; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.refers_to_partitioned (
    id integer NOT NULL,
    region text,
    taken date
);


--
-- Name: typed; Type: TABLE; Schema: shapes; Owner: -
--

CREATE TABLE shapes.typed OF kinds.address (
    "ZIP code" DEFAULT '12345'::character varying
);


--
-- Name: guarded name; Type: DEFAULT; Schema: code; Owner: -
--

ALTER TABLE ONLY code.guarded ALTER COLUMN name SET DEFAULT 'someone'::text;


--
-- Name: ünïcödé 🍞 größe; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."ünïcödé 🍞" ALTER COLUMN "größe" SET DEFAULT nextval('public."ünïcödé 🍞_größe_seq"'::regclass);


--
-- Name: lap_dog name; Type: DEFAULT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.lap_dog ALTER COLUMN name SET DEFAULT 'Rex'::text;


--
-- Name: 4294967295; Type: BLOB; Schema: -; Owner: -
--

SELECT pg_catalog.lo_create('4294967295');


--
-- Name: 770001; Type: BLOB; Schema: -; Owner: -
--

SELECT pg_catalog.lo_create('770001');


--
-- Name: LARGE OBJECT 770001; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON LARGE OBJECT 770001 IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: 770002; Type: BLOB; Schema: -; Owner: -
--

SELECT pg_catalog.lo_create('770002');


--
-- Data for Name: Order; Type: TABLE DATA; Schema: Weird Schema; Owner: -
--

COPY "Weird Schema"."Order" ("User", "order", "FROM stdin;") FROM stdin;
a	1	x
A	2	\N
\.


--
-- Data for Name: organization; Type: TABLE DATA; Schema: Weird Schema; Owner: -
--

COPY "Weird Schema".organization (id, note) FROM stdin;
11	note 11
10	note 10
9	note 9
8	note 8
7	note 7
6	note 6
5	note 5
4	note 4
3	note 3
2	note 2
1	note 1
\.


--
-- Data for Name: x"."y; Type: TABLE DATA; Schema: it's "a".b\c \! d%s; Owner: -
--

COPY "it's ""a"".b\c
\! d%s"."x"".""y" ("q""uote", "back\slash", "new
line", "'", "--", "/*", "$$", "%s") FROM stdin;
1	2	3	4	5	6	7	8
\.


--
-- Data for Name: arrays; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.arrays (ints, grid, odd_bounds, empty_one, flags, bytes, docs, times, sized) FROM stdin;
{1,NULL,3}	{{a,"b,c"},{"d\\"e","{f}"}}	[-2:0]={7,8,9}	{}	{t,f,NULL}	{"\\\\x00","\\\\x5c"}	{"{\\"a\\": \\"\\\\\\\\\\"}","null"}	{infinity,"0044-03-15 12:00:00+00 BC"}	{1.50,NaN}
{{{1}},{{2}}}	{{"\\\\N","NULL"},{NULL,""}}	[0:1][5:5]={{1},{2}}	\N	\N	\N	\N	\N	\N
\.


--
-- Data for Name: made; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.made (id, mood, email, even, who, range, moods, emails, people) FROM stdin;
-5	\\N	a@b.org	3	("","(""a """"b"""" \\\\\\\\ , ()"",,""{"""""""",NULL,""""NULL"""",""""\\\\\\\\\\\\\\\\N""""}"",infinity)","with\nnewline")	[-Infinity,NaN)	{sad,🍞,NULL}	{a@b,"a\\"@ {}"}	{"(x,,sad)",NULL,"(,,)"}
0	\N	x@y.org	\N	\N	\N	{}	\N	{}
\.


--
-- Data for Name: moments; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.moments (a_date, a_time, a_timetz, a_timestamp, a_timestamptz, rough, an_interval, only_months) FROM stdin;
infinity	24:00:00	23:59:59.999999-12:30	infinity	-infinity	infinity	1 mon -1 days +00:00:00.000001	3 years 2 mons
4714-11-24 BC	12:00:00.1	24:00:00+00:00:01	4714-11-24 00:00:00 BC	4714-11-24 00:00:00+00 BC	0044-03-15 12:00:00+00 BC	-1 years -2 mons +3 days -04:05:06.7	-1 mons
5874897-12-31	23:59:59.999999	00:00:00+14	294276-12-31 23:59:59.999999	294276-12-31 23:59:59.999999+00	2026-11-01 06:30:00+00	-178000000 years	\N
0001-01-01	\N	\N	2000-02-29 12:00:00	1883-11-18 17:03:58+00	\N	00:00:00	\N
\.


--
-- Data for Name: networks; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.networks (an_inet, a_cidr, a_mac, a_mac8, some_bits, more_bits) FROM stdin;
192.168.1.5/24	10.0.0.0/8	08:00:2b:01:02:03	08:00:2b:01:02:03:04:05	10110	
::ffff:1.2.3.4	2001:db8::/32	00:00:00:00:00:00	ff:ff:ff:ff:ff:ff:ff:ff	00000	0101010101010101010101010101010101010101
\.


--
-- Data for Name: numbers; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.numbers (a_smallint, an_integer, a_bigint, a_numeric, a_scaled, a_real, a_double, some_money, a_boolean) FROM stdin;
-32768	-2147483648	-9223372036854775808	NaN	NaN	NaN	NaN	-$92,233,720,368,547,758.08	t
32767	2147483647	9223372036854775807	1.10000000000000000000000000	1.5000	Infinity	-Infinity	$0.00	f
0	0	0	1000000000000000000000000000000000000000000000000000000000000.00000000000000000000000000000000000000001	0.0000	1e-45	5e-324	$0.00	\N
0	0	0	-0.1	-0.0001	3.4028235e+38	1.7976931348623157e+308	$0.01	t
0	0	0	0.1	0.0000	0.1	0.30000000000000004	$0.00	t
0	0	0	0.1	0.0000	-0	-0	$1,234.56	t
\.


--
-- Data for Name: ranges; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.ranges (ints, bigs, numerics, dates, stamps, zoned) FROM stdin;
[1,5)	(,10)	(0.1,NaN]	[2026-01-01,infinity)	["2026-01-01 00:00:00","2026-02-01 00:00:00")	[-infinity,"2026-02-01 00:00:00+00")
empty	empty	empty	empty	empty	empty
\.


--
-- Data for Name: shapes; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.shapes (a_point, a_line, a_segment, a_box, a_path, an_open_path, a_polygon, a_circle) FROM stdin;
(1,2)	{1,-1,0}	[(0,0),(1,1)]	(2,2),(0,0)	((0,0),(1,1),(2,0))	[(0,0),(1,1)]	((0,0),(1,1),(2,0))	<(1,1),5>
(NaN,Infinity)	{0,1,2.5}	[(-Infinity,0),(1e-300,1)]	(Infinity,1),(0,-1)	((NaN,0))	[(-0,0)]	((0,0))	<(0,0),0>
\.


--
-- Data for Name: system; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.system (an_oid, a_class, a_config, a_dictionary, a_namespace, an_oper, an_operator, a_proc, a_procedure, a_role, a_type, a_tid, an_xid, a_cid, an_lsn, an_old_snapshot, some_oids, some_ints) FROM stdin;
4294967295	public.organization	english	simple	public	||/	+(integer,integer)	pg_backend_pid	substr(text,integer)	pg_monitor	timestamp with time zone	(4294967295,65535)	4294967295	7	FFFFFFFF/FFFFFFFF	10:20:10,14,15	1 2 3	1 -2 3
0	-	-	-	-	0	0	-	-	-	-	(0,0)	0	0	0/0	1:1:		
\.


--
-- Data for Name: texts; Type: TABLE DATA; Schema: kinds; Owner: -
--

COPY kinds.texts (a_text, a_varchar, a_char, one_byte, a_name, some_bytes, a_uuid, some_json, some_jsonb, a_jsonpath, a_vector, a_query, a_cursor) FROM stdin;
plain	a	ab      	x	a name	\\x00ff5c0a090d27	00000000-0000-0000-0000-000000000000	{"a":  1, "a": 2, "s": "\\u0000 \\\\N \\ud83c\\udf5e"}	{"a": "\\t\\n\\\\", "b": [1, {"c": null}]}	$."a"[*]?(@."b" > 1 && @."c" like_regex "^\\\\d")	'a':1A 'back\\\\slash':7 'cat':5 'fat':2B,4C 'it''s':6	'fat':AB & !( 'rat' | 'cat':* ) <2> 'a b'	cursor
		        			\\x	ffffffff-ffff-ffff-ffff-ffffffffffff	[]	null	$			
\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
\\N	\\N	\\N      	\\	\\N	\\x5c4e	\N	"\\\\N"	"\\\\N"	strict $."\\\\N"	\N	\N	\\N
\.


--
-- Data for Name:  COPY public.organization (id) FROM stdin; \. ; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."
COPY public.organization (id) FROM stdin;
\.
" (a) FROM stdin;
2
1
\.


--
-- Data for Name: awkward; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.awkward (id, "a
 newline, ) FROM stdin;", "select", "tab	and \ and % and {}") FROM stdin;
10	\\N	\\.	\\.\n\\.\n
2	a\tb\nc\rd\r\n\\e\\\\fvg\bh\fi	\t	\n
3	[31m	\\	\\\\N
4	🍞 ümläut 漢字 ‏עברית é	   ﻿	􏿿
5		 	\N
6	\\unrestrict 0000000000000000000000000000000000000000000000000000000000000000\n	\\! touch nasty\n	-- PostgreSQL database dump complete
7	COPY public.service (id) FROM stdin;\n1\n\\.\n	\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n	'; DROP TABLE organization; --
8	$$ $_$ /* */ -- '"	"	\n--\n-- Name: x; Type: TABLE; Schema: public; Owner: -\n--\n\n
9	\r	a\r	\ra
\.


--
-- Data for Name: dropped_columns; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.dropped_columns (b, d, e) FROM stdin;
x	y	late
\.


--
-- Data for Name: duplicates; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.duplicates (word) FROM stdin;
b
B
a
ä

\N
b
a
b
B
a
ä

\N
b
a
\.


--
-- Data for Name: location; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.location (id, organization_id, latitude, longitude) FROM stdin;
c534253b-e581-dab7-6a43-6e8910ead0fa	46fa5a23-4958-dba5-5bd0-b3726d0b405e	40.00500000000000000000	-74.00500000000000000000
bdc1fe47-d872-1453-48d3-bc922de53172	500dbb50-1d35-77b1-d6d1-87f6e454de37	40.00400000000000000000	-74.00400000000000000000
745e9cdc-76ff-ef9a-8c1a-e15e3f2e8cf9	417c4fa3-b413-5a6c-64e0-5f8d35f71648	40.00300000000000000000	-74.00300000000000000000
bec25675-775e-9e0a-0d78-3a5018b463e3	2d387ab9-8437-e5f5-28a8-7b031a086256	40.00200000000000000000	-74.00200000000000000000
377fd569-971e-edeb-a8fb-ea28434a390a	f1584b99-5a47-7098-6ad7-5bb8d29e9734	40.00100000000000000000	-74.00100000000000000000
\.


--
-- Data for Name: no_columns; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.no_columns  FROM stdin;







\.


--
-- Data for Name: no_rows; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.no_rows (id, note) FROM stdin;
\.


--
-- Data for Name: one_null; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.one_null (nothing) FROM stdin;
\N

\\N
\\.
\.


--
-- Data for Name: organization; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.organization (id, name, parent_id, main_location_id) FROM stdin;
46fa5a23-4958-dba5-5bd0-b3726d0b405e	Pantry 5	2d387ab9-8437-e5f5-28a8-7b031a086256	c534253b-e581-dab7-6a43-6e8910ead0fa
500dbb50-1d35-77b1-d6d1-87f6e454de37	Pantry 4	2d387ab9-8437-e5f5-28a8-7b031a086256	bdc1fe47-d872-1453-48d3-bc922de53172
417c4fa3-b413-5a6c-64e0-5f8d35f71648	Pantry 3	f1584b99-5a47-7098-6ad7-5bb8d29e9734	745e9cdc-76ff-ef9a-8c1a-e15e3f2e8cf9
2d387ab9-8437-e5f5-28a8-7b031a086256	Pantry 2	f1584b99-5a47-7098-6ad7-5bb8d29e9734	bec25675-775e-9e0a-0d78-3a5018b463e3
f1584b99-5a47-7098-6ad7-5bb8d29e9734	Pantry 1	\N	377fd569-971e-edeb-a8fb-ea28434a390a
\.


--
-- Data for Name: pictures; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.pictures (id, content) FROM stdin;
1	770001
2	770002
4	4294967295
\.


--
-- Data for Name: service; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.service (id, organization_id, name, alternate_name) FROM stdin;
7e7cb681-4b74-d659-6098-fc80127569a5	500dbb50-1d35-77b1-d6d1-87f6e454de37	Service 4	alias 4
c0828e03-8173-0bef-d1f7-a025057c74fb	417c4fa3-b413-5a6c-64e0-5f8d35f71648	Service 3	\N
fac98944-7cad-2edb-c89f-bcba70003b36	2d387ab9-8437-e5f5-28a8-7b031a086256	Service 2	alias 2
8ddf8780-39b7-0767-c4a5-bcf4f0c4f65e	f1584b99-5a47-7098-6ad7-5bb8d29e9734	Service 1	alias 1
\.


--
-- Data for Name: unlogged; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.unlogged (id, note) FROM stdin;
1	gone after a crash
\.


--
-- Data for Name: ünïcödé 🍞; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."ünïcödé 🍞" ("größe") FROM stdin;
1
2
3
\.


--
-- Data for Name: animal; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.animal (id, name) FROM stdin;
1	any
\.


--
-- Data for Name: booking; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.booking (room, during, guest, tags) FROM stdin;
1	["2026-01-01 00:00:00","2026-01-02 00:00:00")	Ann	"\\\\"=>"\\"", "a"=>"1", "b c"=>NULL
1	["2026-01-02 00:00:00","2026-01-03 00:00:00")	ANNA	
\N	\N	\N	\N
\.


--
-- Data for Name: by_hash_0; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.by_hash_0 (id, note) FROM stdin;
4	n4
3	n3
2	n2
1	n1
\.


--
-- Data for Name: dog; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.dog (id, name, breed) FROM stdin;
1	dog	mixed
2	dog	\N
\.


--
-- Data for Name: egg; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.egg (id, hen_id) FROM stdin;
1	1
\.


--
-- Data for Name: generated; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.generated ("first, name", last, id) FROM stdin;
f	l1	1
f	l2	2
f	l3	3
f	l4	1
f	l5	2
\.


--
-- Data for Name: hen; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.hen (id, egg_id) FROM stdin;
1	1
\.


--
-- Data for Name: lap_dog; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.lap_dog (id, name, breed, altered) FROM stdin;
3	Rex	pug	x
\.


--
-- Data for Name: measurement_east_all; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.measurement_east_all (region, taken, value) FROM stdin;
east	2026-01-03	9
e'ast	2026-01-02	8
east	2025-12-31	6
e'ast	2025-12-30	5
east	2025-12-28	3
e'ast	2025-12-27	2
\.


--
-- Data for Name: measurement_west; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.measurement_west (value, taken, region) FROM stdin;
10	2026-01-04	west
7	2026-01-01	west
4	2025-12-29	west
1	2025-12-26	west
\.


--
-- Data for Name: not_valid; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.not_valid (a, b) FROM stdin;
-1	999
\.


--
-- Data for Name: refers_to_partitioned; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.refers_to_partitioned (id, region, taken) FROM stdin;
1	west	2025-12-26
2	e'ast	2025-12-27
3	east	2025-12-28
4	west	2025-12-29
5	e'ast	2025-12-30
\.


--
-- Data for Name: tree; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.tree (id, parent, path) FROM stdin;
1	3	a
2	1	b
3	2	c
\.


--
-- Data for Name: typed; Type: TABLE DATA; Schema: shapes; Owner: -
--

COPY shapes.typed (street, "ZIP code", tags, since) FROM stdin;
Main	1	{a,b}	2026-01-01
\.


--
-- Name: Se'quence; Type: SEQUENCE SET; Schema: Weird Schema; Owner: -
--

SELECT pg_catalog.setval('"Weird Schema"."Se''quence"', 7, true);


--
-- Name: made_id_seq; Type: SEQUENCE SET; Schema: kinds; Owner: -
--

SELECT pg_catalog.setval('kinds.made_id_seq', 0, true);


--
-- Name: unlogged_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.unlogged_id_seq', 1, true);


--
-- Name: ünïcödé 🍞_größe_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public."ünïcödé 🍞_größe_seq"', 3, true);


--
-- Name: down; Type: SEQUENCE SET; Schema: shapes; Owner: -
--

SELECT pg_catalog.setval('shapes.down', -2, true);


--
-- Name: generated_id_seq; Type: SEQUENCE SET; Schema: shapes; Owner: -
--

SELECT pg_catalog.setval('shapes.generated_id_seq', 2, true);


--
-- Name: owned; Type: SEQUENCE SET; Schema: shapes; Owner: -
--

SELECT pg_catalog.setval('shapes.owned', 9223372036854775806, true);


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('770001', 131072);
SELECT pg_catalog.lowrite(0, '\x00ff5c0a2e0a');
SELECT pg_catalog.lo_close(0);

SELECT pg_catalog.lo_open('770002', 131072);
SELECT pg_catalog.lo_close(0);

SELECT pg_catalog.lo_open('4294967295', 131072);
SELECT pg_catalog.lowrite(0, '\x5c2e0a');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: Order Order_pkey; Type: CONSTRAINT; Schema: Weird Schema; Owner: -
--

ALTER TABLE ONLY "Weird Schema"."Order"
    ADD CONSTRAINT "Order_pkey" PRIMARY KEY ("User");


--
-- Name: organization organization_pkey; Type: CONSTRAINT; Schema: Weird Schema; Owner: -
--

ALTER TABLE ONLY "Weird Schema".organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);


--
-- Name: even is_even; Type: CHECK CONSTRAINT; Schema: kinds; Owner: -
--

ALTER DOMAIN kinds.even
    ADD CONSTRAINT is_even CHECK (((VALUE % 2) = 0)) NOT VALID;


--
-- Name: made made_pkey; Type: CONSTRAINT; Schema: kinds; Owner: -
--

ALTER TABLE ONLY kinds.made
    ADD CONSTRAINT made_pkey PRIMARY KEY (id);


--
-- Name: awkward awkward_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.awkward
    ADD CONSTRAINT awkward_pkey PRIMARY KEY (id);


--
-- Name: location location_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.location
    ADD CONSTRAINT location_pkey PRIMARY KEY (id);


--
-- Name: no_rows no_rows_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.no_rows
    ADD CONSTRAINT no_rows_pkey PRIMARY KEY (id);


--
-- Name: organization organization_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);


--
-- Name: pictures pictures_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pictures
    ADD CONSTRAINT pictures_pkey PRIMARY KEY (id);


--
-- Name: service service_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (id);


--
-- Name: animal animal_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.animal
    ADD CONSTRAINT animal_pkey PRIMARY KEY (id);


--
-- Name: booking booking_room_during_excl; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.booking
    ADD CONSTRAINT booking_room_during_excl EXCLUDE USING gist (room WITH =, during WITH &&) WHERE ((room > 0)) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: egg egg_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.egg
    ADD CONSTRAINT egg_pkey PRIMARY KEY (id);


--
-- Name: hen hen_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.hen
    ADD CONSTRAINT hen_pkey PRIMARY KEY (id);


--
-- Name: measurement measurement_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.measurement
    ADD CONSTRAINT measurement_pkey PRIMARY KEY (region, taken);


--
-- Name: measurement_east measurement_east_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.measurement_east
    ADD CONSTRAINT measurement_east_pkey PRIMARY KEY (region, taken);


--
-- Name: measurement_east_all measurement_east_all_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.measurement_east_all
    ADD CONSTRAINT measurement_east_all_pkey PRIMARY KEY (region, taken);


--
-- Name: measurement_west measurement_west_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.measurement_west
    ADD CONSTRAINT measurement_west_pkey PRIMARY KEY (region, taken);


--
-- Name: not_valid positive; Type: CHECK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE shapes.not_valid
    ADD CONSTRAINT positive CHECK ((a > 0)) NOT VALID;


--
-- Name: refers_to_partitioned refers_to_partitioned_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.refers_to_partitioned
    ADD CONSTRAINT refers_to_partitioned_pkey PRIMARY KEY (id);


--
-- Name: tree tree_pkey; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.tree
    ADD CONSTRAINT tree_pkey PRIMARY KEY (id);

ALTER TABLE shapes.tree CLUSTER ON tree_pkey;


--
-- Name: typed typed_street_key; Type: CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.typed
    ADD CONSTRAINT typed_street_key UNIQUE (street);


--
-- Name: an "Index" \! with all; Type: INDEX; Schema: Weird Schema; Owner: -
--

CREATE INDEX "an ""Index""
\! with all" ON "Weird Schema"."Order" USING btree ("order" DESC NULLS LAST, lower("User"));


--
-- Name: INDEX "an ""Index"" \! with all"; Type: COMMENT; Schema: Weird Schema; Owner: -
--

COMMENT ON INDEX "Weird Schema"."an ""Index""
\! with all" IS 'it''s \N
\.
\unrestrict x
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.x (a) FROM stdin;
1
\.
;🍞';


--
-- Name: y_id; Type: INDEX; Schema: code; Owner: -
--

CREATE UNIQUE INDEX y_id ON code.y USING btree (id);


--
-- Name: by_own_function; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX by_own_function ON public.organization USING btree (code.dollars(name));


--
-- Name: by_own_search; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX by_own_search ON public.organization USING gin (to_tsvector('code.search'::regconfig, name));


--
-- Name: booking_expression; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX booking_expression ON shapes.booking USING btree (((tags OPERATOR(extras.->) 'a'::text)), ((room + 1)) DESC) WITH (fillfactor='70');
ALTER INDEX shapes.booking_expression ALTER COLUMN 1 SET STATISTICS 200;


--
-- Name: booking_gin; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX booking_gin ON shapes.booking USING gin (tags);


--
-- Name: booking_partial; Type: INDEX; Schema: shapes; Owner: -
--

CREATE UNIQUE INDEX booking_partial ON shapes.booking USING btree (guest extras.citext_pattern_ops) WHERE (during IS NOT NULL);


--
-- Name: measurement_value; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX measurement_value ON ONLY shapes.measurement USING btree (value) INCLUDE (region);


--
-- Name: measurement_east_value_region_idx; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX measurement_east_value_region_idx ON ONLY shapes.measurement_east USING btree (value) INCLUDE (region);


--
-- Name: measurement_east_all_value_region_idx; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX measurement_east_all_value_region_idx ON shapes.measurement_east_all USING btree (value) INCLUDE (region);


--
-- Name: measurement_west_only; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX measurement_west_only ON shapes.measurement_west USING btree (taken) WHERE (value > (1)::numeric);


--
-- Name: measurement_west_value_region_idx; Type: INDEX; Schema: shapes; Owner: -
--

CREATE INDEX measurement_west_value_region_idx ON shapes.measurement_west USING btree (value) INCLUDE (region);


--
-- Name: measurement_east_all_pkey; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_east_pkey ATTACH PARTITION shapes.measurement_east_all_pkey;


--
-- Name: measurement_east_all_value_region_idx; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_east_value_region_idx ATTACH PARTITION shapes.measurement_east_all_value_region_idx;


--
-- Name: measurement_east_pkey; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_pkey ATTACH PARTITION shapes.measurement_east_pkey;


--
-- Name: measurement_east_value_region_idx; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_value ATTACH PARTITION shapes.measurement_east_value_region_idx;


--
-- Name: measurement_west_pkey; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_pkey ATTACH PARTITION shapes.measurement_west_pkey;


--
-- Name: measurement_west_value_region_idx; Type: INDEX ATTACH; Schema: shapes; Owner: -
--

ALTER INDEX shapes.measurement_value ATTACH PARTITION shapes.measurement_west_value_region_idx;


--
-- Name: correlated; Type: STATISTICS; Schema: shapes; Owner: -
--

CREATE STATISTICS shapes.correlated ON taken, region FROM shapes.measurement_west;


--
-- Name: grouped _RETURN; Type: RULE; Schema: code; Owner: -
--

CREATE OR REPLACE VIEW code.grouped AS
 SELECT o.id,
    o.name,
    o.parent_id,
    o.main_location_id,
    count(s.id) AS services
   FROM (public.organization o
     LEFT JOIN public.service s ON ((s.organization_id = o.id)))
  GROUP BY o.id;


--
-- Name: no_rows log; it; Type: RULE; Schema: public; Owner: -
--

CREATE RULE "log; it" AS
    ON INSERT TO public.no_rows
   WHERE (new.id > 5) DO ( INSERT INTO public.one_null (nothing)
  VALUES (';'::text);
 UPDATE public.one_null SET nothing = 'x'::text
  WHERE false;
);


--
-- Name: awkward never; Type: RULE; Schema: public; Owner: -
--

CREATE RULE never AS
    ON DELETE TO public.awkward DO INSTEAD NOTHING;
ALTER TABLE public.awkward DISABLE RULE never;


--
-- Name: z instead; Type: TRIGGER; Schema: code; Owner: -
--

CREATE TRIGGER instead INSTEAD OF INSERT ON code.z FOR EACH ROW EXECUTE FUNCTION code.refuse();


--
-- Name: location later; Type: TRIGGER; Schema: public; Owner: -
--

CREATE CONSTRAINT TRIGGER later AFTER INSERT ON public.location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION code.refuse();


--
-- Name: organization refuse; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OF name ON public.organization FOR EACH ROW WHEN ((new.name <> ';'::text)) EXECUTE FUNCTION code.refuse();


--
-- Name: location replica it; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER "replica
it" AFTER TRUNCATE ON public.location FOR EACH STATEMENT EXECUTE FUNCTION code.refuse('it''s', '\', ';');

ALTER TABLE public.location ENABLE REPLICA TRIGGER "replica
it";


--
-- Name: measurement on_partitions; Type: TRIGGER; Schema: shapes; Owner: -
--

CREATE TRIGGER on_partitions AFTER INSERT ON shapes.measurement FOR EACH ROW EXECUTE FUNCTION code.refuse();


--
-- Name: measurement_west on_partitions; Type: TRIGGER; Schema: shapes; Owner: -
--


ALTER TABLE shapes.measurement_west DISABLE TRIGGER on_partitions;


--
-- Name: location location_organization_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.location
    ADD CONSTRAINT location_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;


--
-- Name: organization main_location; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT main_location FOREIGN KEY (main_location_id) REFERENCES public.location(id) DEFERRABLE;


--
-- Name: organization organization_parent_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.organization(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: service service_organization_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);


--
-- Name: egg egg_hen_id_fkey; Type: FK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.egg
    ADD CONSTRAINT egg_hen_id_fkey FOREIGN KEY (hen_id) REFERENCES shapes.hen(id) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;


--
-- Name: hen hen_egg_id_fkey; Type: FK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.hen
    ADD CONSTRAINT hen_egg_id_fkey FOREIGN KEY (egg_id) REFERENCES shapes.egg(id) MATCH FULL DEFERRABLE INITIALLY DEFERRED;


--
-- Name: not_valid known; Type: FK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.not_valid
    ADD CONSTRAINT known FOREIGN KEY (b) REFERENCES shapes.tree(id) NOT VALID;


--
-- Name: refers_to_partitioned refers_to_partitioned_region_taken_fkey; Type: FK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.refers_to_partitioned
    ADD CONSTRAINT refers_to_partitioned_region_taken_fkey FOREIGN KEY (region, taken) REFERENCES shapes.measurement(region, taken);


--
-- Name: tree tree_parent_fkey; Type: FK CONSTRAINT; Schema: shapes; Owner: -
--

ALTER TABLE ONLY shapes.tree
    ADD CONSTRAINT tree_parent_fkey FOREIGN KEY (parent) REFERENCES shapes.tree(id);


--
-- Name: location; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.location ENABLE ROW LEVEL SECURITY;

--
-- Name: location only; mine; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY "only; mine" ON public.location AS RESTRICTIVE FOR SELECT USING ((organization_id IS NOT NULL));


--
-- Name: All, or; some; Type: PUBLICATION; Schema: -; Owner: -
--

CREATE PUBLICATION "All, or; some" WITH (publish = 'insert');


--
-- Name: All, or; some organization; Type: PUBLICATION TABLE; Schema: public; Owner: -
--

ALTER PUBLICATION "All, or; some" ADD TABLE ONLY public.organization;


--
-- Name: y; Type: MATERIALIZED VIEW DATA; Schema: code; Owner: -
--

REFRESH MATERIALIZED VIEW code.y;


--
-- Name: a; Type: MATERIALIZED VIEW DATA; Schema: code; Owner: -
--

REFRESH MATERIALIZED VIEW code.a;


--
-- PostgreSQL database dump complete
--

