-- With extensions that the server has to have.
CREATE EXTENSION citext;
CREATE EXTENSION btree_gist;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE TABLE bad_hstore (replaced hstore NOT NULL);
INSERT INTO bad_hstore VALUES ('a=>1');
CREATE TABLE good_hstore (nulled hstore UNIQUE);
INSERT INTO good_hstore VALUES ('a=>1'), ('b=>1');
CREATE TABLE bad_cube (replaced cube);
INSERT INTO bad_cube VALUES ('(1,2)');
CREATE TABLE bad_hstore_index (replaced text);
CREATE INDEX ON bad_hstore_index ((replaced::hstore));
INSERT INTO bad_hstore_index VALUES ('a=>1');
CREATE TABLE good_ltree (replaced ltree);
INSERT INTO good_ltree VALUES ('a.b');
CREATE TABLE good_citext (id int, replaced citext NOT NULL CHECK (replaced ~ 'WITH'),
  UNIQUE (id, replaced));
INSERT INTO good_citext VALUES (1, 'with x'), (2, 'with y');
CREATE TABLE bad_citext (replaced citext CHECK (replaced <> 'WITHHELD'));
INSERT INTO bad_citext VALUES ('x');
CREATE TABLE bad_citext_pair (place int, replaced citext, UNIQUE (place, replaced));
INSERT INTO bad_citext_pair VALUES (1, 'x'), (1, 'y');
CREATE TABLE bad_room (replaced text, during int4range,
  EXCLUDE USING gist (replaced WITH =, during WITH &&));
INSERT INTO bad_room VALUES ('x', '[1,5)'), ('y', '[2,6)');
CREATE TABLE good_room (replaced text, nulled text, during int4range,
  EXCLUDE USING gist (replaced WITH =, during WITH &&),
  EXCLUDE USING gist (nulled WITH =, (1) WITH =));
INSERT INTO good_room VALUES ('x', 'x', '[1,5)'), ('x', 'y', '[5,6)');
