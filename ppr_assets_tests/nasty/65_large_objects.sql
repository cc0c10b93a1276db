-- Large objects: of the usual kind, empty, with awkward bytes, and longer than pg_dump's pieces.
SELECT lo_from_bytea(770001, '\x00ff5c0a2e0a'), lo_from_bytea(770002, ''),
    lo_from_bytea(770003, decode(repeat('0123456789abcdef', 393216), 'hex')),
    lo_from_bytea(4294967295, '\x5c2e0a');
CREATE TABLE pictures (id integer PRIMARY KEY, content oid);
INSERT INTO pictures VALUES (1, 770001), (2, 770002), (3, 770003), (4, 4294967295);
