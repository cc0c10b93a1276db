-- A column of every type, with the values that are easily lost.
CREATE SCHEMA kinds;

CREATE TABLE kinds.numbers (
    a_smallint smallint, an_integer integer, a_bigint bigint, a_numeric numeric,
    a_scaled numeric(12, 4), a_real real, a_double double precision, some_money money,
    a_boolean boolean
);
INSERT INTO kinds.numbers VALUES
    (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', -92233720368547758.08, true),
    (32767, 2147483647, 9223372036854775807, 'Infinity', 1.5, 'Infinity', 'Infinity', 0, false),
    (0, 0, 0, '-Infinity', -0.0001, '-Infinity', '-Infinity', 1234.56, NULL),
    (0, 0, 0, 1.10000000000000000000000000, 0, '-0', '-0', 0.01, true),
    (0, 0, 0, ('1' || repeat('0', 1000) || '.' || repeat('0', 999) || '1')::numeric, 0, '1e-45',
        '5e-324', 0, true),
    (0, 0, 0, 0.1, 0, 3.4028235e38, 1.7976931348623157e308, 0, true),
    (0, 0, 0, 0.1, 0, 0.1, 0.30000000000000004, 0, true),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE kinds.moments (
    a_date date, a_time time, a_timetz timetz, a_timestamp timestamp, a_timestamptz timestamptz,
    rough timestamptz(0), an_interval interval, only_months interval year to month
);
INSERT INTO kinds.moments VALUES
    ('infinity', '24:00:00', '23:59:59.999999-12:30', 'infinity', 'infinity', 'infinity', '1 mon -1 day +00:00:00.000001', '3 years 2 mons'),
    ('-infinity', '00:00', '00:00+14', '-infinity', '-infinity', '-infinity', '-178000000 years', '0'),
    ('4714-11-24 BC', '12:00:00.1', '24:00:00+00:00:01', '4714-11-24 00:00:00 BC', '4714-11-24 00:00:00+00 BC', '0044-03-15 12:00:00+00 BC', '-1 years -2 mons +3 days -04:05:06.7', '-1 mon'),
    ('5874897-12-31', '23:59:59.999999', '00:00+00', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '2026-11-01 01:30:00-05', 'P1Y2M3DT4H5M6.789S', NULL),
    ('0001-01-01', NULL, NULL, '2000-02-29 12:00', '1883-11-18 12:03:58-05', NULL, '00:00', NULL);

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
    ('::ffff:1.2.3.4', '2001:db8::/32', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff', B'00000', repeat('01', 500)::varbit);

CREATE TABLE kinds.shapes (
    a_point point, a_line line, a_segment lseg, a_box box, a_path path, an_open_path path,
    a_polygon polygon, a_circle circle
);
INSERT INTO kinds.shapes VALUES
    ('(1,2)', '{1,-1,0}', '[(0,0),(1,1)]', '(2,2),(0,0)', '((0,0),(1,1),(2,0))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(1,1),5>'),
    ('(NaN,Infinity)', '{0,1,2.5}', '[(-Infinity,0),(1e-300,1)]', '(Infinity,1),(0,-1)', '((NaN,0))', '[(-0,0)]', '((0,0))', '<(0,0),0>');

CREATE TABLE kinds.ranges (
    ints int4range, bigs int8range, numerics numrange, dates daterange, stamps tsrange,
    zoned tstzrange, many_ints int4multirange, many_bigs int8multirange, many_numerics nummultirange,
    many_dates datemultirange, many_stamps tsmultirange, many_zoned tstzmultirange
);
INSERT INTO kinds.ranges VALUES
    ('[1,5)', '(,9]', '(0.1,NaN]', '[2026-01-01,infinity)', '[2026-01-01,2026-02-01)', '[-infinity,2026-02-01 00:00+00)',
     '{[1,2),[5,9)}', '{}', '{(,1],[2.5,)}', '{[2026-01-01,2026-01-02)}', '{(,)}', '{[2026-01-01 00:00+00,)}'),
    ('empty', 'empty', 'empty', 'empty', 'empty', 'empty', '{}', '{}', '{}', '{}', '{}', '{}');

CREATE TABLE kinds.system (
    an_oid oid, a_class regclass, a_collation regcollation, a_config regconfig,
    a_dictionary regdictionary, a_namespace regnamespace, an_oper regoper, an_operator regoperator,
    a_proc regproc, a_procedure regprocedure, a_role regrole, a_type regtype, a_tid tid, an_xid xid,
    an_xid8 xid8, a_cid cid, an_lsn pg_lsn, a_snapshot pg_snapshot, an_old_snapshot txid_snapshot,
    some_oids oidvector, some_ints int2vector, an_acl aclitem
);
INSERT INTO kinds.system VALUES (
    4294967295, 'public.organization', 'pg_catalog."C"', 'pg_catalog.english', 'pg_catalog.simple',
    'public', 'pg_catalog.||/', 'pg_catalog.+(integer,integer)', 'pg_catalog.pg_backend_pid',
    'pg_catalog.substr(text,integer)', 'pg_monitor', 'timestamp with time zone', '(4294967295,65535)',
    '4294967295', '18446744073709551615', '7', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '10:20:10,14,15',
    '1 2 3', '1 -2 3', 'pg_monitor=r/pg_monitor'
), ('0', '-', '-', '-', '-', '-', '0', '0', '-', '-', '-', '-', '(0,0)', '0', '0', '0', '0/0', '1:1:', '1:1:', '', '', NULL);

CREATE TYPE kinds.mood AS ENUM ('sad', 'it''s "ok"', 'happy, really', '\N', 'with
newline', '🍞');
CREATE DOMAIN kinds.email AS text COLLATE "C" DEFAULT 'nobody@example.org'
    CHECK (value LIKE '%@%') CONSTRAINT "not a ; spammer" CHECK (value !~ ';');
CREATE DOMAIN kinds.work_email AS kinds.email NOT NULL CHECK (value LIKE '%.org');
CREATE DOMAIN kinds.even AS integer;
CREATE TYPE kinds.address AS (street text, "ZIP code" varchar(9), tags text[], since date);
CREATE TYPE kinds.person AS (name text, home kinds.address, mood kinds.mood);
CREATE TYPE kinds.floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE kinds.names AS RANGE (subtype = text, collation = "C", multirange_type_name = kinds.many_names);

CREATE TABLE kinds.made (
    id integer GENERATED ALWAYS AS IDENTITY (START WITH -5 INCREMENT BY 5 MINVALUE -100) PRIMARY KEY,
    mood kinds.mood DEFAULT 'it''s "ok"', email kinds.work_email, even kinds.even,
    who kinds.person, range kinds.floats, ranges kinds.many_names, moods kinds.mood[], emails kinds.email[],
    people kinds.person[]
);
INSERT INTO kinds.made (mood, email, even, who, range, ranges, moods, emails, people) VALUES
    ('\N', 'a@b.org', 3, ('', ('a "b" \ , ()', NULL, '{"", NULL, "NULL", "\\N"}', 'infinity'), 'with
newline'), '[-Infinity,NaN)', '{[a,b),[c,d]}', '{sad,"🍞",NULL}', '{a@b,"a\"@ {}"}',
     ARRAY[('x', NULL, 'sad')::kinds.person, NULL, (NULL, NULL, NULL)::kinds.person]),
    (NULL, 'x@y.org', NULL, NULL, NULL, NULL, '{}', NULL, '{}');
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
