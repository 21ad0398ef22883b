//! Tests of `sql`.

use super::*;
use weir_proto::agent::v1::{Cluster, ComputePool, PartContract, TopicContract};

const JSON: &str =
    r#"{"type": "object", "properties": {"card": {"type": "string"}, "ts": {"type": "integer"}}}"#;

fn admitted(unframed: &str) -> DesiredState {
    let topic = |id: &str, contract| Topic {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        name: format!("name-{id}"),
        contract,
        ..Topic::default()
    };
    let contract = TopicContract {
        value: Some(PartContract {
            schema_ids: vec!["schema_1".to_owned()],
            unframed_schema_id: unframed.to_owned(),
            ..PartContract::default()
        }),
        ..TopicContract::default()
    };
    DesiredState {
        clusters: vec![Cluster {
            id: "cluster_1".to_owned(),
            ..Cluster::default()
        }],
        topics: vec![topic("topic_1", Some(contract)), topic("topic_2", None)],
        schemas: vec![Schema {
            id: "schema_1".to_owned(),
            format: SchemaFormat::Json.into(),
            text: JSON.to_owned(),
            ..Schema::default()
        }],
        ..DesiredState::default()
    }
}

fn sql(statement: &str) -> SqlProgram {
    SqlProgram {
        statement: statement.to_owned(),
        sources: vec![SqlSource {
            name: "payments".to_owned(),
            topic_id: "topic_1".to_owned(),
            event_time: Some(SqlEventTime {
                column: "ts".to_owned(),
                delay_ms: 1000,
                ..SqlEventTime::default()
            }),
            key_column: "k".to_owned(),
            ..SqlSource::default()
        }],
        sinks: vec![SqlSink {
            name: "alerts".to_owned(),
            topic_id: "topic_2".to_owned(),
            columns: vec![SqlColumn {
                name: "card".to_owned(),
                r#type: "STRING".to_owned(),
            }],
            ..SqlSink::default()
        }],
    }
}

fn made(sql: &SqlProgram, admitted: &DesiredState) -> Result<Ready, Reason> {
    let job = Job {
        id: "job_1".to_owned(),
        cluster_id: "cluster_1".to_owned(),
        compute_pool_id: "compute_pool_1".to_owned(),
        ..Job::default()
    };
    let login = Login {
        bootstrap: "127.0.0.1:9650".to_owned(),
        tls: None,
        job: job.id.clone(),
        secret: "hush".to_owned(),
        registry: Relay {
            base: "http://127.0.0.1:9000/job_1/registry".to_owned(),
            token: "hush-token".to_owned(),
        },
    };
    let relay = Relay {
        base: "http://127.0.0.1:9000/job_1".to_owned(),
        token: "hush-token".to_owned(),
    };
    let place = Place {
        admitted,
        hosts: &["models.internal:443".to_owned()],
    };
    program(&job, sql, &place, (login, relay)).map_err(|it| it.reason)
}

#[test]
fn a_model_is_asked_only_where_the_policy_names_it_and_flink_is_not_told_where() {
    let asks = |host: &str| {
        sql(&format!(
            "CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ('provider' = 'openai', 'model' = 'x', \
             'secret' = 'models', 'endpoint' = 'https://{host}/v1/chat/completions'); \
             SELECT a FROM ML_PREDICT(TABLE payments, MODEL m, DESCRIPTOR(card))"
        ))
    };
    let ready = made(&asks("models.internal"), &admitted("schema_1")).unwrap();
    let shown = ready.tables().unwrap().pop().unwrap().to_string();
    assert!(shown.contains("'endpoint' = 'http://127.0.0.1:9000/job_1/m/chat/completions'"));
    assert!(!shown.contains("hush") && !format!("{ready:?}").contains("hush"));
    for host in ["models.evil", "models.internal:444", "models.internal.evil"] {
        let refused = made(&asks(host), &admitted("schema_1")).unwrap_err();
        assert_eq!(refused, Reason::PolicyRefused, "{host}");
    }
}

#[test]
fn tables_come_from_contracts_and_from_the_job() {
    let ready = made(&sql("SELECT card FROM payments"), &admitted("schema_1")).unwrap();
    assert_eq!(ready.statement, "INSERT INTO `alerts` SELECT card FROM payments");
    let tables = ready.tables().unwrap();
    let source = tables[0].to_string();
    for part in [
        "`card` STRING",
        "`ts` BIGINT",
        "`k` STRING",
        "WATERMARK FOR `event_time`",
        "'topic' = 'name-topic_1'",
    ] {
        assert!(source.contains(part), "{part}: {source}");
    }
    assert!(!format!("{ready:?}").contains("hush"));
    let mut latest = sql("SELECT card FROM payments");
    latest.sources[0].from_latest = true;
    let ready = made(&latest, &admitted("schema_1")).unwrap();
    let (_table, origin) = &ready.sources[0];
    assert!(origin.from_latest && origin.topic_id == "topic_1");
}

#[test]
fn what_cannot_run_says_why() {
    let fine = "SELECT card FROM payments";
    let reason = |sql: &SqlProgram, unframed: &str| made(sql, &admitted(unframed)).unwrap_err();
    assert_eq!(
        reason(&sql("DROP TABLE payments"), "schema_1"),
        Reason::ProgramRefused
    );
    assert_eq!(reason(&sql(fine), ""), Reason::Unsupported);
    assert_eq!(reason(&sql(fine), "schema_2"), Reason::ProgramRefused);
    let mut without = sql(fine);
    without.sinks[0].columns.clear();
    assert_eq!(reason(&without, "schema_1"), Reason::ProgramRefused);
    let mut gone = sql(fine);
    gone.sources[0].topic_id = "topic_9".to_owned();
    assert_eq!(reason(&gone, "schema_1"), Reason::SourceMissing);
    let mut others = admitted("schema_1");
    others.compute_pools.push(ComputePool {
        id: "compute_pool_1".to_owned(),
        tenant_id: "tenant_2".to_owned(),
        ..ComputePool::default()
    });
    assert_eq!(made(&sql(fine), &others).unwrap_err(), Reason::Unauthorized);
    let mut twice = sql(fine);
    twice.sinks[0].name = "payments".to_owned();
    assert_eq!(reason(&twice, "schema_1"), Reason::ProgramRefused);
    let mut timeless = sql(fine);
    timeless.sources[0].event_time.as_mut().unwrap().column = "card".to_owned();
    assert_eq!(reason(&timeless, "schema_1"), Reason::ProgramRefused);
}
