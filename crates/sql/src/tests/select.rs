//! Questions of people's, case by case.

use std::collections::BTreeSet;

use crate::ProblemCode::{
    self, HintForbidden, Malformed, StatementForbidden, TooLarge, UnknownTable, Unreadable, WordForbidden,
};
use crate::select::{Query, select};
use crate::{Problem, fence};

fn judged(text: &str) -> Result<Query, Problem> {
    let tables: BTreeSet<String> = ["payments", "alerts"].map(str::to_owned).into();
    select(text, &tables)
}

fn refused(text: &str) -> ProblemCode {
    match judged(text) {
        Ok(query) => panic!("let through: {text}\n{query:?}"),
        Err(problem) => problem.code,
    }
}

#[test]
fn one_query_with_a_limit_is_let_through_as_its_tokens() {
    let query = judged("select card -- a comment\nFROM payments WHERE amount > 10 LIMIT 100;").unwrap();
    assert_eq!(
        query.statement,
        "select card FROM payments WHERE amount > 10 LIMIT 100"
    );
    assert_eq!((query.limit, query.reads.len()), (100, 1));
    for text in [
        "WITH big AS (SELECT * FROM payments WHERE amount > 1) SELECT COUNT(*) FROM big LIMIT 1",
        "SELECT a.card FROM alerts a JOIN payments p ON a.card = p.card ORDER BY a.cnt LIMIT 7",
        "SELECT card FROM payments UNION ALL SELECT card FROM alerts LIMIT 5",
        "SELECT window_start FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(et), INTERVAL '1' HOUR)) GROUP BY window_start LIMIT 5",
        "SELECT * FROM payments WHERE card IN (SELECT card FROM alerts LIMIT 500) LIMIT 5",
    ] {
        judged(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    }
}

#[test]
fn a_query_says_how_many_rows_it_wants() {
    for text in [
        "SELECT * FROM payments",
        "SELECT * FROM payments LIMIT",
        "SELECT * FROM payments LIMIT ALL",
        "SELECT * FROM payments LIMIT 5 OFFSET 5",
        "SELECT * FROM payments LIMIT 5, 5",
        "SELECT * FROM payments LIMIT (5)",
        "SELECT * FROM payments LIMIT '5'",
        "SELECT * FROM payments FETCH FIRST 5 ROWS ONLY",
        "SELECT * FROM (SELECT * FROM payments LIMIT 5)",
        "SELECT card FROM payments UNION ALL (SELECT card FROM alerts LIMIT 5)",
        "SELECT 5",
        "SELECT",
    ] {
        assert_eq!(refused(text), Malformed, "{text}");
    }
    for count in ["0", "101", "1e1", "5.0", "99999999999", "000000101"] {
        let text = format!("SELECT * FROM payments LIMIT {count}");
        assert_eq!(refused(&text), TooLarge, "{text}");
    }
}

#[test]
fn nothing_but_a_query_of_the_jobs_tables_is_let_through() {
    for (text, code) in [
        ("", Malformed),
        ("; ;", Malformed),
        (
            "INSERT INTO alerts SELECT * FROM payments LIMIT 5",
            StatementForbidden,
        ),
        ("(SELECT * FROM payments) LIMIT 5", StatementForbidden),
        ("VALUES (1) LIMIT 5", StatementForbidden),
        ("EXPLAIN SELECT * FROM payments LIMIT 5", StatementForbidden),
        ("DROP TABLE payments", StatementForbidden),
        ("SHOW TABLES", StatementForbidden),
        (
            "CREATE TEMPORARY VIEW v AS SELECT * FROM payments LIMIT 5",
            StatementForbidden,
        ),
        (
            "SET 'table.local-time-zone' = 'UTC'; SELECT * FROM payments LIMIT 5",
            StatementForbidden,
        ),
        (
            "SELECT * FROM payments LIMIT 5; SELECT * FROM payments LIMIT 5",
            StatementForbidden,
        ),
        (
            "SELECT * FROM payments LIMIT 5; ADD JAR '/x.jar'",
            StatementForbidden,
        ),
        ("SELECT * FROM secrets LIMIT 5", UnknownTable),
        ("SELECT * FROM payments, secrets LIMIT 5", UnknownTable),
        (
            "SELECT * FROM default_catalog.default_database.payments LIMIT 5",
            UnknownTable,
        ),
        (
            "SELECT * FROM ML_PREDICT(TABLE payments, MODEL m, DESCRIPTOR(a)) LIMIT 5",
            UnknownTable,
        ),
        (
            "SELECT * FROM payments /*+ OPTIONS('scan.startup.mode' = 'earliest-offset') */ LIMIT 5",
            HintForbidden,
        ),
        (
            "SELECT (INSERT INTO alerts SELECT 1) FROM payments LIMIT 5",
            WordForbidden,
        ),
        ("SELECT * FROM payments WHERE (a LIMIT 5", Malformed),
        ("SELECT \"a\" FROM payments LIMIT 5", Unreadable),
    ] {
        assert_eq!(refused(text), code, "{text}");
    }
    assert_eq!(refused(&"x".repeat(fence::TEXT_BYTES_MAX + 1)), TooLarge);
}
