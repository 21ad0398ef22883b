//! Usage: counted once however often it is delivered, for whom it was used, and shown to nobody else.

use serde_json::{Value, json};
use uuid::Uuid;
use weir_control_plane::kernel::{Id, kind};
use weir_proto::agent::v1::{Direction, Generation, UsageRow, UsageWindow, WindowKey};

use crate::harness::{Bench, Caller, Served, Session};

/// 2026-10-05T10:00:00Z.
const HOUR: i64 = 1_791_194_400_000;

pub fn row(served: &Served, topic: u128, direction: Direction, bytes: u64) -> UsageRow {
    UsageRow {
        cluster_id: served.cluster.to_string(),
        topic_id: Id::<kind::Topic>::from_uuid(Uuid::from_u128(topic)).to_string(),
        principal_id: served.account.to_string(),
        direction: direction.into(),
        bytes,
        records: bytes / 10,
        requests: 1,
        uncertain: false,
    }
}

pub fn window(sequence: u64, started_at_unix_ms: i64, rows: Vec<UsageRow>) -> UsageWindow {
    UsageWindow {
        gateway_id: "gateway-1".into(),
        boot: 1,
        sequence,
        started_at_unix_ms,
        ended_at_unix_ms: started_at_unix_ms + 60_000,
        rows,
    }
}

/// A data plane of a new tenant with its agent in session, holding the present generation.
pub async fn agent(bench: &Bench) -> (crate::harness::Door, Caller, Served, Session) {
    let (member, tenant) = bench.tenant("READER").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let identity = door
        .enroll(&bench.database.token(&served, 30).await)
        .await
        .expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation::default())
        .await
        .expect("a session");
    session.welcome().await;
    session.desired().await;
    (door, member, served, session)
}

async fn usage(caller: &Caller, query: &str) -> Value {
    let range = "start=2026-10-05T00:00:00Z&end=2026-10-06T00:00:00Z";
    caller
        .get(&format!("/v1/usage?{range}&{query}"))
        .await
        .expect(200)
}

#[tokio::test]
async fn a_window_delivered_twice_counts_once() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let first = window(
        1,
        HOUR,
        vec![
            row(&served, 1, Direction::Produce, 100),
            row(&served, 1, Direction::Fetch, 30),
        ],
    );
    let ack = session.count(vec![first.clone()]).await;
    assert_eq!(
        ack.windows,
        [WindowKey {
            gateway_id: "gateway-1".into(),
            boot: 1,
            sequence: 1
        }]
    );
    // Again, twice in one report, and beside a new one: each is acknowledged, each key is counted once.
    let second = window(2, HOUR + 60_000, vec![row(&served, 1, Direction::Produce, 7)]);
    let ack = session
        .count(vec![first.clone(), second.clone(), first.clone(), second])
        .await;
    assert_eq!(ack.windows.len(), 4);
    let other_boot = UsageWindow {
        boot: 2,
        ..first.clone()
    };
    let other_gateway = UsageWindow {
        gateway_id: "gateway-2".into(),
        ..first
    };
    session.count(vec![other_boot, other_gateway]).await;
    let shown = usage(&reader, "granularity=DAILY").await;
    assert_eq!(
        shown["totals"],
        json!({"bytes": 397, "records": 39, "requests": 7, "uncertain_bytes": 0})
    );
    assert_eq!(shown["data"][0]["bytes"], 397);
    // The hourly sums and the rows that they are made of say the same.
    let rows: i64 = sqlx::query_scalar("SELECT sum(bytes)::bigint FROM usage_row")
        .fetch_one(&mut bench.database.owner().await)
        .await
        .expect("rows");
    assert_eq!(rows, 397);
}

#[tokio::test]
async fn usage_reads_by_time_and_by_dimension() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let uncertain = UsageRow {
        uncertain: true,
        ..row(&served, 2, Direction::Produce, 1000)
    };
    session
        .count(vec![
            window(
                1,
                HOUR,
                vec![
                    row(&served, 1, Direction::Produce, 100),
                    row(&served, 2, Direction::Fetch, 30),
                ],
            ),
            window(
                2,
                HOUR + 3_600_000,
                vec![row(&served, 1, Direction::Produce, 50), uncertain],
            ),
        ])
        .await;
    let hours = usage(&reader, "granularity=HOURLY").await;
    let of_hours: Vec<_> = hours["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["start"], &row["bytes"]))
        .collect();
    assert_eq!(
        of_hours,
        [
            (&json!("2026-10-05T10:00:00Z"), &json!(130)),
            (&json!("2026-10-05T11:00:00Z"), &json!(50))
        ]
    );
    assert_eq!(hours["totals"]["uncertain_bytes"], 1000);
    let topics = usage(&reader, "group_by=tenant,topic,direction").await;
    let topics = topics["data"].as_array().unwrap();
    assert_eq!(topics.len(), 3);
    assert!(
        topics
            .iter()
            .all(|row| row["tenant"] == served.tenant.tenant.to_string())
    );
    assert_eq!(
        (&topics[0]["direction"], &topics[0]["bytes"]),
        (&json!("PRODUCE"), &json!(150))
    );
    let topic = Id::<kind::Topic>::from_uuid(Uuid::from_u128(2));
    let one = usage(&reader, &format!("topic={topic}")).await;
    assert_eq!(
        one["totals"],
        json!({"bytes": 30, "records": 3, "requests": 1, "uncertain_bytes": 1000})
    );
}

#[tokio::test]
async fn usage_is_paged_and_bad_questions_are_refused() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let produced = |bytes| vec![row(&served, 1, Direction::Produce, bytes)];
    let windows = vec![
        window(1, HOUR, produced(130)),
        window(2, HOUR + 3_600_000, produced(50)),
    ];
    session.count(windows).await;
    let first = usage(&reader, "granularity=HOURLY&page_size=1").await;
    let token = first["metadata"]["next_page_token"].as_str().unwrap();
    let second = usage(
        &reader,
        &format!("granularity=HOURLY&page_size=1&page_token={token}"),
    )
    .await;
    assert_eq!(second["data"][0]["bytes"], 50);
    assert!(second["metadata"].get("next_page_token").is_none());
    for (query, code) in [
        ("group_by=team", "invalid"),
        ("topic=x", "invalid"),
        ("page_token=_____________________w", "invalid"),
    ] {
        reader
            .get(&format!("/v1/usage?{query}"))
            .await
            .expect_problem(422, code);
    }
    reader
        .get("/v1/usage?granularity=YEARLY")
        .await
        .expect_problem(400, "malformed_query");
}

#[tokio::test]
async fn usage_belongs_to_the_clusters_tenant_and_strangers_see_none() {
    let bench = Bench::start().await;
    let (_door, owner, served, mut session) = agent(&bench).await;
    let (guest_reader, guest_tenant) = bench.tenant("READER").await;
    let guest = bench.database.guest(&served, guest_tenant).await;
    let (stranger, stranger_tenant) = bench.tenant("READER").await;
    let elsewhere = bench.database.serve(stranger_tenant).await;
    bench.database.bump(&served).await;
    bench.app.wake.changed();
    // With the generation that carries its cluster, the guest's usage finds its owner.
    session.desired().await;
    let rows = vec![
        row(&served, 1, Direction::Produce, 1),
        row(&guest, 2, Direction::Produce, 20),
        // This data plane does not serve that cluster.
        row(&elsewhere, 3, Direction::Produce, 300),
    ];
    session.count(vec![window(1, HOUR, rows)]).await;
    assert_eq!(usage(&owner, "").await["totals"]["bytes"], 1);
    assert_eq!(usage(&guest_reader, "").await["totals"]["bytes"], 20);
    assert_eq!(usage(&stranger, "").await["totals"]["bytes"], 0);
    let operator = bench.operator().await;
    assert_eq!(usage(&operator, "").await["totals"]["bytes"], 21);
    let narrowed = usage(&operator, &format!("tenant={}", guest_tenant.tenant)).await;
    assert_eq!(narrowed["totals"]["bytes"], 20);
    let administrator = bench.member(&guest_tenant, "ORGANIZATION_ADMIN").await;
    let organization = usage(&administrator, "group_by=organization,tenant").await;
    assert_eq!(organization["totals"]["bytes"], 20);
    assert_eq!(
        organization["data"][0]["organization"],
        guest_tenant.organization.to_string()
    );
    owner
        .get(&format!("/v1/usage?tenant={}", guest_tenant.tenant))
        .await
        .expect_problem(403, "denied");
    bench
        .nobody()
        .get("/v1/usage")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn usage_outlives_its_cluster() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    bench
        .database
        .behind(&served, "DELETE FROM cluster WHERE data_plane_id = $1")
        .await;
    session
        .count(vec![window(
            1,
            HOUR,
            vec![row(&served, 1, Direction::Produce, 5)],
        )])
        .await;
    assert_eq!(usage(&reader, "").await["totals"]["bytes"], 5);
}
