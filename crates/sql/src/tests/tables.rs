//! Tables from topics and contracts.

use weir_contract::{Format, Schema};

use crate::Relay;
use crate::columns::{Column, kind, of_schema};
use crate::table::{EventTime, Login, Sink, Source, TimeUnit, ValueFormat, glance, sink, source};

fn login() -> Login {
    Login {
        bootstrap: "127.0.0.1:9650".to_owned(),
        tls: None,
        job: "job_1".to_owned(),
        secret: "very-secret\"\\'".to_owned(),
        registry: Relay {
            base: "http://127.0.0.1:9000/job_1/schemas".to_owned(),
            token: "hush-token".to_owned(),
        },
    }
}

fn column(name: &str, kind: &str) -> Column {
    Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
    }
}

fn payments() -> Source {
    Source {
        name: "payments".to_owned(),
        topic: "payments".to_owned(),
        columns: vec![column("card", "STRING"), column("ts", "BIGINT")],
        format: ValueFormat::Json,
        key: None,
        event_time: Some(EventTime {
            column: Some("ts".to_owned()),
            unit: TimeUnit::Milliseconds,
            delay_ms: 1500,
        }),
    }
}

#[test]
fn a_source_reads_through_the_gateway_as_the_job() {
    let ddl = source(&payments(), &login()).unwrap();
    assert_eq!(
        ddl.to_string(),
        "CREATE TABLE `payments` (
  `card` STRING,
  `ts` BIGINT,
  `event_time` AS TO_TIMESTAMP_LTZ(`ts`, 3),
  WATERMARK FOR `event_time` AS `event_time` - INTERVAL '0 00:00:01.500' DAY TO SECOND(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'payments',
  'properties.bootstrap.servers' = '127.0.0.1:9650',
  'properties.client.id' = 'job_1',
  'properties.security.protocol' = 'SASL_PLAINTEXT',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.sasl.jaas.config' = '***',
  'properties.isolation.level' = 'read_committed',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'properties.group.id' = 'job_1',
  'scan.startup.mode' = 'group-offsets',
  'properties.auto.offset.reset' = 'none'
)"
    );
    assert!(
        ddl.reveal()
            .contains(r#"username="job_1" password="very-secret\"\\''";"#)
    );
    assert!(!format!("{ddl:?} {ddl}").contains("very-secret"));
}

#[test]
fn time_comes_from_a_column_or_from_the_record() {
    let with = |column: Option<&str>, kind: &str| {
        let event_time = column.map(str::to_owned);
        let source_ = Source {
            columns: vec![self::column("at", kind)],
            event_time: Some(EventTime {
                column: event_time,
                unit: TimeUnit::Seconds,
                delay_ms: 0,
            }),
            ..payments()
        };
        source(&source_, &login()).map(|it| it.to_string())
    };
    assert!(
        with(None, "STRING")
            .unwrap()
            .contains("`event_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL")
    );
    assert!(
        with(Some("at"), "BIGINT")
            .unwrap()
            .contains("TO_TIMESTAMP_LTZ(`at`, 0)")
    );
    assert!(
        with(Some("at"), "TIMESTAMP(3)")
            .unwrap()
            .contains("WATERMARK FOR `at` AS `at` - INTERVAL '0 00:00:00.000'")
    );
    assert!(with(Some("at"), "STRING").is_err());
    assert!(with(Some("none"), "BIGINT").is_err());
}

#[test]
fn a_sink_writes_in_transactions_of_its_own() {
    let alerts = Sink {
        name: "alerts".to_owned(),
        topic: "alerts".to_owned(),
        columns: vec![column("card", "STRING"), column("cnt", "BIGINT")],
        format: ValueFormat::Json,
        key: vec!["card".to_owned()],
        upserts: false,
        number: 2,
    };
    let text = sink(&alerts, &login()).unwrap().to_string();
    for option in [
        "'connector' = 'kafka'",
        "'sink.delivery-guarantee' = 'exactly-once'",
        "'sink.transactional-id-prefix' = 'job_1-2'",
        "'key.format' = 'raw'",
        "'key.fields' = 'card'",
        "'value.fields-include' = 'ALL'",
    ] {
        assert!(text.contains(option), "{option}: {text}");
    }
    let replaces = Sink {
        upserts: true,
        ..alerts.clone()
    };
    let text = sink(&replaces, &login()).unwrap().to_string();
    assert!(text.contains("PRIMARY KEY (`card`) NOT ENFORCED") && text.contains("'upsert-kafka'"));
    let without = Sink {
        key: Vec::new(),
        ..replaces
    };
    assert!(sink(&without, &login()).is_err());
    let unknown = Sink {
        key: vec!["no".to_owned()],
        ..alerts
    };
    assert!(sink(&unknown, &login()).is_err());
}

#[test]
fn names_and_types_cannot_leave_their_place() {
    for bad in [
        "STRING) WITH ('connector' = 'filesystem') --",
        "INT, x INT",
        "ROW<a INT",
        "`STRING`",
        "STRING NOT NULL",
        "RAW('a', 'b')",
        "STRING METADATA FROM 'x'",
        "",
        "AS 1",
        "DECIMAL(99999)",
    ] {
        assert!(kind(bad).is_err(), "{bad}");
    }
    for (good, printed) in [
        ("string", "string"),
        ("DECIMAL(10, 2)", "DECIMAL ( 10 , 2 )"),
        (
            "ROW<a INT, `b c` ARRAY<MAP<STRING, TIMESTAMP_LTZ(3)>>>",
            "ROW < a INT , `b c` ARRAY < MAP < STRING , TIMESTAMP_LTZ ( 3 ) > > >",
        ),
    ] {
        assert_eq!(kind(good).as_deref(), Ok(printed));
    }
    let odd = Source {
        name: "a`b".to_owned(),
        topic: "it's".to_owned(),
        columns: vec![column("x` INT) --", "STRING")],
        event_time: None,
        ..payments()
    };
    let text = source(&odd, &login()).unwrap().to_string();
    assert!(
        text.starts_with("CREATE TABLE `a``b` (\n  `x`` INT) --` STRING\n)"),
        "{text}"
    );
    assert!(text.contains("'topic' = 'it''s'"));
}

#[test]
fn columns_come_from_contracts() {
    let json = r#"{"type": "object", "required": ["card"], "properties": {
        "card": {"type": "string"}, "amount": {"type": "number"}, "n": {"type": ["integer", "null"]},
        "at": {"type": "string", "format": "date-time"}, "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"type": "object", "properties": {"city": {"type": "string"}}}, "any": {}}}"#;
    let schema = Schema::parse(Format::Json, json, &[]).unwrap();
    let columns: Vec<String> = of_schema(&schema, Format::Json)
        .unwrap()
        .into_iter()
        .map(|it| format!("{} {}", it.name, it.kind))
        .collect();
    assert_eq!(
        columns,
        [
            "amount DOUBLE",
            "any STRING",
            "at TIMESTAMP_LTZ(3)",
            "card STRING",
            "n BIGINT",
            "tags ARRAY<STRING>",
            "where ROW<`city` STRING>",
        ]
    );
    let avro = r#"{"type": "record", "name": "Payment", "fields": [
        {"name": "card", "type": "string"}, {"name": "amount", "type": ["null", "double"], "default": null},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A"]}}]}"#;
    let schema = Schema::parse(Format::Avro, avro, &[]).unwrap();
    let kinds: Vec<String> = of_schema(&schema, Format::Avro)
        .unwrap()
        .into_iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, ["STRING", "DOUBLE", "TIMESTAMP(3)", "STRING"]);
    let decimal = r#"{"type": "record", "name": "P", "fields": [{"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4}}]}"#;
    let schema = Schema::parse(Format::Avro, decimal, &[]).unwrap();
    assert!(of_schema(&schema, Format::Avro).is_err());
}

#[test]
fn a_table_of_framed_records_asks_the_agent_for_schemas() {
    let schema = r#"{"type":"record","name":"P","fields":[{"name":"card","type":"string"},{"name":"ts","type":"long"}]}"#;
    let framed = Source {
        columns: crate::avro::columns(schema).unwrap(),
        format: ValueFormat::AvroConfluent {
            subject: "payments".to_owned(),
            schema: schema.to_owned(),
        },
        ..payments()
    };
    let ddl = source(&framed, &login()).unwrap();
    let shown = ddl.to_string();
    for part in [
        "`card` STRING NOT NULL",
        "`event_time` AS TO_TIMESTAMP_LTZ(`ts`, 3)",
        "'value.format' = 'avro-confluent'",
        "'value.avro-confluent.url' = 'http://127.0.0.1:9000/job_1/schemas'",
        "'value.avro-confluent.bearer-auth.token' = '***'",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("hush-token") && ddl.reveal().contains("hush-token"));
    // What people write says nothing of nothing.
    assert!(kind("STRING NOT NULL").is_err());
}

#[test]
fn a_glance_ends_and_commits_nothing() {
    let some = glance(&payments(), &login(), &[(0, 42), (1, 300)])
        .unwrap()
        .to_string();
    for line in [
        "'properties.group.id' = 'job_1-select'",
        "'properties.enable.auto.commit' = 'false'",
        "'properties.isolation.level' = 'read_committed'",
        "'scan.startup.mode' = 'specific-offsets'",
        "'scan.startup.specific-offsets' = 'partition:0,offset:42;partition:1,offset:300'",
        "'scan.bounded.mode' = 'latest-offset'",
        "'properties.sasl.jaas.config' = '***'",
    ] {
        assert!(some.contains(line), "{line}\n{some}");
    }
    let all = glance(&payments(), &login(), &[]).unwrap().to_string();
    assert!(all.contains("'scan.startup.mode' = 'earliest-offset'") && all.contains("'scan.bounded.mode'"));
    assert!(!all.contains("group-offsets") && !all.contains("auto.offset.reset"));
}
