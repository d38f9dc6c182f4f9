-- A database as the program wrote it while rows ended with `phase`.
BEGIN TRANSACTION;
CREATE TABLE answers (
	row_id INTEGER NOT NULL,
	predicted BLOB NOT NULL,
	labels BLOB NOT NULL,
	PRIMARY KEY (row_id),
	FOREIGN KEY(row_id) REFERENCES rows (id) ON DELETE CASCADE
);
INSERT INTO "answers" VALUES(1,X'789C636460620000000C0004',X'789C636460660000000E0005');
CREATE TABLE meta (
	"key" VARCHAR(40) NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('format',1);
INSERT INTO "meta" VALUES('writes',4);
CREATE TABLE rows (
	id INTEGER NOT NULL,
	study_id VARCHAR(80) NOT NULL,
	position INTEGER NOT NULL,
	recorded_at TEXT,
	machine TEXT,
	device TEXT,
	workload TEXT,
	family TEXT,
	model TEXT,
	dataset TEXT,
	variant TEXT,
	techniques TEXT,
	batch_size BIGINT,
	threads BIGINT,
	status TEXT,
	reason TEXT,
	accuracy_pct FLOAT,
	accuracy_ci_low_pct FLOAT,
	accuracy_ci_high_pct FLOAT,
	accuracy_delta_pp FLOAT,
	accuracy_delta_ci_low_pp FLOAT,
	accuracy_delta_ci_high_pp FLOAT,
	accuracy_verdict TEXT,
	agreement_pct FLOAT,
	size_mb FLOAT,
	size_ratio FLOAT,
	latency_ms_p50 FLOAT,
	latency_ms_p90 FLOAT,
	latency_ms_p99 FLOAT,
	throughput_per_s FLOAT,
	speedup FLOAT,
	speedup_ci_low FLOAT,
	speedup_ci_high FLOAT,
	speed_verdict TEXT,
	peak_memory_mb FLOAT,
	prepare_s FLOAT,
	load_s FLOAT,
	first_call_ms FLOAT,
	break_even_calls BIGINT,
	energy_mj FLOAT,
	energy_source TEXT,
	took_effect TEXT,
	warnings TEXT,
	on_pareto_front BOOLEAN,
	replicates BIGINT,
	torch_version TEXT,
	length BIGINT,
	padding_pct FLOAT,
	phase TEXT,
	details JSON NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (study_id, position),
	FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE
);
INSERT INTO "rows" VALUES(1,'20261124-1144-quick-qbne',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dynamic-int8',NULL,NULL,NULL,'done',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1.5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'inference','{"spent_s": 2}');
CREATE TABLE samples (
	row_id INTEGER NOT NULL,
	columns BLOB NOT NULL,
	PRIMARY KEY (row_id),
	FOREIGN KEY(row_id) REFERENCES rows (id) ON DELETE CASCADE
);
INSERT INTO "samples" VALUES(1,X'789C636040050E4EFC601A0004400092');
CREATE TABLE studies (
	number INTEGER NOT NULL,
	id VARCHAR(80) NOT NULL,
	name TEXT NOT NULL,
	recorded_at VARCHAR(40) NOT NULL,
	status VARCHAR(20) NOT NULL,
	message TEXT NOT NULL,
	asked JSON NOT NULL,
	machine JSON NOT NULL,
	torch_version TEXT NOT NULL,
	version TEXT NOT NULL,
	command TEXT NOT NULL,
	example BOOLEAN NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (id)
);
INSERT INTO "studies" VALUES(1,'20261124-1144-quick-qbne','kept','2026-11-24T11:44:36+00:00','queued','','{"preset": "quick"}','{"label": "Test CPU"}','','0.1.0','run',0);
COMMIT;
