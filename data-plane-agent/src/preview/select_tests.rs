//! Questions to a job whose topic is in memory and whose Flink is pretended.

use arc_swap::ArcSwap;
use serde_json::json;
use weir_proto::agent::v1::{Cluster, ComputePool, Grant, Mount, SqlColumn, SqlSink, SqlSource, Topic};
use weir_sql::Relay;
use weir_sql::table::Login;

use super::super::Ground;
use super::*;
use crate::dead_letters::samples::{self, LETTERS};
use crate::flink::select::tests::flink;
use crate::resources::job::{Place, sql};

const SECRET: &str = "very-secret";

fn column(name: &str) -> SqlColumn {
    SqlColumn {
        name: name.to_owned(),
        r#type: "STRING".to_owned(),
    }
}

/// A job that reads `letters` and writes `alerts`, with a right on what this pattern says.
fn ground(pattern: &str) -> Ground {
    let topic = |id: &str, name: &str| Topic {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        name: name.to_owned(),
        ..Topic::default()
    };
    let program = SqlProgram {
        statement: "INSERT INTO alerts SELECT card FROM payments".to_owned(),
        sources: vec![SqlSource {
            name: "payments".to_owned(),
            topic_id: LETTERS.to_owned(),
            columns: vec![column("card")],
            ..SqlSource::default()
        }],
        sinks: vec![SqlSink {
            name: "alerts".to_owned(),
            topic_id: "topic_9".to_owned(),
            columns: vec![column("card")],
            ..SqlSink::default()
        }],
    };
    Ground {
        admitted: DesiredState {
            clusters: vec![Cluster {
                id: "cluster_1".to_owned(),
                ..Cluster::default()
            }],
            compute_pools: vec![ComputePool {
                id: "compute_pool_1".to_owned(),
                ..ComputePool::default()
            }],
            topics: vec![topic(LETTERS, "letters"), topic("topic_9", "alerts")],
            grants: vec![Grant {
                principal_id: "service_account_1".to_owned(),
                cluster_id: "cluster_1".to_owned(),
                pattern: pattern.to_owned(),
                role: 1,
            }],
            jobs: vec![Job {
                id: "job_1".to_owned(),
                cluster_id: "cluster_1".to_owned(),
                compute_pool_id: "compute_pool_1".to_owned(),
                principal_id: "service_account_1".to_owned(),
                version: 3,
                sql: Some(program),
                ..Job::default()
            }],
            ..DesiredState::default()
        },
        hosts: Vec::new(),
    }
}

fn ready(ground: &Ground) -> Arc<Ready> {
    let relay = Relay {
        base: String::new(),
        token: String::new(),
    };
    let login = Login {
        bootstrap: "127.0.0.1:9650".to_owned(),
        tls: None,
        job: "job_1".to_owned(),
        secret: SECRET.to_owned(),
        registry: relay.clone(),
    };
    let place = Place {
        admitted: &ground.admitted,
        hosts: &ground.hosts,
    };
    let job = &ground.admitted.jobs[0];
    let made = sql::program(job, job.sql.as_ref().unwrap(), &place, (login, relay));
    Arc::new(made.unwrap())
}

/// Asks at a Flink that is there, or not; says what it was given.
async fn ask_at(
    ground: Ground,
    flink_is_there: bool,
    wanted: Value,
) -> (Result<Value, Refusal>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (clients, seen) = flink(1, "RUNNING").await;
    let window = if flink_is_there {
        Window::of(clients)
    } else {
        Window::default()
    };
    let seat = Seat {
        program: ready(&ground),
        flink: window,
    };
    let (post, _logs) = samples::post(5);
    let mut previews = Previews::new(Arc::new(ArcSwap::from_pointee(ground)), post, folder.path());
    previews.desk = Arc::new(ArcSwap::from_pointee(Desk::from([("job_1".to_owned(), seat)])));
    let wanted = serde_json::from_value(wanted).unwrap();
    let answer = previews.select(wanted).await;
    let answer = answer.map(|it| serde_json::to_value(it).unwrap());
    let statements = seen.lock().unwrap().statements.clone();
    (answer, statements)
}

async fn ask(pattern: &str, statement: &str) -> (Result<Value, Refusal>, Vec<String>) {
    let wanted = json!({"job": "job_1", "statement": statement, "last": 1});
    ask_at(ground(pattern), true, wanted).await
}

#[tokio::test]
async fn a_query_is_asked_of_the_tables_that_it_reads_as_the_job() {
    let (answer, statements) = ask("letters", "SELECT card, 1 AS n FROM payments LIMIT 10").await;
    let answer = answer.unwrap();
    assert_eq!(
        (&answer["job"], &answer["version"], &answer["cut"]),
        (&json!("job_1"), &json!(3), &Value::Null)
    );
    assert_eq!(answer["rows"], json!([["a", 1], ["b", null]]));
    assert_eq!(answer["columns"][0], json!({"name": "card", "type": "VARCHAR"}));
    assert_eq!(
        answer["tables"],
        json!([{"name": "payments", "topic": "letters", "whole": false}]),
        "one offset of each partition is not all"
    );
    let [table, query] = statements.as_slice() else {
        panic!("one table, one query: {statements:?}")
    };
    assert!(table.contains("'scan.startup.specific-offsets' = 'partition:0,offset:2;partition:1,offset:1'"));
    assert!(table.contains("'scan.bounded.mode' = 'latest-offset'") && table.contains("username=\"job_1\""));
    assert_eq!(query, "SELECT card , 1 AS n FROM payments LIMIT 10");
}

#[tokio::test]
async fn what_may_not_be_asked_reaches_no_flink() {
    for (pattern, statement, word) in [
        ("letters", "SELECT card FROM payments", "STATEMENT_REFUSED"),
        (
            "letters",
            "SELECT card FROM payments LIMIT 101",
            "STATEMENT_REFUSED",
        ),
        ("letters", "DROP TABLE payments", "STATEMENT_REFUSED"),
        ("letters", "SELECT card FROM secrets LIMIT 1", "STATEMENT_REFUSED"),
        ("letters", "SELECT card FROM alerts LIMIT 1", "`alerts`"),
        ("alerts", "SELECT card FROM payments LIMIT 1", "`payments`"),
        ("", "SELECT card FROM payments LIMIT 1", "UNAUTHORIZED"),
    ] {
        let (refused, statements) = ask(pattern, statement).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(word), "{statement}: {refused}");
        assert!(statements.is_empty(), "{statements:?}");
    }
    let wanted = |job: &str, last: u32| json!({"job": job, "statement": "SELECT card FROM payments LIMIT 1", "last": last});
    for (wanted, word) in [(wanted("job_2", 1), "No job"), (wanted("job_1", 0), "`last`")] {
        let (refused, _statements) = ask_at(ground("*"), true, wanted).await;
        assert!(refused.unwrap_err().to_string().contains(word));
    }
}

#[tokio::test]
async fn a_pool_without_processes_says_so_and_gets_none() {
    let wanted = json!({"job": "job_1", "statement": "SELECT card FROM payments LIMIT 1"});
    let (refused, statements) = ask_at(ground("*"), false, wanted).await;
    assert!(refused.unwrap_err().to_string().starts_with("NO_FLINK"));
    assert!(statements.is_empty());
}

#[tokio::test]
async fn what_is_shared_is_read_from_its_beginning_through_the_gateway() {
    let mut shared = ground("*");
    shared.admitted.topics[0].mount = Some(Mount::default());
    let wanted = json!({"job": "job_1", "statement": "SELECT card FROM payments LIMIT 1"});
    let (answer, statements) = ask_at(shared, true, wanted).await;
    assert_eq!(answer.unwrap()["tables"][0]["whole"], true);
    assert!(
        statements[0].contains("'scan.startup.mode' = 'earliest-offset'"),
        "{statements:?}"
    );
}

#[tokio::test]
async fn failures_are_told_by_their_class_and_without_secrets() {
    let (refused, _statements) = ask("*", "SELECT wrong FROM payments LIMIT 1").await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("QUERY_FAILED: org.x.Calcite"), "{refused}");
    assert!(!refused.contains(SECRET) && refused.contains("***"), "{refused}");
    let (refused, _statements) = ask("*", "SELECT broken FROM payments LIMIT 1").await;
    assert!(refused.unwrap_err().to_string().starts_with("UNAUTHORIZED"));
}
