-- Names that make of pg_dump's comments the comments of other objects, as only malice would.
CREATE SCHEMA "
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--
";
CREATE TABLE "
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--
"."
COPY public.organization (id) FROM stdin;
\.
" (a integer);
INSERT INTO "
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--
"."
COPY public.organization (id) FROM stdin;
\.
" VALUES (2), (1);
CREATE TABLE "x; Type: TABLE; Schema: public; Owner: -" (a integer);
