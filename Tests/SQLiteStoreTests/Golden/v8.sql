PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('scheduler_override','1');
INSERT INTO setting VALUES('turn','1');
CREATE TABLE definition (
    sequence INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    json TEXT NOT NULL,
    created_at_us INTEGER NOT NULL
) STRICT;
INSERT INTO definition VALUES(1,'tea',3,'{"cron": "0 16 * * *"}',7000000);
CREATE TABLE job_state (
    job TEXT PRIMARY KEY,
    schedule_key TEXT NOT NULL,
    registered_at_us INTEGER NOT NULL,
    decided_through_us INTEGER NOT NULL,
    is_enabled_override INTEGER,
    executions INTEGER NOT NULL,
    run_count INTEGER NOT NULL,
    failure_count INTEGER NOT NULL,
    failures_in_a_row INTEGER NOT NULL,
    last_run_at_us INTEGER,
    last_ended_at_us INTEGER,
    last_duration_us INTEGER,
    last_status TEXT,
    skipped_fire_time_us INTEGER,
    budget_day_us INTEGER,
    budget_runs INTEGER NOT NULL,
    budget_wall_time_us INTEGER NOT NULL,
    budget_cost REAL,
    fired_boot_id TEXT,
    paused_until_us INTEGER,
    was_enabled INTEGER NOT NULL,
    claimed_us TEXT NOT NULL,
    reopened_through_us INTEGER
, disabled_reason TEXT, failures_since_success INTEGER NOT NULL DEFAULT 0, failing_since_us INTEGER, output_digest INTEGER, told_reason TEXT, polls INTEGER NOT NULL DEFAULT 0, last_poll_at_us INTEGER, poll_failures INTEGER NOT NULL DEFAULT 0, poll_hash INTEGER, poll_found_at_us INTEGER, expected_since_us INTEGER, overdue_at_us INTEGER, told_by_us INTEGER, counts_from_us INTEGER, ended_before TEXT) STRICT;
INSERT INTO job_state VALUES('coffee','0 9 * * *',1000000,2000000,0,0,0,0,0,NULL,NULL,1500000,'timeout',NULL,NULL,0,0,0.25,NULL,NULL,1,'',NULL,NULL,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE run (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    skill TEXT NOT NULL,
    trigger TEXT NOT NULL,
    scheduled_for_us INTEGER,
    created_at_us INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at_us INTEGER,
    ended_at_us INTEGER,
    retry_at_us INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    error TEXT,
    reason TEXT,
    failure_type TEXT,
    output_preview TEXT,
    trace_id TEXT,
    covered_count INTEGER NOT NULL,
    covered_since_us INTEGER,
    idempotency_key TEXT,
    inputs TEXT,
    is_forced INTEGER NOT NULL,
    definition TEXT,
    previous TEXT
, retry_delay_us INTEGER, ending TEXT, cost REAL NOT NULL DEFAULT 0, progress REAL, result TEXT, caveat TEXT, boot_id TEXT, queue_items TEXT, standard_input TEXT, cpu_us INTEGER, memory_peak_bytes INTEGER, is_unusual INTEGER NOT NULL DEFAULT 0, late_at_us INTEGER, is_late INTEGER NOT NULL DEFAULT 0, questions TEXT, stalled_at_us INTEGER) STRICT;
INSERT INTO run VALUES(1,'cron-''-0','é','','catch_up',NULL,3789442252917816,'queued',6137673873804485454,3606028116089427,3490436930206305,NULL,NULL,51,NULL,NULL,NULL,NULL,'🕰️--🕰️"日本',8294009832606319685,1733837549482981,NULL,replace('%--%ü--\n','\n',char(10)),1,'ü日本%é','--%',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(2,'cron--1','''"ü','üa日本ü','catch_up',NULL,3595563421124016,'failed',2411067710193494625,NULL,2860119818257189,1215395971620554,NULL,48,NULL,'condition',replace('\n','\n',char(10)),replace('a\n{"k": [1, null]}"','\n',char(10)),NULL,3659698872303361627,3482692339949999,NULL,NULL,1,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(3,'cron--2','%"é🕰️日本''','a"ü日本--','poll',NULL,2676042925398875,'cancelled',7093376322740530476,3883032458335451,NULL,NULL,1510841227,NULL,'',NULL,NULL,replace('é🕰️\n日本','\n',char(10)),NULL,4587370432486420951,NULL,'''日本%{"k": [1, null]}éü2','"é--"',1,NULL,'',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(4,'cron-%"-3','ü--"é日本',replace('{"k": [1, null]}🕰️%"\n','\n',char(10)),'chain',4611686018427387906,679947203550103,'timeout',7355033760398662608,NULL,NULL,3547801132681079,NULL,NULL,NULL,'expired',NULL,'''üé',NULL,2441859159302248550,3133714322872804,'üaa日本3',replace('é\n--éa','\n',char(10)),1,NULL,'日本',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(5,'cron-''%"ü-4','','🕰️--','chain',101809287735468,218064241577006,'retrying',7985989890716247411,3749801176194471,3975853644314687,0,NULL,41,NULL,'user',NULL,NULL,NULL,3954027454121206153,803465028476798,'""----4','',1,NULL,replace('\n"a--a','\n',char(10)),NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(6,'cron-🕰️-5','%''',replace('{"k": [1, null]}\n%日本a','\n',char(10)),'chain',NULL,1369590163303967,'retrying',4233399009414773934,NULL,1591807339644862,NULL,NULL,NULL,'a🕰️🕰️',NULL,NULL,'üéa----''','%',7364909293669812137,NULL,'日本5',NULL,0,'--','ü--{"k": [1, null]}',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(7,replace('cron-\n日本''\n日本-6','\n',char(10)),'é"',replace('''\n日本日本🕰️','\n',char(10)),'manual',1187365022884279,3654282595581943,'timeout',8993776882585021442,NULL,2119823488111975,3859349096703511,NULL,13,NULL,NULL,NULL,NULL,'--🕰️é',5184846587130447487,NULL,'{"k": [1, null]}{"k": [1, null]}日本é{"k": [1, null]}🕰️6','é%',1,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(8,replace('cron-''"''é\n-7','\n',char(10)),'a','','manual',NULL,3677146091396910,'skipped',5604837575914912056,716396210104488,NULL,1748518558653789,NULL,20,NULL,'paused','日本🕰️''','''--"--ü',NULL,6012083018741971810,NULL,replace('"%ü"\né🕰️7','\n',char(10)),NULL,0,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(9,replace('cron---ü{"k": [1, null]}ü日本é\n-8','\n',char(10)),'日本üaaü','%{"k": [1, null]}a🕰️a','queue',NULL,-1,'missed',4534928431124069582,NULL,1330561980628356,NULL,NULL,28,NULL,'down',NULL,NULL,NULL,375181087388691008,1502736613857198,'"aé8','%',1,NULL,'日本{"k": [1, null]}{"k": [1, null]}',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(10,'cron-''-9','''--ü',replace('"%--a\n','\n',char(10)),'catch_up',NULL,2233211373798729,'running',2181090060179996105,2284060244692556,189487777713847,NULL,NULL,36,NULL,NULL,NULL,NULL,replace('a\n\n%a','\n',char(10)),8260115218721573838,3309269160713989,replace('日本🕰️\n''9','\n',char(10)),NULL,1,'%',NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(11,replace('cron-%\n--\n🕰️日本-10','\n',char(10)),replace('\n''%a🕰️','\n',char(10)),'%"','chain',NULL,2163513136100611,'retrying',2129919455445170677,NULL,NULL,NULL,-1829184671,NULL,'{"k": [1, null]}--ü','limit','%é🕰️%%{"k": [1, null]}''',NULL,NULL,9211121716168152120,2007641057942946,NULL,'🕰️"--',1,'%--"ü🕰️',replace('é\nü''','\n',char(10)),NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(12,'cron-日本%--ü-11',replace('%''\n\n''','\n',char(10)),replace('"é"é日本\né','\n',char(10)),'poll',NULL,2808611756691563,'success',8750083234010963300,NULL,NULL,2800919178335421,NULL,3,NULL,NULL,NULL,NULL,NULL,1707465480731024167,3525990248317480,NULL,NULL,0,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(13,'cron-''a-12','''日本a🕰️é','"🕰️''日本','chain',NULL,3076585862188374,'running',2216189775214418802,NULL,2294205157829673,1928704188694306,NULL,60,NULL,NULL,'🕰️"',NULL,NULL,1540435445384906404,NULL,NULL,'''--ü{"k": [1, null]}',1,'é','',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(14,'cron-🕰️''{"k": [1, null]}''"-13','%日本日本"a%','a','catch_up',NULL,2104252265500264,'timeout',2666950107353664096,3967389313105739,NULL,2644148058415932,NULL,NULL,NULL,'asleep','🕰️','',NULL,1715605899940820205,2545528143441621,'🕰️13',NULL,0,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(15,replace('cron-\n🕰️日本-14','\n',char(10)),'a--','aü{"k": [1, null]}','schedule',NULL,3385787146189952,'missed',515289332088961032,3408721887289721,-9223372036854775808,3111886285324675,1582790777,NULL,NULL,'expired',replace('''🕰️\n"','\n',char(10)),NULL,NULL,7731604717904983858,NULL,NULL,NULL,0,'ü"''éé','"',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(16,'cron-日本é-15','"ü🕰️"','','queue',366556052192484,3547527703118092,'interrupted',9078798819557596278,NULL,NULL,2249241991501462,-1890635022,NULL,'"',NULL,NULL,'éé''%',NULL,6046319623801723888,NULL,'15',NULL,0,replace('日本''\n{"k": [1, null]}','\n',char(10)),'%é🕰️🕰️""',NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(17,'cron-🕰️-16',replace('%--\n','\n',char(10)),'--''{"k": [1, null]}é','schedule',NULL,-1,'failed',7945399248872586775,NULL,694855117935331,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,3049101065861779140,1049221962114856,NULL,NULL,0,'',NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(18,'cron-"-17','',replace('''\n"ü--','\n',char(10)),'schedule',236714863103712,1921249588437019,'interrupted',7263517315043991783,NULL,-9223372036854775808,NULL,NULL,NULL,NULL,'excluded','',NULL,NULL,918119778826455780,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(19,replace('cron-日本%\n{"k": [1, null]}-18','\n',char(10)),'','','catch_up',1807390096594556,2326113386061816,'running',3422719526305358553,1303839295375000,1,1736028570169176,-2067310724,NULL,'日本''é🕰️{"k": [1, null]}',NULL,'',NULL,NULL,7729922126087702748,1837295221529259,NULL,'"üü',1,'é',NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO run VALUES(20,'cron---日本ü"-19','🕰️','''"üaü','manual',691885362195165,1457245767250821,'queued',7439830629822928597,NULL,2719068507102110,1067072383846941,NULL,NULL,NULL,'budget',replace('""\n','\n',char(10)),NULL,'"a''日本''é',8464190492808438227,3680224534442759,replace('%\n日本19','\n',char(10)),NULL,1,'{"k": [1, null]}',NULL,NULL,NULL,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL);
CREATE TABLE attempt (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at_us INTEGER NOT NULL,
    ended_at_us INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    error TEXT,
    failure_type TEXT, remedy_succeeded INTEGER,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
INSERT INTO attempt VALUES(1,1,5000000,NULL,NULL,9,NULL,NULL,NULL);
CREATE TABLE removed_id (
    key INTEGER PRIMARY KEY
) STRICT;
INSERT INTO removed_id VALUES(864001571220);
CREATE TABLE run_count (
    status TEXT PRIMARY KEY,
    runs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO run_count VALUES('cancelled',1);
INSERT INTO run_count VALUES('failed',2);
INSERT INTO run_count VALUES('interrupted',2);
INSERT INTO run_count VALUES('missed',2);
INSERT INTO run_count VALUES('queued',2);
INSERT INTO run_count VALUES('retrying',3);
INSERT INTO run_count VALUES('running',3);
INSERT INTO run_count VALUES('skipped',1);
INSERT INTO run_count VALUES('success',2);
INSERT INTO run_count VALUES('timeout',3);
CREATE TABLE queue_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    pushed_at_us INTEGER NOT NULL,
    taken_until_us INTEGER,
    deliveries INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE TABLE used_key (
    sequence INTEGER PRIMARY KEY,
    idempotency_key TEXT,
    scheduled_for_us INTEGER,
    run TEXT NOT NULL,
    job TEXT NOT NULL,
    status TEXT NOT NULL,
    ended_at_us INTEGER,
    used_at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE job_change (
    sequence INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    what TEXT NOT NULL,
    until_us INTEGER,
    reason TEXT,
    by_kind TEXT NOT NULL,
    by_name TEXT,
    by_executable TEXT,
    is_gone INTEGER NOT NULL
) STRICT;
CREATE TABLE message (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    run TEXT NOT NULL,
    occasion TEXT NOT NULL,
    target TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    fault TEXT,
    sendings INTEGER NOT NULL,
    next_at_us INTEGER,
    gathered_in TEXT
) STRICT;
CREATE TABLE group_hold (
    name TEXT PRIMARY KEY,
    until_us INTEGER,
    is_relative INTEGER NOT NULL,
    since_us INTEGER NOT NULL,
    run TEXT,
    is_released INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
DELETE FROM sqlite_sequence;
CREATE UNIQUE INDEX run_fire_time ON run (job, scheduled_for_us)
    WHERE scheduled_for_us IS NOT NULL AND trigger IN ('schedule', 'catch_up', 'manual');
CREATE UNIQUE INDEX run_idempotency_key ON run (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX run_time ON run (created_at_us);
CREATE INDEX run_job ON run (job, created_at_us);
CREATE INDEX run_job_status ON run (job, status, created_at_us);
CREATE INDEX run_status ON run (status, created_at_us);
CREATE INDEX run_job_trigger ON run (job, trigger, created_at_us);
CREATE INDEX run_trigger ON run (trigger, created_at_us);
CREATE INDEX queue_item_queue ON queue_item (queue, id);
CREATE INDEX queue_item_taken ON queue_item (taken_until_us) WHERE taken_until_us IS NOT NULL;
CREATE UNIQUE INDEX used_key_key ON used_key (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX used_key_fire_time ON used_key (job, scheduled_for_us)
    WHERE scheduled_for_us IS NOT NULL;
CREATE INDEX used_key_time ON used_key (used_at_us);
CREATE INDEX job_change_job ON job_change (job, sequence);
CREATE INDEX job_change_gone ON job_change (at_us) WHERE is_gone = 1;
CREATE INDEX message_run ON message (run);
CREATE INDEX message_pending ON message (sequence) WHERE state = 'pending';
CREATE INDEX queue_item_return ON queue_item (queue, taken_until_us) WHERE taken_until_us IS NOT NULL;
COMMIT;
PRAGMA application_id = 1111716462;
PRAGMA user_version = 8;
