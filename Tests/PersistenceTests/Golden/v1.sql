PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('scheduler_override','1');
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
    fired_boot_id TEXT
) STRICT;
INSERT INTO job_state VALUES('coffee','0 9 * * *',1000000,2000000,0,0,0,0,0,NULL,NULL,1500000,'timeout',NULL,NULL,0,0,0.25,NULL);
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
    definition TEXT
) STRICT;
INSERT INTO run VALUES(1,'cron-é-0','','ü','chain',1330895869597268,-1,'missed',3996870110722118430,NULL,2229182977603789,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'🕰️--🕰️"日本',8294009832606319685,1733837549482981,NULL,replace('%--%ü--\n','\n',char(10)),1,'ü日本%é');
INSERT INTO run VALUES(2,replace('cron-\n''"ü-1','\n',char(10)),'üa日本ü','🕰️日本','poll',NULL,3464212436134624,'retrying',4305971290509320775,807936891014574,9223372036854775807,NULL,NULL,NULL,'''',NULL,NULL,replace('a\n{"k": [1, null]}"','\n',char(10)),NULL,3659698872303361627,3482692339949999,NULL,NULL,1,NULL);
INSERT INTO run VALUES(3,'cron--2','ü日本--','--🕰️🕰️🕰️%日本','catch_up',1121010774196875,1912749889976802,'interrupted',1099125402047453609,NULL,NULL,NULL,NULL,10,NULL,NULL,replace('é\n{"k": [1, null]}','\n',char(10)),NULL,NULL,5292468324071765734,3667765875355731,'日本"é--"%{"k": [1, null]}2','',0,NULL);
INSERT INTO run VALUES(4,'cron-日本-3','a--"''','"{"k": [1, null]}ü--','manual',1635096169841800,2484265318543813,'interrupted',4197984123513594049,NULL,1828742447537053,3905407372778549,253933472,NULL,NULL,NULL,'é"--''%"','''üé',NULL,2441859159302248550,3133714322872804,'üaa日本3',replace('é\n--éa','\n',char(10)),1,NULL);
INSERT INTO run VALUES(5,'cron-ü''日本-4',replace('🕰️\n\na%é','\n',char(10)),'{"k": [1, null]}%a--ü日本{"k": [1, null]}','schedule',4611686018427387907,9223372036854775807,'skipped',772106870096218438,NULL,NULL,NULL,-1443743526,NULL,NULL,'excluded',NULL,NULL,'{"k": [1, null]}{"k": [1, null]}',1941398934253248921,NULL,NULL,NULL,0,'ü日本--%é');
INSERT INTO run VALUES(6,'cron-{"k": [1, null]}日本''-5','"ü🕰️''%%','%','poll',NULL,9223372036854775806,'failed',1863230981564390601,2857854934576795,9223372036854775806,NULL,NULL,58,'',NULL,'%ü','','é',5647269862765830810,NULL,NULL,'a',0,NULL);
INSERT INTO run VALUES(7,'cron-{"k": [1, null]}{"k": [1, null]}ü日本ü"-6','aü"日本',replace('éé%\n','\n',char(10)),'catch_up',1092367914747201,558039511872791,'failed',6942044361110728978,NULL,NULL,69190606331591,-2041709919,NULL,'--日本','paused','é{"k": [1, null]}',replace('''--aa\n','\n',char(10)),NULL,5406671412231948249,NULL,'6','{"k": [1, null]}🕰️{"k": [1, null]}%',0,NULL);
INSERT INTO run VALUES(8,'cron--7','🕰️','a🕰️{"k": [1, null]}🕰️"','schedule',NULL,1894563890413774,'cancelled',4217908095061089365,3201315984730306,1,999448687951935,NULL,NULL,NULL,'budget',NULL,NULL,NULL,7520711727189935449,NULL,'--ü🕰️7','',1,NULL);
INSERT INTO run VALUES(9,'cron-🕰️''-8','日本🕰️''','🕰️''--"--ü🕰️','chain',NULL,3832753433213959,'failed',6535980844890038497,NULL,NULL,NULL,NULL,34,NULL,NULL,NULL,NULL,NULL,2278265634018141295,1274458986812343,'8','',0,NULL);
INSERT INTO run VALUES(10,'cron--9','a"üa''',replace('é日本''\n''{"k": [1, null]}','\n',char(10)),'manual',NULL,1908995775670583,'success',4255762656871129296,NULL,NULL,NULL,NULL,50,NULL,'user','''%a{"k": [1, null]}ü{"k": [1, null]}é',NULL,'é%''',1812108403893620699,NULL,'ü9','',1,NULL);
INSERT INTO run VALUES(11,'cron-é-10','{"k": [1, null]}','{"k": [1, null]}{"k": [1, null]}--"','schedule',1196950614550944,513875380855198,'queued',3481319422294495274,NULL,3928297530694637,NULL,NULL,NULL,replace('\n{"k": [1, null]}\n\n''{"k": [1, null]}','\n',char(10)),'overlap',replace('''ü\n','\n',char(10)),NULL,replace('{"k": [1, null]}--üü%日本\n','\n',char(10)),103144503682474790,NULL,NULL,replace('日本a''\na''🕰️','\n',char(10)),0,'{"k": [1, null]}');
INSERT INTO run VALUES(12,replace('cron-aaé\n-11','\n',char(10)),'{"k": [1, null]}🕰️a','a--"''','chain',NULL,3269939576324084,'retrying',6042234792618977664,2375502619820909,2861077749164339,3072534387272466,NULL,NULL,'ü--',NULL,'--',NULL,NULL,4463452623006758529,3177311479299603,'11','%"''{"k": [1, null]}é🕰️',0,NULL);
INSERT INTO run VALUES(13,'cron-日本%--ü-12',replace('%''\n\n''','\n',char(10)),replace('"é"é日本\né','\n',char(10)),'poll',NULL,2808611756691563,'success',8750083234010963300,NULL,NULL,2800919178335421,NULL,3,NULL,NULL,NULL,NULL,NULL,1707465480731024167,3525990248317480,NULL,NULL,0,NULL);
INSERT INTO run VALUES(14,'cron-🕰️🕰️''{"k": [1, null]}''"-13','%日本日本"a%','a','catch_up',NULL,2104252265500264,'timeout',2666950107353664096,3967389313105739,NULL,2644148058415932,NULL,NULL,NULL,'asleep','🕰️','',NULL,1715605899940820205,2545528143441621,'🕰️13',NULL,0,NULL);
INSERT INTO run VALUES(15,replace('cron-''\n🕰️日本-14','\n',char(10)),'a--','aü{"k": [1, null]}','schedule',NULL,3385787146189952,'missed',515289332088961032,3408721887289721,-9223372036854775808,3111886285324675,1582790777,NULL,NULL,'expired',replace('''🕰️\n"','\n',char(10)),NULL,NULL,7731604717904983858,NULL,NULL,NULL,0,'ü"''éé');
INSERT INTO run VALUES(16,replace('cron-ü\n-15','\n',char(10)),'{"k": [1, null]}%''''{"k": [1, null]}',replace('日本{"k": [1, null]}\naé"','\n',char(10)),'queue',NULL,2331990498810539,'queued',1014010074478701261,500291985119584,2996257158087170,1854675033740287,NULL,NULL,'🕰️"--ü🕰️','overlap',NULL,NULL,NULL,4469290485785652016,NULL,NULL,'',0,NULL);
INSERT INTO run VALUES(17,'cron--16',replace('''\n%日本\n\n','\n',char(10)),'','manual',NULL,950311318971550,'cancelled',5309786229783841655,2074009873433029,3664128568912362,3296493568832235,NULL,NULL,NULL,NULL,NULL,'%é%',NULL,8610815941794613691,1032840108069268,'ü🕰️ü16','''',1,'🕰️');
INSERT INTO run VALUES(18,replace('cron-ü\na--a-17','\n',char(10)),'日本ü''%''''','é🕰️','manual',NULL,1741557964674904,'queued',2323147824678014640,2469303354219364,NULL,3933310134922572,417662038,NULL,NULL,'asleep',replace('"a日本%a\n','\n',char(10)),NULL,'%🕰️a',8374021411487662164,-1,NULL,NULL,1,replace('é\n','\n',char(10)));
INSERT INTO run VALUES(19,'cron---{"k": [1, null]}-18','%é','--','manual',NULL,622338879812171,'success',2698750380459776879,NULL,3645942940208594,NULL,616228744,NULL,'','expired',NULL,NULL,NULL,4991500125745984147,9223372036854775807,replace('日本"%\n----"18','\n',char(10)),NULL,1,replace('''{"k": [1, null]}''"🕰️\n','\n',char(10)));
INSERT INTO run VALUES(20,'cron--19',replace('日本%\n\n','\n',char(10)),replace('é🕰️日本\n--','\n',char(10)),'chain',528641965174982,1361541256950910,'running',6672834547977117049,NULL,NULL,NULL,1132554890,NULL,NULL,NULL,'--"é日本ü{"k": [1, null]}--','🕰️''日本','%',6067827068496781614,2568186628615414,'"19','é',1,'é"%');
CREATE TABLE attempt (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at_us INTEGER NOT NULL,
    ended_at_us INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    error TEXT,
    failure_type TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
INSERT INTO attempt VALUES(1,1,5000000,NULL,NULL,9,NULL,NULL);
CREATE TABLE removed_id (
    key INTEGER PRIMARY KEY
) STRICT;
INSERT INTO removed_id VALUES(864001571220);
CREATE TABLE run_count (
    status TEXT PRIMARY KEY,
    runs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO run_count VALUES('cancelled',2);
INSERT INTO run_count VALUES('failed',3);
INSERT INTO run_count VALUES('interrupted',2);
INSERT INTO run_count VALUES('missed',2);
INSERT INTO run_count VALUES('queued',3);
INSERT INTO run_count VALUES('retrying',2);
INSERT INTO run_count VALUES('running',1);
INSERT INTO run_count VALUES('skipped',1);
INSERT INTO run_count VALUES('success',4);
INSERT INTO run_count VALUES('timeout',1);
CREATE UNIQUE INDEX run_fire_time ON run (job, scheduled_for_us)
    WHERE scheduled_for_us IS NOT NULL AND trigger IN ('schedule', 'catch_up', 'manual');
CREATE UNIQUE INDEX run_idempotency_key ON run (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX run_time ON run (created_at_us);
CREATE INDEX run_job ON run (job, created_at_us);
CREATE INDEX run_job_status ON run (job, status, created_at_us);
CREATE INDEX run_status ON run (status, created_at_us);
CREATE INDEX run_job_trigger ON run (job, trigger, created_at_us);
CREATE INDEX run_trigger ON run (trigger, created_at_us);
COMMIT;
PRAGMA application_id = 1111716462;
PRAGMA user_version = 1;
