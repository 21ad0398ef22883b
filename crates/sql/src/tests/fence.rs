//! The fence, case by case.

use super::{judged, known};
use crate::ProblemCode::{
    self, HintForbidden, Malformed, NameTaken, NoSink, SettingForbidden, StatementForbidden, TooLarge,
    UnknownTable, Unreadable, WordForbidden,
};
use crate::fence;

fn refused(text: &str) -> ProblemCode {
    match judged(text) {
        Ok(fenced) => panic!("let through: {text}\n{fenced:?}"),
        Err(problems) => problems[0].code,
    }
}

#[test]
fn what_flink_is_made_for_is_let_through() {
    for query in [
        "SELECT card, COUNT(*) AS cnt FROM payments GROUP BY card",
        "SELECT card, window_start, COUNT(*) AS cnt FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(et), INTERVAL '1' HOUR)) GROUP BY card, window_start, window_end HAVING COUNT(*) > 10",
        "SELECT * FROM TABLE(HOP(DATA => TABLE payments, TIMECOL => DESCRIPTOR(et), SLIDE => INTERVAL '5' MINUTES, SIZE => INTERVAL '10' MINUTES))",
        "SELECT o.id, r.rate FROM payments AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.et AS r ON o.cur = r.cur",
        "SELECT o.id FROM payments o, rates r WHERE o.cur = r.cur AND o.et BETWEEN r.et - INTERVAL '1' HOUR AND r.et",
        "SELECT /*+ STATE_TTL('p' = '1d', 'r' = '2d') */ p.id FROM payments p JOIN rates r ON p.cur = r.cur",
        "SELECT * FROM payments MATCH_RECOGNIZE (PARTITION BY card ORDER BY et MEASURES A.id AS aid, LAST(B.id) AS bid ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2,} C?) WITHIN INTERVAL '10' MINUTE DEFINE A AS A.amount > 1) AS t",
        "SELECT id, tag FROM payments CROSS JOIN UNNEST(tags) AS t (tag)",
        "SELECT CAST(x AS ROW<a INT, b ARRAY<STRING>>), MAP['a', 1], ARRAY[1, 2], m['k'] FROM payments",
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY pt DESC) AS rn FROM payments) WHERE rn = 1",
        "WITH big AS (SELECT * FROM payments WHERE amount > 1.5e3), c (n) AS (SELECT COUNT(*) FROM big) SELECT * FROM big, c",
        "SELECT EXTRACT(DAY FROM et), TRIM(BOTH ' ' FROM card), SUBSTRING(card FROM 1 FOR 2) FROM payments WHERE a IS NOT DISTINCT FROM b",
        "SELECT `from`, 'it''s; -- no comment', DATE '2026-01-01' FROM `odd name` -- a comment; DROP TABLE payments",
        "(SELECT a FROM payments) UNION ALL (SELECT a FROM rates)",
        "SELECT JSON_VALUE(body, '$.a' RETURNING INT), a || 'ü' FROM payments /* of many\nlines */ WHERE a <> 2 AND b != .5",
    ] {
        let text = format!("INSERT INTO alerts {query}");
        let fenced = judged(&text).unwrap_or_else(|problems| panic!("{query}: {problems:?}"));
        assert_eq!(fenced.inserts.len(), 1, "{query}");
        assert!(
            fenced.writes.contains("alerts") && !fenced.reads.is_empty(),
            "{query}"
        );
    }
}

#[test]
fn what_is_sent_is_printed_from_tokens_without_comments() {
    let fenced =
        judged("insert into alerts (card,`cnt`)\nselect card,count(*) -- x\nfrom/**/payments;").unwrap();
    assert_eq!(
        fenced.job(),
        "INSERT INTO `alerts` ( card , `cnt` ) select card , count ( * ) from payments"
    );
}

#[test]
fn views_settings_and_sets_come_before_and_in_order() {
    let fenced = judged(
        "SET 'table.exec.state.ttl' = '1 d'; CREATE TEMPORARY VIEW big AS SELECT * FROM payments WHERE amount > 10;
         EXECUTE STATEMENT SET BEGIN INSERT INTO alerts SELECT * FROM big; INSERT INTO totals SELECT * FROM rates; END;",
    )
    .unwrap();
    assert_eq!(
        fenced.settings,
        [("table.exec.state.ttl".to_owned(), "1 d".to_owned())]
    );
    assert_eq!(
        fenced.views,
        ["CREATE TEMPORARY VIEW `big` AS SELECT * FROM payments WHERE amount > 10"]
    );
    assert_eq!(
        fenced.job(),
        "EXECUTE STATEMENT SET BEGIN INSERT INTO `alerts` SELECT * FROM big; INSERT INTO `totals` SELECT * FROM rates; END"
    );
    assert!(fenced.reads.contains("payments") && fenced.reads.contains("rates"));
}

#[test]
fn a_query_alone_and_create_table_as_go_into_a_sink() {
    let one = known(&["payments"], &["alerts"]);
    let alone = fence("SELECT card FROM payments", &one).unwrap();
    let table_as = fence("CREATE TABLE alerts AS SELECT card FROM payments", &one).unwrap();
    assert_eq!(alone.job(), "INSERT INTO `alerts` SELECT card FROM payments");
    assert_eq!(alone, table_as);
    assert_eq!(
        refused("SELECT card FROM payments"),
        NoSink,
        "there are two sinks"
    );
    assert_eq!(refused("-- nothing"), NoSink);
}

#[test]
fn other_statements_are_refused() {
    for text in [
        "ADD JAR '/tmp/evil.jar'",
        "REMOVE JAR '/tmp/evil.jar'",
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/etc')",
        "CREATE TABLE alerts WITH ('connector' = 'print') AS SELECT * FROM payments",
        "CREATE TABLE t LIKE payments",
        "CREATE TEMPORARY TABLE t AS SELECT * FROM payments",
        "CREATE FUNCTION f AS 'java.lang.Runtime'",
        "CREATE TEMPORARY SYSTEM FUNCTION f AS 'x.Y' USING JAR 'http://x/y.jar'",
        "CREATE CATALOG c WITH ('type' = 'jdbc')",
        "CREATE DATABASE d",
        "CREATE OR REPLACE MODEL m INPUT (a STRING) OUTPUT (b STRING) WITH ('provider' = 'openai')",
        "CREATE VIEW v AS SELECT * FROM payments",
        "CREATE OR REPLACE TABLE alerts AS SELECT * FROM payments",
        "CREATE MATERIALIZED TABLE m AS SELECT 1",
        "ALTER TABLE payments SET ('scan.startup.mode' = 'latest-offset')",
        "ALTER TABLE payments RESET ('x')",
        "DROP TABLE payments",
        "USE CATALOG c",
        "USE MODULES hive",
        "LOAD MODULE hive",
        "UNLOAD MODULE core",
        "RESET",
        "RESET 'a'",
        "SHOW CREATE TABLE payments",
        "DESCRIBE payments",
        "DESC payments",
        "EXPLAIN SELECT * FROM payments",
        "CALL sys.run()",
        "DELETE FROM alerts",
        "UPDATE alerts SET a = 1",
        "TRUNCATE TABLE alerts",
        "ANALYZE TABLE payments COMPUTE STATISTICS",
        "COMPILE PLAN '/tmp/x' FOR INSERT INTO alerts SELECT * FROM payments",
        "EXECUTE PLAN '/tmp/x'",
        "EXECUTE INSERT INTO alerts SELECT * FROM payments",
        "STOP JOB 'x'",
        "SHOW JOBS",
        "BEGIN STATEMENT SET",
        "VALUES (1)",
    ] {
        let code = refused(text);
        assert!(matches!(code, StatementForbidden | Malformed), "{text}: {code:?}");
        // Nor behind something that is fine.
        let behind = format!("CREATE TEMPORARY VIEW v1 AS SELECT * FROM payments; {text}");
        assert!(judged(&behind).is_err(), "{behind}");
    }
    assert_eq!(
        refused("INSERT OVERWRITE alerts SELECT * FROM payments"),
        Malformed
    );
    assert_eq!(
        refused("INSERT INTO alerts SELECT 1 FROM payments; INSERT INTO totals SELECT 1 FROM payments"),
        StatementForbidden
    );
}

#[test]
fn nothing_foreign_hides_inside_of_a_query() {
    for (query, code) in [
        (
            "SELECT * FROM payments /*+ OPTIONS('scan.startup.mode' = 'latest-offset') */",
            HintForbidden,
        ),
        (
            "SELECT /*+ STATE_TTL('p' = '1d'), OPTIONS('a' = 'b') */ 1 FROM payments",
            HintForbidden,
        ),
        ("SELECT /*+ BROADCAST */ 1 FROM payments", HintForbidden),
        ("SELECT /*+ */ 1 FROM payments", HintForbidden),
        ("SELECT /*+ BROADCAST('x*/ y') */ 1 FROM payments", HintForbidden),
        ("SELECT /*+ BROADCAST(a 1 FROM payments", Unreadable),
        ("SELECT * FROM secrets", UnknownTable),
        ("SELECT * FROM payments, secrets", UnknownTable),
        (
            "SELECT * FROM payments p JOIN secrets s ON p.a = s.a",
            UnknownTable,
        ),
        (
            "SELECT * FROM default_catalog.default_database.payments",
            UnknownTable,
        ),
        ("SELECT * FROM `default_catalog`.`x`.`y`", UnknownTable),
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE secrets, DESCRIPTOR(et), INTERVAL '1' HOUR))",
            UnknownTable,
        ),
        ("SELECT (SELECT MAX(a) FROM secrets) FROM payments", UnknownTable),
        (
            "SELECT * FROM payments WHERE a IN (SELECT a FROM alerts)",
            UnknownTable,
        ),
        ("SELECT a FROM payments DROP TABLE x", WordForbidden),
        ("SELECT a FROM (INSERT INTO totals SELECT 1)", WordForbidden),
        ("SELECT (a FROM payments", Malformed),
        ("SELECT a] FROM payments", Malformed),
        ("SELECT (a] FROM payments)", Malformed),
        ("FROM payments", Malformed),
        ("SELECT \"a\" FROM payments", Unreadable),
        ("SELECT U&'\\0041' FROM payments", Unreadable),
        ("SELECT _utf8'a' FROM payments", Unreadable),
        ("SELECT X'4142' FROM payments", Unreadable),
        ("SELECT a // b\n FROM payments", Unreadable),
        ("SELECT 'a FROM payments", Unreadable),
        ("SELECT `a FROM payments", Unreadable),
        ("SELECT `` FROM payments", Unreadable),
        ("SELECT 'a\0b' FROM payments", Unreadable),
        ("SELECT ärger FROM payments", Unreadable),
        ("SELECT a\u{a0} FROM payments", Unreadable),
        ("SELECT 1e5x FROM payments", Unreadable),
        ("SELECT a @ b FROM payments", Unreadable),
        ("SELECT a /* no end", Unreadable),
    ] {
        assert_eq!(refused(&format!("INSERT INTO alerts {query}")), code, "{query}");
    }
    assert_eq!(
        refused("INSERT INTO payments SELECT * FROM rates"),
        UnknownTable,
        "a source is no sink"
    );
    assert_eq!(refused("INSERT INTO c.d.alerts SELECT * FROM rates"), Malformed);
}

#[test]
fn settings_are_few_and_their_values_plain() {
    for (text, code) in [
        ("SET 'pipeline.jars' = 'http://x/y.jar'", SettingForbidden),
        ("SET 'execution.state-recovery.path' = '/etc'", SettingForbidden),
        ("SET 'execution.checkpointing.dir' = 's3://x'", SettingForbidden),
        ("SET 'table.exec.state.ttl' = '1 d; x'", SettingForbidden),
        ("SET 'table.exec.state.ttl' = ''", SettingForbidden),
        ("SET 'table.local-time-zone' = 'a b'", SettingForbidden),
        ("SET 'table.exec.mini-batch.size' = '999999999'", SettingForbidden),
        ("SET", Malformed),
        ("SET pipeline.jars = x", Malformed),
        ("SET 'a' = 'b' 'c'", Malformed),
    ] {
        assert_eq!(
            refused(&format!("{text}; INSERT INTO alerts SELECT * FROM payments")),
            code,
            "{text}"
        );
    }
}

#[test]
fn names_are_taken_once_and_bounds_hold() {
    assert_eq!(
        refused("CREATE TEMPORARY VIEW payments AS SELECT * FROM rates"),
        NameTaken
    );
    assert_eq!(
        refused("CREATE TEMPORARY VIEW alerts AS SELECT * FROM rates"),
        NameTaken
    );
    let deep = format!(
        "INSERT INTO alerts SELECT {}1{} FROM payments",
        "(".repeat(200),
        ")".repeat(200)
    );
    assert_eq!(refused(&deep), TooLarge);
    assert_eq!(refused(&"x".repeat(100_000)), TooLarge);
    assert_eq!(refused(&"a ".repeat(30_000)), TooLarge);
    let many = "CREATE TEMPORARY VIEW v AS SELECT 1 FROM payments;".repeat(60);
    assert!(judged(&many).is_err());
}

#[test]
fn a_problem_says_where() {
    let problems = judged("INSERT INTO alerts\n  SELECT *\n  FROM secrets").unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "`secrets` is no source and no view of the job. (line 3, column 8)"
    );
}

#[test]
fn a_program_may_end_and_says_so_as_flink_does() {
    let query = "SELECT id FROM payments LIMIT 5";
    let ends = judged(&format!(
        "SET 'scan.bounded.mode' = 'latest-offset'; INSERT INTO alerts {query}"
    ))
    .unwrap();
    assert!(
        ends.is_bounded && ends.settings.is_empty(),
        "an option of sources, and no setting of Flink's"
    );
    assert!(!judged(&format!("INSERT INTO alerts {query}")).unwrap().is_bounded);
    let other = "SET 'scan.bounded.mode' = 'timestamp'; INSERT INTO alerts SELECT id FROM payments";
    assert_eq!(refused(other), SettingForbidden);
}

#[test]
fn who_asks_for_tables_is_told_where_they_are_told() {
    for text in [
        "SHOW TABLES",
        "DESCRIBE payments",
        "DESC payments",
        "EXPLAIN SELECT * FROM payments",
    ] {
        let problems = judged(text).unwrap_err();
        assert_eq!(problems[0].code, StatementForbidden);
        assert!(problems[0].to_string().contains("/v1/job-tables"), "{text}");
    }
}
