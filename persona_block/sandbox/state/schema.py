"""The tables of the sandbox's state, and the indexes that its lists use."""

SCHEMA_VERSION = 1
"""The number of the present schema, which a state file holds as its `user_version`; it goes up with every change."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, environment TEXT NOT NULL, kind TEXT NOT NULL, type TEXT NOT NULL,
  created INTEGER NOT NULL, due INTEGER, status TEXT, reference_id TEXT, account_id TEXT, inquiry_id TEXT,
  template_id TEXT, note TEXT, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON resource (environment, kind);
CREATE INDEX IF NOT EXISTS by_status ON resource (environment, kind, status) WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_reference ON resource (environment, kind, reference_id) WHERE reference_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_account ON resource (environment, kind, account_id) WHERE account_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_inquiry ON resource (environment, kind, inquiry_id) WHERE inquiry_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_template ON resource (environment, kind, template_id) WHERE template_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_note ON resource (environment, kind, note) WHERE note IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_due ON resource (due) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS one_account ON resource (environment, reference_id)
  WHERE kind = 'account' AND reference_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS file (
  id TEXT PRIMARY KEY, resource_id TEXT NOT NULL, filename TEXT NOT NULL, size INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS file_owner ON file (resource_id);
CREATE TABLE IF NOT EXISTS import_part (
  seq INTEGER PRIMARY KEY, importer_id TEXT NOT NULL, row_count INTEGER NOT NULL, content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_importer ON import_part (importer_id);
CREATE TABLE IF NOT EXISTS request (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, environment TEXT, api_key TEXT NOT NULL,
  method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, status INTEGER NOT NULL, asked_version TEXT,
  answered_version TEXT NOT NULL, idempotency_key TEXT, replayed INTEGER NOT NULL, effects INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS effect (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL, resource_id TEXT NOT NULL,
  status TEXT, actor TEXT NOT NULL, request_id TEXT
);
CREATE TABLE IF NOT EXISTS event (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, resource_id TEXT NOT NULL,
  body BLOB NOT NULL, attempts INTEGER NOT NULL, first_at INTEGER, next_at INTEGER
);
CREATE INDEX IF NOT EXISTS event_due ON event (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS delivery (
  seq INTEGER PRIMARY KEY, event_seq INTEGER NOT NULL, at INTEGER NOT NULL, url TEXT NOT NULL, attempt INTEGER NOT NULL,
  status INTEGER, error TEXT, next_at INTEGER
);
CREATE TABLE IF NOT EXISTS reply (
  api_key TEXT NOT NULL, idempotency_key TEXT NOT NULL, at INTEGER NOT NULL, fingerprint TEXT NOT NULL,
  status INTEGER NOT NULL, media_type TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (api_key, idempotency_key)
) WITHOUT ROWID;
"""
