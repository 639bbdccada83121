-- A state file of version 1, as the release that had it wrote it.
PRAGMA application_id = 1668246900;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE chains (
  name TEXT PRIMARY KEY,
  head INTEGER,                -- the turn to go on from
  pending INTEGER,             -- a turn that began the chain anew and hasn't completed
  used REAL NOT NULL
);
INSERT INTO "chains" VALUES('default',3,NULL,1795382427.5);
INSERT INTO "chains" VALUES('other',5,NULL,1795382427.5);
INSERT INTO "chains" VALUES('late',NULL,6,1795382427.5);
CREATE TABLE turns (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  parent INTEGER,              -- the turn it goes on from, where that is recorded
  previous_id TEXT,            -- the response id it went on from
  chain TEXT NOT NULL,
  number INTEGER NOT NULL,     -- which turn of the conversation it is, from 1
  base_url TEXT NOT NULL,
  model TEXT,                  -- as it was asked for
  settings TEXT NOT NULL,      -- instructions, tools, store, conversation: what `continue` sends again
  status TEXT NOT NULL,
  usage TEXT,
  created REAL NOT NULL,
  ended REAL,
  sequence INTEGER,
  input TEXT,                  -- the items this turn added; NULL when not recorded
  output TEXT
);
INSERT INTO "turns" VALUES(1,'r1',NULL,NULL,'default',1,'http://127.0.0.1:1/v1','m','{"instructions": "be brief", "tools": [{"type": "function", "name": "weather", "parameters": {}}], "store": null, "conversation": null}','completed',NULL,1795382427.5,1795382427.5,NULL,'[{"role": "user", "content": "a"}]','[{"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}", "status": "completed"}]');
INSERT INTO "turns" VALUES(2,'r2',1,'r1','default',2,'http://127.0.0.1:1/v1','m','{"instructions": "be brief", "tools": [{"type": "function", "name": "weather", "parameters": {}}], "store": null, "conversation": null}','completed',NULL,1795382427.5,1795382427.5,NULL,'[{"type": "function_call_output", "call_id": "call_1", "output": "4"}]','[{"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "4 degrees", "annotations": []}]}]');
INSERT INTO "turns" VALUES(3,'r3',2,'r2','default',3,'http://127.0.0.1:1/v1','m2','{"instructions": "be brief", "tools": [{"type": "function", "name": "weather", "parameters": {}}], "store": null, "conversation": null}','completed',NULL,1795382427.5,1795382427.5,NULL,'[{"role": "user", "content": "b"}]','[{"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "two", "annotations": []}]}]');
INSERT INTO "turns" VALUES(4,'r4',3,'r3','default',4,'http://127.0.0.1:1/v1','m2','{"instructions": "be brief", "tools": [{"type": "function", "name": "weather", "parameters": {}}], "store": null, "conversation": null}','cut',NULL,1795382427.5,1795382427.5,NULL,'[{"role": "user", "content": "c"}]','[{"role": "assistant", "type": "message", "id": "msg_0", "content": [{"annotations": [], "type": "output_text", "text": "half"}], "status": "in_progress"}]');
INSERT INTO "turns" VALUES(5,'r5',2,'r2','other',3,'http://127.0.0.1:1/v1','m','{"instructions": "be brief", "tools": null, "store": null, "conversation": null}','completed',NULL,1795382427.5,1795382427.5,NULL,'[{"role": "user", "content": "d"}]','[{"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "branch", "annotations": []}]}]');
INSERT INTO "turns" VALUES(6,'bg',NULL,NULL,'late',1,'http://127.0.0.1:1/v1','m','{"instructions": null, "tools": null, "store": null, "conversation": null}','queued',NULL,1795382427.5,1795382427.5,NULL,'[{"role": "user", "content": "e"}]','[]');
CREATE INDEX turns_by_id ON turns (id);
CREATE INDEX turns_by_time ON turns (created);
COMMIT;
