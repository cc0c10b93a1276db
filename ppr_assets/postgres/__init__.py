"""PostgreSQL: sessions, snapshots, dumps, and the embedded server. No policy: see operations."""
