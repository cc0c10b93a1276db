-- What an old server is filled with, by psql: as much of the nasty database as it knows, in a few
-- rows. A part for newer servers follows each older form of the same thing.
\set ON_ERROR_STOP on
SELECT :SERVER_VERSION_NUM >= 130000 AS since_13, :SERVER_VERSION_NUM >= 140000 AS since_14,
    :SERVER_VERSION_NUM >= 150000 AS since_15,
    :SERVER_VERSION_NUM >= 170000 AS since_17 \gset

-- The core tables, which refer to each other in a circle.
CREATE TABLE organization (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    parent_id uuid REFERENCES organization DEFERRABLE INITIALLY DEFERRED,
    main_location_id uuid
);
CREATE TABLE location (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    latitude numeric,
    longitude numeric
);
CREATE TABLE service (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    name text NOT NULL,
    alternate_name text
);
ALTER TABLE organization
    ADD CONSTRAINT main_location FOREIGN KEY (main_location_id) REFERENCES location DEFERRABLE;
-- The last ones first, so that the order of the rows is not that of their bytes.
INSERT INTO organization (id, name, parent_id)
SELECT md5('o' || i)::uuid, 'Pantry ' || i, CASE WHEN i > 1 THEN md5('o' || i / 2)::uuid END
FROM generate_series(5, 1, -1) i;
INSERT INTO location
SELECT md5('l' || i)::uuid, md5('o' || i)::uuid, 40 + i / 1000.0, -74 - i / 1000.0
FROM generate_series(5, 1, -1) i;
INSERT INTO service
SELECT md5('s' || i)::uuid, md5('o' || i)::uuid, 'Service ' || i, NULLIF('alias ' || i, 'alias 3')
FROM generate_series(4, 1, -1) i;
UPDATE organization SET main_location_id = location.id
FROM location WHERE organization_id = organization.id;

-- Types.
CREATE SCHEMA kinds;
CREATE TABLE kinds.numbers (
    a_smallint smallint, an_integer integer, a_bigint bigint, a_numeric numeric,
    a_scaled numeric(12, 4), a_real real, a_double double precision, some_money money,
    a_boolean boolean
);
INSERT INTO kinds.numbers VALUES
    (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', -92233720368547758.08, true),
    (32767, 2147483647, 9223372036854775807, 1.10000000000000000000000000, 1.5, 'Infinity', '-Infinity', 0, false),
    (0, 0, 0, ('1' || repeat('0', 60) || '.' || repeat('0', 40) || '1')::numeric, 0, '1e-45', '5e-324', 0, NULL),
    (0, 0, 0, -0.1, -0.0001, 3.4028235e38, 1.7976931348623157e308, 0.01, true),
    (0, 0, 0, 0.1, 0, 0.1, 0.30000000000000004, 0, true),
    (0, 0, 0, 0.1, 0, '-0', '-0', 1234.56, true);
\if :since_14
INSERT INTO kinds.numbers (a_numeric) VALUES ('Infinity'), ('-Infinity');
\endif

CREATE TABLE kinds.moments (
    a_date date, a_time time, a_timetz timetz, a_timestamp timestamp, a_timestamptz timestamptz,
    rough timestamptz(0), an_interval interval, only_months interval year to month
);
INSERT INTO kinds.moments VALUES
    ('infinity', '24:00:00', '23:59:59.999999-12:30', 'infinity', '-infinity', 'infinity', '1 mon -1 day +00:00:00.000001', '3 years 2 mons'),
    ('4714-11-24 BC', '12:00:00.1', '24:00:00+00:00:01', '4714-11-24 00:00:00 BC', '4714-11-24 00:00:00+00 BC', '0044-03-15 12:00:00+00 BC', '-1 years -2 mons +3 days -04:05:06.7', '-1 mon'),
    ('5874897-12-31', '23:59:59.999999', '00:00+14', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '2026-11-01 01:30:00-05', '-178000000 years', NULL),
    ('0001-01-01', NULL, NULL, '2000-02-29 12:00', '1883-11-18 12:03:58-05', NULL, '00:00', NULL);
\if :since_17
INSERT INTO kinds.moments (an_interval) VALUES ('infinity'), ('-infinity');
\endif

CREATE TABLE kinds.texts (
    a_text text, a_varchar varchar(10), a_char char(8), one_byte "char", a_name name, some_bytes bytea,
    a_uuid uuid, some_json json, some_jsonb jsonb, a_jsonpath jsonpath, a_vector tsvector,
    a_query tsquery, a_cursor refcursor
);
INSERT INTO kinds.texts VALUES
    ('plain', 'a', 'ab', 'x', 'a name', '\x00ff5c0a090d27', '00000000-0000-0000-0000-000000000000',
     '{"a":  1, "a": 2, "s": "\u0000 \\N \ud83c\udf5e"}', '{"b": [1, {"c": null}], "a": "\t\n\\"}', '$.a[*] ? (@.b > 1 && @.c like_regex "^\\d")',
     'a:1A fat:2B,4C cat:5D ''it''''s'':6 ''back\\slash'':7', 'fat:AB & !(rat | cat:*) <2> ''a b''', 'cursor'),
    ('', '', '', '', '', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]', 'null', '$', '', '', ''),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('\N', '\N', '\N', '\', '\N', convert_to('\N', 'UTF8'), NULL, '"\\N"', '"\\N"', 'strict $."\\N"', NULL, NULL, '\N');

CREATE TABLE kinds.networks (
    an_inet inet, a_cidr cidr, a_mac macaddr, a_mac8 macaddr8, some_bits bit(5), more_bits bit varying
);
INSERT INTO kinds.networks VALUES
    ('192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10110', B''),
    ('::ffff:1.2.3.4', '2001:db8::/32', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff', B'00000', repeat('01', 20)::varbit);

CREATE TABLE kinds.shapes (
    a_point point, a_line line, a_segment lseg, a_box box, a_path path, an_open_path path,
    a_polygon polygon, a_circle circle
);
INSERT INTO kinds.shapes VALUES
    ('(1,2)', '{1,-1,0}', '[(0,0),(1,1)]', '(2,2),(0,0)', '((0,0),(1,1),(2,0))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(1,1),5>'),
    ('(NaN,Infinity)', '{0,1,2.5}', '[(-Infinity,0),(1e-300,1)]', '(Infinity,1),(0,-1)', '((NaN,0))', '[(-0,0)]', '((0,0))', '<(0,0),0>');

CREATE TABLE kinds.ranges (
    ints int4range, bigs int8range, numerics numrange, dates daterange, stamps tsrange, zoned tstzrange
);
INSERT INTO kinds.ranges VALUES
    ('[1,5)', '(,9]', '(0.1,NaN]', '[2026-01-01,infinity)', '[2026-01-01,2026-02-01)', '[-infinity,2026-02-01 00:00+00)'),
    ('empty', 'empty', 'empty', 'empty', 'empty', 'empty');
\if :since_14
ALTER TABLE kinds.ranges ADD many_ints int4multirange, ADD many_zoned tstzmultirange;
UPDATE kinds.ranges SET many_ints = '{[1,2),[5,9)}', many_zoned = '{[2026-01-01 00:00+00,)}';
CREATE TYPE kinds.names AS RANGE (subtype = text, collation = "C", multirange_type_name = kinds.many_names);
CREATE TABLE kinds.named (name_range kinds.names, ranges kinds.many_names);
INSERT INTO kinds.named VALUES ('[a,b)', '{[a,b),[c,d]}');
\endif

CREATE TABLE kinds.system (
    an_oid oid, a_class regclass, a_config regconfig, a_dictionary regdictionary,
    a_namespace regnamespace, an_oper regoper, an_operator regoperator, a_proc regproc,
    a_procedure regprocedure, a_role regrole, a_type regtype, a_tid tid, an_xid xid, a_cid cid,
    an_lsn pg_lsn, an_old_snapshot txid_snapshot, some_oids oidvector, some_ints int2vector
);
INSERT INTO kinds.system VALUES (
    4294967295, 'public.organization', 'pg_catalog.english', 'pg_catalog.simple', 'public',
    'pg_catalog.||/', 'pg_catalog.+(integer,integer)', 'pg_catalog.pg_backend_pid',
    'pg_catalog.substr(text,integer)', 'pg_monitor', 'timestamp with time zone', '(4294967295,65535)',
    '4294967295', '7', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '1 2 3', '1 -2 3'
), ('0', '-', '-', '-', '-', '0', '0', '-', '-', '-', '-', '(0,0)', '0', '0', '0/0', '1:1:', '', '');
\if :since_13
ALTER TABLE kinds.system ADD a_collation regcollation, ADD an_xid8 xid8, ADD a_snapshot pg_snapshot;
UPDATE kinds.system SET a_collation = 'pg_catalog."C"', an_xid8 = '18446744073709551615', a_snapshot = '10:20:10,14,15';
\endif

CREATE TYPE kinds.mood AS ENUM ('sad', 'it''s "ok"', 'happy, really', '\N', 'with
newline', '🍞');
CREATE DOMAIN kinds.email AS text COLLATE "C" DEFAULT 'nobody@example.org'
    CHECK (value LIKE '%@%') CONSTRAINT "not a ; spammer" CHECK (value !~ ';');
CREATE DOMAIN kinds.work_email AS kinds.email NOT NULL CHECK (value LIKE '%.org');
CREATE DOMAIN kinds.even AS integer;
CREATE TYPE kinds.address AS (street text, "ZIP code" varchar(9), tags text[], since date);
CREATE TYPE kinds.person AS (name text, home kinds.address, mood kinds.mood);
CREATE TYPE kinds.floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TABLE kinds.made (
    id integer GENERATED ALWAYS AS IDENTITY (START WITH -5 INCREMENT BY 5 MINVALUE -100) PRIMARY KEY,
    mood kinds.mood DEFAULT 'it''s "ok"', email kinds.work_email, even kinds.even,
    who kinds.person, range kinds.floats, moods kinds.mood[], emails kinds.email[],
    people kinds.person[]
);
INSERT INTO kinds.made (mood, email, even, who, range, moods, emails, people) VALUES
    ('\N', 'a@b.org', 3, ('', ('a "b" \ , ()', NULL, '{"", NULL, "NULL", "\\N"}', 'infinity'), 'with
newline'), '[-Infinity,NaN)', '{sad,"🍞",NULL}', '{a@b,"a\"@ {}"}',
     ARRAY[('x', NULL, 'sad')::kinds.person, NULL, (NULL, NULL, NULL)::kinds.person]),
    (NULL, 'x@y.org', NULL, NULL, NULL, '{}', NULL, '{}');
-- A check on a domain that holds from now on only: pg_dump writes it apart, and drops it apart.
ALTER DOMAIN kinds.even ADD CONSTRAINT is_even CHECK (value % 2 = 0) NOT VALID;

CREATE TABLE kinds.arrays (
    ints integer[], grid text[][], odd_bounds integer[], empty_one text[], flags boolean[],
    bytes bytea[], docs jsonb[], times timestamptz[], sized numeric(5, 2)[3]
);
INSERT INTO kinds.arrays VALUES
    ('{1,NULL,3}', '{{a,"b,c"},{"d\"e","{f}"}}', '[-2:0]={7,8,9}', '{}', '{t,f,NULL}', ARRAY['\x00'::bytea, '\x5c'],
     ARRAY['{"a": "\\"}'::jsonb, 'null'], '{infinity,"0044-03-15 12:00:00+00 BC"}', '{1.5,NaN}'),
    ('{{{1}},{{2}}}', ARRAY[['\N', 'NULL'], [NULL, '']], '[0:1][5:5]={{1},{2}}', NULL, NULL, NULL, NULL, NULL, NULL);

-- Texts that look like something else.
CREATE TABLE awkward (
    id integer PRIMARY KEY,
    "a
 newline, ) FROM stdin;" text,
    "select" text,
    "tab	and \ and % and {}" text
);
INSERT INTO awkward VALUES
    (10, '\N', '\.', E'\\.\n\\.\n'),
    (2, E'a\tb\nc\rd\r\n\\e\\\\f\vg\bh\fi', E'\t', E'\n'),
    (3, E'\x01\x02\x1b[31m\x7f', E'\\', E'\\\\N'),
    (4, '🍞 ümläut 漢字 ‏עברית e' || U&'\0301', U&'\2028\2029\00a0\feff', U&'\+10FFFF'),
    (5, '', ' ', NULL),
    (6, E'\\unrestrict 0000000000000000000000000000000000000000000000000000000000000000\n', E'\\! touch nasty\n', '-- PostgreSQL database dump complete'),
    (7, E'COPY public.service (id) FROM stdin;\n1\n\\.\n', E'\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n', E'''; DROP TABLE organization; --'),
    (8, '$$ $_$ /* */ -- ''"', '"', E'\n--\n-- Name: x; Type: TABLE; Schema: public; Owner: -\n--\n\n'),
    (9, E'\r', E'a\r', E'\ra');
CREATE TABLE duplicates (word text COLLATE "C");
INSERT INTO duplicates SELECT word FROM unnest('{b,B,a,ä,"",NULL,b,a}'::text[]) word, generate_series(1, 2);
CREATE TABLE no_rows (id integer PRIMARY KEY, note text DEFAULT E'a\\b\nc');
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 7);
CREATE TABLE one_null (nothing text);
INSERT INTO one_null VALUES (NULL), (''), ('\N'), ('\.');
CREATE TABLE dropped_columns (a integer, b text, c integer, d text);
INSERT INTO dropped_columns VALUES (1, 'x', 2, 'y');
ALTER TABLE dropped_columns DROP COLUMN a, DROP COLUMN c, ADD COLUMN e text DEFAULT 'late';
CREATE UNLOGGED TABLE unlogged (id integer GENERATED BY DEFAULT AS IDENTITY, note text);
INSERT INTO unlogged (note) VALUES ('gone after a crash');
\if :since_14
ALTER TABLE one_null ADD word text COMPRESSION pglz;
\endif

-- Names.
CREATE SCHEMA "Weird Schema";
CREATE SCHEMA "it's ""a"".b\c
\! d%s";
CREATE TABLE "Weird Schema"."Order" ("User" text PRIMARY KEY, "order" integer, "FROM stdin;" text);
INSERT INTO "Weird Schema"."Order" VALUES ('a', 1, 'x'), ('A', 2, NULL);
CREATE TABLE "it's ""a"".b\c
\! d%s"."x"".""y" ("q""uote" text, "back\slash" text, "new
line" text, "'" text, "--" text, "/*" text, "$$" text, "%s" text);
INSERT INTO "it's ""a"".b\c
\! d%s"."x"".""y" VALUES ('1', '2', '3', '4', '5', '6', '7', '8');
CREATE TABLE "
COPY public.organization (id) FROM stdin;
\.
" (a integer);
INSERT INTO "
COPY public.organization (id) FROM stdin;
\.
" VALUES (2), (1);
CREATE TABLE "ünïcödé 🍞" ("größe" serial CHECK ("größe" > 0));
INSERT INTO "ünïcödé 🍞" SELECT FROM generate_series(1, 3);
CREATE TABLE "Weird Schema".organization (id integer PRIMARY KEY, note text);
INSERT INTO "Weird Schema".organization SELECT i, 'note ' || i FROM generate_series(11, 1, -1) i;
CREATE INDEX "an ""Index""
\! with all" ON "Weird Schema"."Order" ("order" DESC NULLS LAST, lower("User"));
ALTER TABLE "Weird Schema"."Order" ADD CONSTRAINT "a
; check" CHECK ("order" > 0);
CREATE VIEW "Weird Schema"."A View; --" AS SELECT "User" AS "a
column", '; --' AS "'" FROM "Weird Schema"."Order";
CREATE SEQUENCE "Weird Schema"."Se'quence" START 7;
SELECT nextval('"Weird Schema"."Se''quence"');

-- Partitions, inheritance, generated columns, constraints, indexes and sequences of every kind.
CREATE EXTENSION btree_gist;
CREATE SCHEMA extras;
CREATE EXTENSION citext SCHEMA extras;
CREATE EXTENSION hstore SCHEMA extras;
CREATE SCHEMA shapes;
CREATE TABLE shapes.measurement (
    region text NOT NULL, taken date NOT NULL, value numeric DEFAULT 0,
    doubled numeric GENERATED ALWAYS AS (value * 2) STORED,
    PRIMARY KEY (region, taken)
) PARTITION BY LIST (region);
CREATE TABLE shapes.measurement_east PARTITION OF shapes.measurement FOR VALUES IN ('east', 'e''ast')
    PARTITION BY RANGE (taken);
CREATE TABLE shapes.measurement_east_all PARTITION OF shapes.measurement_east
    FOR VALUES FROM ('2025-12-01') TO (MAXVALUE);
-- Attached later: other columns in another order, and a dropped one.
CREATE TABLE shapes.measurement_west (gone text, value numeric, taken date NOT NULL, extra integer,
    region text NOT NULL, doubled numeric GENERATED ALWAYS AS (value * 2) STORED);
ALTER TABLE shapes.measurement_west DROP COLUMN gone, DROP COLUMN extra;
ALTER TABLE shapes.measurement_west ALTER value SET DEFAULT -1;
ALTER TABLE shapes.measurement ATTACH PARTITION shapes.measurement_west FOR VALUES IN ('west', NULL);
CREATE INDEX measurement_value ON shapes.measurement (value) INCLUDE (region);
CREATE INDEX measurement_west_only ON shapes.measurement_west (taken) WHERE value > 1;
INSERT INTO shapes.measurement (region, taken, value)
SELECT (ARRAY['east', 'west', 'e''ast'])[1 + i % 3], date '2025-12-25' + i, i
FROM generate_series(10, 1, -1) i;
CREATE TABLE shapes.by_hash (id integer NOT NULL, note text) PARTITION BY HASH (id);
CREATE TABLE shapes.by_hash_0 PARTITION OF shapes.by_hash FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO shapes.by_hash SELECT i, 'n' || i FROM generate_series(4, 1, -1) i;
CREATE TABLE shapes.refers_to_partitioned (
    id integer PRIMARY KEY, region text, taken date,
    FOREIGN KEY (region, taken) REFERENCES shapes.measurement
);
INSERT INTO shapes.refers_to_partitioned
SELECT row_number() OVER (ORDER BY taken), region, taken FROM shapes.measurement LIMIT 5;

CREATE TABLE shapes.animal (id integer PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
CREATE TABLE shapes.dog (breed text, CHECK (breed <> 'cat') NO INHERIT) INHERITS (shapes.animal);
CREATE TABLE shapes.lap_dog (ALTERED text DEFAULT 'x') INHERITS (shapes.dog);
ALTER TABLE shapes.lap_dog ALTER name SET DEFAULT 'Rex';
INSERT INTO shapes.animal VALUES (1, 'any');
INSERT INTO shapes.dog VALUES (1, 'dog', 'mixed'), (2, 'dog', NULL);
INSERT INTO shapes.lap_dog (id, breed) VALUES (3, 'pug');

CREATE TABLE shapes.generated (
    "Full Name" text GENERATED ALWAYS AS (upper("first, name") || ' ' || last) STORED,
    "first, name" text, last text, id smallint GENERATED BY DEFAULT AS IDENTITY (CYCLE MAXVALUE 3)
);
INSERT INTO shapes.generated ("first, name", last) SELECT 'f', 'l' || i FROM generate_series(1, 5) i;
CREATE TABLE shapes.typed OF kinds.address ("ZIP code" WITH OPTIONS DEFAULT '12345', UNIQUE (street));
INSERT INTO shapes.typed VALUES ('Main', '1', '{a,b}', '2026-01-01');

CREATE TABLE shapes.booking (
    room integer, during tsrange, guest extras.citext, tags extras.hstore,
    EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0) DEFERRABLE INITIALLY DEFERRED
);
\if :since_15
ALTER TABLE shapes.booking ADD UNIQUE NULLS NOT DISTINCT (guest, room);
\endif
INSERT INTO shapes.booking VALUES
    (1, '[2026-01-01,2026-01-02)', 'Ann', 'a=>1, "b c"=>NULL, "\\"=>"\""'),
    (1, '[2026-01-02,2026-01-03)', 'ANNA', ''), (NULL, NULL, NULL, NULL);
CREATE UNIQUE INDEX booking_partial ON shapes.booking (guest extras.citext_pattern_ops) WHERE during IS NOT NULL;
CREATE INDEX booking_expression ON shapes.booking ((tags OPERATOR(extras.->) 'a'), (room + 1) DESC) WITH (fillfactor = 70);
CREATE INDEX booking_gin ON shapes.booking USING gin (tags);
ALTER TABLE shapes.booking REPLICA IDENTITY FULL, ALTER room SET STATISTICS 500, SET (autovacuum_enabled = off);
ALTER INDEX shapes.booking_expression ALTER COLUMN 1 SET STATISTICS 200;

CREATE TABLE shapes.hen (id integer PRIMARY KEY, egg_id integer NOT NULL);
CREATE TABLE shapes.egg (id integer PRIMARY KEY, hen_id integer NOT NULL REFERENCES shapes.hen
    ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE shapes.hen ADD FOREIGN KEY (egg_id) REFERENCES shapes.egg MATCH FULL DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO shapes.hen VALUES (1, 1);
INSERT INTO shapes.egg VALUES (1, 1);
COMMIT;
CREATE TABLE shapes.tree (id integer PRIMARY KEY, parent integer REFERENCES shapes.tree, path text);
INSERT INTO shapes.tree VALUES (1, 3, 'a'), (2, 1, 'b'), (3, 2, 'c');
ALTER TABLE shapes.tree CLUSTER ON tree_pkey;
\if :since_15
ALTER TABLE shapes.tree ADD FOREIGN KEY (parent) REFERENCES shapes.tree ON DELETE SET NULL (parent);
CREATE UNLOGGED SEQUENCE shapes.unlogged;
\endif
-- Rows that break what holds only for new ones.
CREATE TABLE shapes.not_valid (a integer, b integer);
INSERT INTO shapes.not_valid VALUES (-1, 999);
ALTER TABLE shapes.not_valid ADD CONSTRAINT positive CHECK (a > 0) NOT VALID,
    ADD CONSTRAINT known FOREIGN KEY (b) REFERENCES shapes.tree NOT VALID;

CREATE SEQUENCE shapes.down AS smallint INCREMENT -3 MAXVALUE 10 START 10 CYCLE CACHE 5;
CREATE SEQUENCE shapes.owned OWNED BY shapes.tree.id;
SELECT nextval('shapes.down'),
    setval('shapes.owned', 9223372036854775806);
CREATE STATISTICS shapes.correlated (ndistinct, dependencies, mcv) ON region, taken FROM shapes.measurement_west;
\if :since_13
ALTER STATISTICS shapes.correlated SET STATISTICS 50;
\endif
\if :since_14
CREATE STATISTICS shapes.expressions ON (room + 1), (lower(guest::text)) FROM shapes.booking;
\endif

-- Views, functions, triggers, rules, policies and the objects that hang on them.
CREATE SCHEMA code;
CREATE FUNCTION code.looks_like_a_dump() RETURNS text LANGUAGE plpgsql SET search_path = '' AS $body$
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
END $body$;
CREATE FUNCTION code.dollars(a text = '$$; $_$') RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 7 AS $$
SELECT '$_$' || a || $q$;$q$;
$$;
\if :since_14
CREATE FUNCTION code.atomic(n integer, OUT total bigint, OUT label text) LANGUAGE sql BEGIN ATOMIC
    SELECT count(*), 'x' FROM public.organization WHERE name <> ';';
    SELECT count(*), 'COPY x FROM stdin;'::text FROM public.service WHERE id IS NOT NULL;
END;
\endif
CREATE FUNCTION code.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a trigger fired during the load';
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OF name ON organization FOR EACH ROW WHEN (NEW.name <> ';') EXECUTE FUNCTION code.refuse();
CREATE TRIGGER "replica
it" AFTER TRUNCATE ON location EXECUTE FUNCTION code.refuse('it''s', '\', ';');
ALTER TABLE location ENABLE REPLICA TRIGGER "replica
it";
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION code.refuse();
CREATE TRIGGER on_partitions AFTER INSERT ON shapes.measurement FOR EACH ROW EXECUTE FUNCTION code.refuse();
ALTER TABLE shapes.measurement_west DISABLE TRIGGER on_partitions;

-- z is below y is below x: the order of names is the wrong one.
CREATE VIEW code.z AS SELECT id, name FROM organization WHERE name <> ';';
CREATE MATERIALIZED VIEW code.y AS SELECT id, upper(name) AS name FROM code.z;
CREATE VIEW code.x AS SELECT y.*, ROW(1, ';')::text AS r FROM code.y;
CREATE MATERIALIZED VIEW code.a AS SELECT count(*) AS n, max(name) AS last FROM code.x;
CREATE MATERIALIZED VIEW code.never_filled AS SELECT * FROM code.a WITH NO DATA;
CREATE UNIQUE INDEX y_id ON code.y (id);
CREATE VIEW code.grouped AS SELECT o.*, count(s.id) AS services FROM organization o LEFT JOIN service s ON s.organization_id = o.id GROUP BY o.id;
CREATE RECURSIVE VIEW code.numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
CREATE VIEW code.guarded WITH (security_barrier) AS SELECT id, name FROM organization WHERE name <> '' WITH LOCAL CHECK OPTION;
\if :since_15
ALTER VIEW code.guarded SET (security_invoker = true);
\endif
ALTER VIEW code.guarded ALTER name SET DEFAULT 'someone';
CREATE TRIGGER instead INSTEAD OF INSERT ON code.z FOR EACH ROW EXECUTE FUNCTION code.refuse();
CREATE RULE "log; it" AS ON INSERT TO no_rows WHERE NEW.id > 5 DO ALSO (INSERT INTO one_null VALUES (';'); UPDATE one_null SET nothing = 'x' WHERE false);
CREATE RULE never AS ON DELETE TO awkward DO INSTEAD NOTHING;
ALTER TABLE awkward DISABLE RULE never;
ALTER TABLE location ENABLE ROW LEVEL SECURITY;
CREATE POLICY "only; mine" ON location AS RESTRICTIVE FOR SELECT TO pg_monitor, public USING (organization_id IS NOT NULL);

CREATE TYPE code.celsius AS (degrees numeric);
CREATE FUNCTION code.degrees(code.celsius) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT ($1).degrees';
CREATE CAST (code.celsius AS numeric) WITH FUNCTION code.degrees(code.celsius) AS ASSIGNMENT;
CREATE FUNCTION code.warmer(code.celsius, code.celsius) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).degrees > ($2).degrees';
CREATE OPERATOR code.|>| (LEFTARG = code.celsius, RIGHTARG = code.celsius, FUNCTION = code.warmer, COMMUTATOR = OPERATOR(code.|<|));
CREATE OPERATOR code.|<| (LEFTARG = code.celsius, RIGHTARG = code.celsius, FUNCTION = code.warmer, COMMUTATOR = OPERATOR(code.|>|));
CREATE FUNCTION code.add(state numeric, next numeric, by numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 + coalesce($2, 0) * $3';
CREATE AGGREGATE code.weighted(numeric, numeric) (SFUNC = code.add, STYPE = numeric, INITCOND = '0');
CREATE CONVERSION code.latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE TEXT SEARCH DICTIONARY code.plain (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION code.search (PARSER = pg_catalog.default);
ALTER TEXT SEARCH CONFIGURATION code.search ADD MAPPING FOR asciiword WITH code.plain, english_stem;
CREATE INDEX by_own_search ON organization USING gin (to_tsvector('code.search', name));
CREATE INDEX by_own_function ON organization (code.dollars(name));
CREATE PUBLICATION "All, or; some" FOR TABLE organization WITH (publish = 'insert');
\if :since_15
ALTER PUBLICATION "All, or; some" ADD TABLE service (id, name) WHERE (name <> ';');
\endif
ALTER DEFAULT PRIVILEGES IN SCHEMA code GRANT SELECT ON TABLES TO pg_monitor;
GRANT SELECT (id) ON organization TO pg_monitor;

SELECT lo_from_bytea(770001, '\x00ff5c0a2e0a'), lo_from_bytea(770002, ''), lo_from_bytea(4294967295, '\x5c2e0a');
CREATE TABLE pictures (id integer PRIMARY KEY, content oid);
INSERT INTO pictures VALUES (1, 770001), (2, 770002), (4, 4294967295);

-- Comments, in words that a parser may take for its own.
DO $do$
DECLARE
    words CONSTANT text := E'it''s \\N\n\\.\n\\unrestrict x\n--\n-- Name: x; Type: TABLE; Schema: public; Owner: -\n--\n\nCOPY public.x (a) FROM stdin;\n1\n\\.\n;🍞';
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY[
        'SCHEMA shapes', 'COLUMN organization.name', 'CONSTRAINT is_even ON DOMAIN kinds.even',
        'INDEX "Weird Schema"."an ""Index""
\! with all"',
        'AGGREGATE code.weighted(numeric, numeric)', 'TABLE "it''s ""a"".b\c
\! d%s"."x"".""y"',
        'LARGE OBJECT 770001'
    ] LOOP
        EXECUTE 'COMMENT ON ' || target || ' IS ' || quote_literal(words);
    END LOOP;
END $do$;
