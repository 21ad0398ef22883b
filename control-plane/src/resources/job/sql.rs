//! A program in SQL, judged as the agent will judge it: its statement, its tables, and what its topics promise.

use std::collections::{BTreeMap, BTreeSet};

use weir_sql::avro;
use weir_sql::columns::{Column, of_schema};
use weir_sql::table::{self, EventTime, Login, Sink, Source, TimeUnit, ValueFormat};
use weir_sql::{Known, ProblemCode, Relay};

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, FieldError, Result, code};
use crate::resources::contract;
use crate::resources::job::sql_model::{
    JobSqlColumn, JobSqlEventTime, JobSqlMode, JobSqlSink, JobSqlSource, JobSqlUnit,
};
use crate::resources::job::version::UsedTopic;
use crate::resources::topic::{TopicId, Unframed};
use crate::runtime::Tx;

/// Sources, and sinks, of one program.
const TABLES_MAX: usize = 20;
const COLUMNS_MAX: usize = weir_sql::columns::COLUMNS_MAX;
const DELAY_MS_MAX: i32 = 86_400_000;

fn at(field: &str) -> String {
    format!("/spec/program/{field}")
}

fn wrong(field: &str, code: &'static str, detail: impl Into<String>) -> FieldError {
    FieldError {
        pointer: at(field),
        code: code.into(),
        detail: detail.into(),
    }
}

/// What is wrong with a program, as far as it tells itself.
pub fn validate(
    statement: &str,
    sources: &[JobSqlSource],
    sinks: &[JobSqlSink],
    errors: &mut Vec<FieldError>,
) {
    let before = errors.len();
    for (field, count) in [("sources", sources.len()), ("sinks", sinks.len())] {
        if !(1..=TABLES_MAX).contains(&count) {
            let detail = format!("A program in SQL has 1 to {TABLES_MAX} of them.");
            errors.push(wrong(field, code::OUT_OF_RANGE, detail));
        }
    }
    let sources_named = sources
        .iter()
        .enumerate()
        .map(|(n, it)| (format!("sources/{n}"), &it.name, &it.columns));
    let sinks_named = sinks
        .iter()
        .enumerate()
        .map(|(n, it)| (format!("sinks/{n}"), &it.name, &it.columns));
    let mut names = BTreeSet::new();
    for (field, name, columns) in sources_named.chain(sinks_named) {
        table(&field, name, columns, &mut names, errors);
    }
    let reads: BTreeSet<TopicId> = sources.iter().map(|it| it.topic).collect();
    for (number, sink) in sinks.iter().enumerate() {
        if reads.contains(&sink.topic) {
            let detail = "The job would read what it wrote, without end.";
            errors.push(wrong(
                &format!("sinks/{number}/topic"),
                code::BAD_REFERENCE,
                detail,
            ));
        }
        if sink.mode == JobSqlMode::Upsert && sink.key.is_empty() {
            let detail = "Records are replaced by their keys: say which columns become the key.";
            errors.push(wrong(&format!("sinks/{number}/key"), code::REQUIRED, detail));
        }
    }
    for (number, source) in sources.iter().enumerate() {
        let delay = source.event_time.as_ref().map_or(0, |it| it.delay_ms);
        if !(0..=DELAY_MS_MAX).contains(&delay) {
            let detail = format!("It is 0 to {DELAY_MS_MAX} milliseconds.");
            let field = format!("sources/{number}/event_time/delay_ms");
            errors.push(wrong(&field, code::OUT_OF_RANGE, detail));
        }
    }
    if errors.len() > before {
        return;
    }
    let known = Known {
        sources: sources.iter().map(|it| it.name.clone()).collect(),
        sinks: sinks.iter().map(|it| it.name.clone()).collect(),
    };
    if let Err(problems) = weir_sql::fence(statement, &known) {
        let told = problems.into_iter().map(|it| {
            let code = match it.code {
                ProblemCode::TooLarge => code::OUT_OF_RANGE,
                ProblemCode::UnknownTable => code::BAD_REFERENCE,
                _other => code::BAD_PROGRAM,
            };
            wrong("statement", code, it.to_string())
        });
        errors.extend(told);
    }
}

fn table<'n>(
    field: &str,
    name: &'n str,
    columns: &[JobSqlColumn],
    names: &mut BTreeSet<&'n str>,
    errors: &mut Vec<FieldError>,
) {
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let begins = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    if !begins || name.len() > 63 || !name.chars().all(plain) {
        let detail =
            "A table is called by 1 to 63 letters, digits and underscores, and not first by a digit.";
        errors.push(wrong(&format!("{field}/name"), code::BAD_NAME, detail));
    } else if !names.insert(name) {
        errors.push(wrong(
            &format!("{field}/name"),
            code::BAD_REFERENCE,
            "Two tables have this name.",
        ));
    }
    if columns.len() > COLUMNS_MAX {
        let detail = format!("A table has at most {COLUMNS_MAX} columns.");
        errors.push(wrong(&format!("{field}/columns"), code::OUT_OF_RANGE, detail));
    }
    for (number, column) in columns.iter().take(COLUMNS_MAX).enumerate() {
        if let Err(detail) = weir_sql::columns::kind(&column.kind) {
            let field = format!("{field}/columns/{number}/type");
            errors.push(wrong(&field, code::BAD_PROGRAM, detail));
        }
    }
}

/// Makes the tables, as the agent will.
///
/// # Errors
/// 422 with everything that is wrong.
pub async fn check(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    (sources, sinks): (&[JobSqlSource], &[JobSqlSink]),
    topics: &[UsedTopic],
) -> Result<()> {
    let mut promised: BTreeMap<TopicId, Promised> = BTreeMap::new();
    for topic in topics {
        let found = promised_by(tx, scope, cluster, topic).await?;
        promised.insert(topic.id, found);
    }
    let columns = |said: &[JobSqlColumn], topic: TopicId| {
        let promised = promised.get(&topic).ok_or("there is no such topic")?;
        let said: Vec<Column> = said.iter().map(column).collect();
        match promised {
            Promised::Framed(framed) => {
                let (columns, format) = framed.clone()?;
                if !said.is_empty() && !avro::are_those(&said, &columns) {
                    return Err(
                        "the columns of framed records are those of its contract: say none".to_owned(),
                    );
                }
                Ok((columns, format))
            }
            Promised::Json(_columns) if !said.is_empty() => Ok((said, ValueFormat::Json)),
            Promised::Json(columns) => Ok((columns.clone()?, ValueFormat::Json)),
        }
    };
    let login = Login {
        bootstrap: String::new(),
        tls: None,
        job: String::new(),
        secret: String::new(),
        registry: Relay {
            base: String::new(),
            token: String::new(),
        },
    };
    let mut errors = Vec::new();
    for (number, it) in sources.iter().enumerate() {
        let made = columns(&it.columns, it.topic).and_then(|made| table::source(&source(it, made)?, &login));
        errors.extend(
            made.err()
                .map(|text| wrong(&format!("sources/{number}"), code::BAD_PROGRAM, sentence(&text))),
        );
    }
    for (number, it) in sinks.iter().enumerate() {
        let made =
            columns(&it.columns, it.topic).and_then(|made| table::sink(&sink(it, number, made), &login));
        errors.extend(
            made.err()
                .map(|text| wrong(&format!("sinks/{number}"), code::BAD_PROGRAM, sentence(&text))),
        );
    }
    Error::check(errors)
}

const FRAMED: &str =
    "jobs in SQL read and write framed records in Avro alone; JSON is read and written without a frame";

/// What a topic's contract says of a table: the columns, or why there are none.
enum Promised {
    /// Records have a frame, whatever a job says of columns.
    Framed(std::result::Result<(Vec<Column>, ValueFormat), String>),
    /// They come without one, and a job may say their columns.
    Json(std::result::Result<Vec<Column>, String>),
}

async fn promised_by(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    topic: &UsedTopic,
) -> Result<Promised> {
    let value = topic.contract.as_ref().and_then(|it| it.value);
    let Some(value) = value else {
        return Ok(Promised::Json(Err(
            "the topic has no contract: say its columns".to_owned()
        )));
    };
    let newest = match topic.reads_values() {
        true => contract::newest_value(tx, scope, cluster, &topic.name).await?,
        false => None,
    };
    if value.unframed != Unframed::Json {
        let framed = match newest {
            // The agent has the schema, and says then what it cannot read.
            None => Err("the contract's schema is not known here".to_owned()),
            Some(newest) if newest.schema.format() != weir_contract::Format::Avro => Err(FRAMED.to_owned()),
            Some(newest) => {
                let schema = newest.schema.stored();
                let subject = String::new();
                avro::columns(&schema).map(|it| (it, ValueFormat::AvroConfluent { subject, schema }))
            }
        };
        return Ok(Promised::Framed(framed));
    }
    Ok(Promised::Json(match newest {
        None => Err("the contract's schema is not known here: say the columns".to_owned()),
        Some(newest) => of_schema(&newest.schema, weir_contract::Format::Json),
    }))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn column(column: &JobSqlColumn) -> Column {
    let JobSqlColumn { name, kind } = column;
    Column {
        name: name.clone(),
        kind: kind.clone(),
    }
}

fn source(
    wish: &JobSqlSource,
    (mut columns, format): (Vec<Column>, ValueFormat),
) -> std::result::Result<Source, String> {
    let JobSqlSource {
        name,
        topic,
        start: _,
        columns: _,
        key,
        event_time,
    } = wish;
    let has = |key: &String| columns.iter().any(|it| it.name == *key);
    if format != ValueFormat::Json && key.as_ref().is_some_and(has) {
        return Err("the column that takes the key is one of the value's already".to_owned());
    }
    if let Some(key) = key.clone().filter(|key| !has(key)) {
        columns.push(Column {
            name: key,
            kind: "STRING".to_owned(),
        });
    }
    Ok(Source {
        name: name.clone(),
        topic: topic.to_string(),
        columns,
        format,
        key: key.clone(),
        event_time: event_time.as_ref().map(|it| {
            let JobSqlEventTime {
                column,
                unit,
                delay_ms,
            } = it;
            EventTime {
                column: column.clone(),
                unit: match unit {
                    JobSqlUnit::Milliseconds => TimeUnit::Milliseconds,
                    JobSqlUnit::Seconds => TimeUnit::Seconds,
                },
                delay_ms: delay_ms.unsigned_abs(),
            }
        }),
    })
}

fn sink(wish: &JobSqlSink, number: usize, (columns, format): (Vec<Column>, ValueFormat)) -> Sink {
    let JobSqlSink {
        name,
        topic,
        columns: _,
        key,
        mode,
    } = wish;
    Sink {
        name: name.clone(),
        topic: topic.to_string(),
        columns,
        format,
        key: key.clone(),
        upserts: *mode == JobSqlMode::Upsert,
        number,
    }
}
