-- For servers that are built with libxml, which the embedded one is not.
CREATE TABLE kinds.documents (content xml, part xml[]);
INSERT INTO kinds.documents VALUES
    ('<?xml version="1.0"?><a b="&lt;">\N &amp; \. <![CDATA[ ]]> 🍞</a>', ARRAY['<x/>'::xml, NULL]),
    ('text
only', '{}'), ('', NULL);
