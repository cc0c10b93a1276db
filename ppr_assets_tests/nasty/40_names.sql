-- Names that a program is likely to get wrong.
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
CREATE TABLE "\! touch nasty" (a integer);
INSERT INTO "\! touch nasty" VALUES (1);
CREATE TABLE "\unrestrict abc" (a integer);
CREATE TABLE "a.b" (a integer);
INSERT INTO "a.b" VALUES (5);
CREATE TABLE " leading and trailing " (a integer);
CREATE TABLE "Organization" (id integer);
INSERT INTO "Organization" VALUES (1);
CREATE TABLE "select" ("table" integer);
INSERT INTO "select" VALUES (1);
CREATE TABLE "ünïcödé 🍞" ("größe" text);
INSERT INTO "ünïcödé 🍞" VALUES ('groß');
CREATE TABLE "; DROP TABLE organization; --" (a integer);
CREATE TABLE this_name_is_as_long_as_any_can_be_namely_sixty_three_bytes_xyz (
    this_name_is_as_long_as_any_can_be_namely_sixty_three_bytes_col serial,
    CHECK (this_name_is_as_long_as_any_can_be_namely_sixty_three_bytes_col > 0)
);
INSERT INTO this_name_is_as_long_as_any_can_be_namely_sixty_three_bytes_xyz SELECT FROM generate_series(1, 3);
CREATE TABLE "🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞🍞" (a integer);

-- The same name in three schemas, and names that differ in their case only.
CREATE TABLE "Weird Schema".organization (id integer PRIMARY KEY, note text);
INSERT INTO "Weird Schema".organization SELECT i, 'note ' || i FROM generate_series(1, 20) i;
CREATE TABLE kinds.organization (id integer);
CREATE INDEX "an ""Index""
\! with all" ON "Weird Schema"."Order" ("order" DESC NULLS LAST, lower("User"));
ALTER TABLE "Weird Schema"."Order" ADD CONSTRAINT "a
; check" CHECK ("order" > 0);
CREATE VIEW "Weird Schema"."A View; --" AS SELECT "User" AS "a
column", '; --' AS "'" FROM "Weird Schema"."Order";
CREATE FUNCTION "Weird Schema"."f""(;)"("an arg" text DEFAULT ';') RETURNS text LANGUAGE sql AS 'SELECT "an arg"';
CREATE TYPE "Weird Schema"."Enum" AS ENUM ('A', 'a', ';');
CREATE SEQUENCE "Weird Schema"."Se'quence" START 7;
SELECT nextval('"Weird Schema"."Se''quence"');
CREATE MATERIALIZED VIEW "Weird Schema"."it's $q$ \ filled" AS SELECT 1 AS one;
