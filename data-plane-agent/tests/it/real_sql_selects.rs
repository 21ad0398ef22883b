//! A person's questions to a job in SQL, at its real Flink: exact rows, nothing forbidden, nothing left behind. Part of the life of
//! the job in `real_sql_jobs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use weir_agent::Platform;
use weir_agent::config::Ports;
use weir_agent::flink::configuration::{FlinkPorts, Folders};
use weir_agent::flink::job_manager::{JobManager, Listed};
use weir_agent::flink::keys::Shop;
use weir_agent::flink::rest::Rest;

use crate::inside::ask_at;
use crate::real_sql_jobs::{COMPUTE, JOB, payment};

/// Status and body of what the endpoint inside answers.
pub async fn asked(state: &Path, port_base: u16, statement: &str) -> (u16, Value) {
    let token = std::fs::read_to_string(state.join("inside-token")).unwrap();
    let body = json!({"job": JOB, "statement": statement}).to_string();
    let request = format!(
        "POST /v1/job-selects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        token.trim(),
        body.len()
    );
    let port = Ports::above(port_base).unwrap().inside();
    let answer = ask_at(state, port, &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let said: Value = serde_json::from_str(body).unwrap();
    eprintln!("{statement}: {status} {}", said["took_ms"]);
    (status, said)
}

async fn rows(state: &Path, port_base: u16, statement: &str) -> Vec<Value> {
    let (status, said) = asked(state, port_base, statement).await;
    assert_eq!((status, &said["cut"]), (200, &Value::Null), "{said}");
    said["rows"].as_array().unwrap().clone()
}

/// The jobs that the pool's Flink knows.
async fn jobs(state: &Path) -> Vec<Listed> {
    let (folders, own) = (
        Folders::below(&state.join("flink").join(COMPUTE)),
        state.join("flink/agent").join(COMPUTE),
    );
    let processes = Platform::real().processes;
    let shop = Shop {
        folders: &folders,
        own: &own,
        java: &PathBuf::from("java"),
        processes: processes.as_ref(),
    };
    let keys = shop.open_or_make().await.unwrap();
    let ports = std::fs::read(state.join(format!("flink/agent/{COMPUTE}.ports"))).unwrap();
    let ports: FlinkPorts = serde_json::from_slice(&ports).unwrap();
    JobManager::new(Rest::local(ports.rest, keys.tls))
        .jobs()
        .await
        .unwrap()
}

/// Questions while the job runs, which has so many payments in its source.
#[expect(
    clippy::too_many_lines,
    reason = "one question after the other, read top to bottom"
)]
pub async fn are_answered(state: &Path, port_base: u16, payments: usize) {
    let all: Vec<(String, i64, i64)> = (0..payments).map(payment).collect();
    let mut found = rows(
        state,
        port_base,
        "SELECT card, amount, ts FROM payments WHERE amount > 480 -- the large ones\n LIMIT 100",
    )
    .await;
    let large = all.iter().filter(|(_card, amount, _ts)| *amount > 480);
    let mut expected: Vec<Value> = large
        .map(|(card, amount, ts)| json!([card, amount, ts]))
        .collect();
    assert!((20..100).contains(&expected.len()), "{}", expected.len());
    let by = |it: &Value| it.to_string();
    found.sort_by_key(by);
    expected.sort_by_key(by);
    assert_eq!(found, expected);

    let few = rows(
        state,
        port_base,
        "SELECT amount FROM payments WHERE amount > 100 LIMIT 7",
    )
    .await;
    assert_eq!(few.len(), 7);
    assert!(few.iter().all(|it| it[0].as_i64().unwrap() > 100), "{few:?}");

    let total: i64 = all.iter().map(|(_card, amount, _ts)| amount).sum();
    let sums = rows(
        state,
        port_base,
        "SELECT COUNT(*) AS n, SUM(amount) AS total FROM payments LIMIT 1",
    )
    .await;
    assert_eq!(sums, [json!([payments, total])]);

    let mut cards: BTreeMap<&str, i64> = BTreeMap::new();
    for (card, _amount, _ts) in &all {
        *cards.entry(card).or_default() += 1;
    }
    let mut most: Vec<(&str, i64)> = cards.into_iter().collect();
    most.sort_by_key(|(card, count)| (-count, *card));
    let top: Vec<Value> = most[..3]
        .iter()
        .map(|(card, count)| json!([card, count]))
        .collect();
    let counted = rows(
        state,
        port_base,
        "SELECT p.card, COUNT(*) AS n FROM payments p GROUP BY p.card ORDER BY n DESC, card LIMIT 3",
    )
    .await;
    assert_eq!(counted, top);

    let hours = rows(
        state,
        port_base,
        "SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(event_time), INTERVAL '1' HOUR)) \
         GROUP BY window_start, window_end LIMIT 100",
    )
    .await;
    let told: i64 = hours.iter().map(|it| it[1].as_i64().unwrap()).sum();
    assert_eq!(usize::try_from(told).unwrap(), payments, "{hours:?}");

    let mut highest: BTreeMap<&str, i64> = BTreeMap::new();
    for (card, amount, _ts) in &all {
        let entry = highest.entry(card).or_default();
        *entry = (*entry).max(*amount);
    }
    let are_highest = all
        .iter()
        .filter(|(card, amount, _ts)| highest[card.as_str()] == *amount);
    let joined = rows(
        state,
        port_base,
        "WITH most AS (SELECT card, MAX(amount) AS amount FROM payments GROUP BY card) \
         SELECT COUNT(*) AS n FROM payments p JOIN most m ON p.card = m.card AND p.amount = m.amount LIMIT 1",
    )
    .await;
    assert_eq!(joined, [json!([are_highest.count()])]);

    for (statement, status, word) in [
        (
            "INSERT INTO alerts SELECT card FROM payments LIMIT 1",
            422,
            "STATEMENT_REFUSED",
        ),
        ("SELECT * FROM payments", 422, "LIMIT"),
        (
            "SELECT * FROM payments /*+ OPTIONS('topic' = 'alerts') */ LIMIT 1",
            422,
            "STATEMENT_REFUSED",
        ),
        ("SELECT nothing_such FROM payments LIMIT 1", 422, "QUERY_FAILED"),
    ] {
        let (told, said) = asked(state, port_base, statement).await;
        assert_eq!(told, status, "{said}");
        assert!(said["detail"].as_str().unwrap().contains(word), "{said}");
    }
    let jobs = jobs(state).await;
    let running: Vec<&Listed> = jobs.iter().filter(|it| !it.run.is_over()).collect();
    assert_eq!(running.len(), 1, "{jobs:?}");
    assert!(running[0].name.starts_with(JOB), "{jobs:?}");
}
