//! From a job in SQL as it is wished to a program that Flink can run; or why there is none. Pure.

use std::collections::BTreeSet;

use weir_contract::{Format, NamedSource, Schema as Parsed};
use weir_proto::agent::v1::{
    DesiredState, Job, Reason, Schema, SchemaFormat, SqlColumn, SqlEventTime, SqlProgram, SqlSink, SqlSource,
    Topic,
};
use weir_sql::columns::{Column, of_schema};
use weir_sql::table::{EventTime, Login, Sink, Source, TimeUnit, ValueFormat};
use weir_sql::{Known, Model, Relay, fence};

use super::framed;
use super::program::{Place, Refused, Topics, served};
use crate::flink::beginning::Origin;
use crate::flink::sql_job::Ready;
use crate::models::Schemas;
use crate::processor::hosts;

/// References of a schema, transitively.
const REFERENCES_MAX: usize = 1000;

/// The program of a job in SQL.
///
/// # Errors
/// Why it cannot run.
pub fn program(
    job: &Job,
    sql: &SqlProgram,
    place: &Place<'_>,
    (login, relay): (Login, Relay),
) -> Result<Ready, Refused> {
    let admitted = place.admitted;
    let SqlProgram {
        statement,
        sources,
        sinks,
    } = sql;
    let cluster = served(job, admitted)?;
    let topics = Topics::of(cluster, admitted);
    let known = Known {
        sources: sources.iter().map(|it| it.name.clone()).collect(),
        sinks: sinks.iter().map(|it| it.name.clone()).collect(),
    };
    let names: BTreeSet<&String> = known.sources.union(&known.sinks).collect();
    if names.len() != sources.len() + sinks.len() {
        return Err(refused("two of its tables have one name"));
    }
    let fenced = fence(statement, &known).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        refused(first.unwrap_or_default())
    })?;
    reachable(&fenced.models, place.hosts)?;
    let mut schemas = Schemas::default();
    let mut made = (Vec::new(), Vec::new());
    for it in sources {
        let topic = topics.get(&it.topic_id)?;
        made.0.push(source(it, topic, admitted, &mut schemas)?);
    }
    for (number, it) in sinks.iter().enumerate() {
        let topic = topics.get(&it.topic_id)?;
        made.1.push(sink(number, it, topic, admitted, &mut schemas)?);
    }
    let (sources, sinks) = made;
    let ready = Ready {
        settings: fenced.settings.clone(),
        cluster_id: cluster.id.clone(),
        sources,
        sinks,
        schemas,
        login,
        relay,
        statement: fenced.job(),
        uses_processing_time: fenced.uses_processing_time,
        is_bounded: fenced.is_bounded,
        models: fenced.models,
        views: fenced.views,
    };
    ready.tables().map_err(refused)?;
    Ok(ready)
}

fn refused(text: impl Into<String>) -> Refused {
    Refused::new(Reason::ProgramRefused, text)
}

/// Whom a job asks is the customer's to say.
fn reachable(models: &[Model], allowed: &[String]) -> Result<(), Refused> {
    match models
        .iter()
        .find(|it| !hosts::is_reachable(&it.endpoint, allowed))
    {
        None => Ok(()),
        Some(model) => {
            let place = hosts::shown(&model.endpoint);
            let text = format!("the customer's policy does not let jobs call {place}");
            Err(Refused::new(Reason::PolicyRefused, text))
        }
    }
}

fn source(
    wish: &SqlSource,
    topic: &Topic,
    admitted: &DesiredState,
    schemas: &mut Schemas,
) -> Result<(Source, Origin), Refused> {
    let SqlSource {
        name,
        topic_id: _,
        from_latest,
        columns,
        key_column,
        event_time,
    } = wish;
    let (mut columns, format) = self::columns(columns, (topic, name), admitted, schemas)?;
    let key = Some(key_column.clone()).filter(|it| !it.is_empty());
    framed::keep_apart(&columns, &format, key.as_deref())?;
    // Keys are text, whatever the value says of a column of that name.
    if let Some(key) = key
        .as_ref()
        .filter(|key| columns.iter().all(|it| it.name != **key))
    {
        columns.push(Column {
            name: key.clone(),
            kind: "STRING".to_owned(),
        });
    }
    let event_time = event_time.as_ref().map(|it| {
        let SqlEventTime {
            column,
            counts_seconds,
            delay_ms,
        } = it;
        EventTime {
            column: Some(column.clone()).filter(|it| !it.is_empty()),
            unit: if *counts_seconds {
                TimeUnit::Seconds
            } else {
                TimeUnit::Milliseconds
            },
            delay_ms: *delay_ms,
        }
    });
    let source = Source {
        name: name.clone(),
        topic: topic.name.clone(),
        columns,
        format,
        key,
        event_time,
    };
    let origin = Origin {
        topic_id: topic.id.clone(),
        partitions: topic.partitions,
        from_latest: *from_latest,
    };
    Ok((source, origin))
}

fn sink(
    number: usize,
    wish: &SqlSink,
    topic: &Topic,
    admitted: &DesiredState,
    schemas: &mut Schemas,
) -> Result<Sink, Refused> {
    let SqlSink {
        name,
        topic_id: _,
        columns,
        key_columns,
        upserts,
    } = wish;
    let (columns, format) = self::columns(columns, (topic, name), admitted, schemas)?;
    Ok(Sink {
        name: name.clone(),
        topic: topic.name.clone(),
        columns,
        format,
        key: key_columns.clone(),
        upserts: *upserts,
        number,
    })
}

/// Columns as the job says them, or as the topic's contract does, and how values are written.
fn columns(
    said: &[SqlColumn],
    (topic, table): (&Topic, &str),
    admitted: &DesiredState,
    schemas: &mut Schemas,
) -> Result<(Vec<Column>, ValueFormat), Refused> {
    if framed::is_framed(topic) {
        return framed::columns(said, (topic, table), admitted, schemas);
    }
    let columns = unframed(said, topic, admitted)?;
    Ok((columns, ValueFormat::Json))
}

fn unframed(said: &[SqlColumn], topic: &Topic, admitted: &DesiredState) -> Result<Vec<Column>, Refused> {
    let value = topic.contract.as_ref().and_then(|it| it.value.as_ref());
    if !said.is_empty() {
        let said = said.iter().map(|SqlColumn { name, r#type }| Column {
            name: name.clone(),
            kind: r#type.clone(),
        });
        return Ok(said.collect());
    }
    let Some(value) = value else {
        let text = format!(
            "topic {} has no contract, and the job does not say its columns",
            topic.name
        );
        return Err(refused(text));
    };
    let schema = schema(&value.unframed_schema_id, admitted)
        .ok_or_else(|| refused(format!("the schema of topic {} is not there", topic.name)))?;
    of_schema(&schema, Format::Json).map_err(|text| refused(format!("topic {}: {text}", topic.name)))
}

/// A schema with what it refers to.
fn schema(id: &str, admitted: &DesiredState) -> Option<Parsed> {
    let by_id = |id: &str| admitted.schemas.iter().find(|it| it.id == id);
    let found = by_id(id)?;
    let format = match found.format() {
        SchemaFormat::Avro => Format::Avro,
        SchemaFormat::Json | SchemaFormat::Unspecified => Format::Json,
        SchemaFormat::Protobuf => Format::Protobuf,
    };
    // Dependencies first: what is met later is needed earlier.
    let mut met: Vec<NamedSource> = Vec::new();
    let below = |schema: &Schema| -> Vec<(String, String)> {
        let references = schema.references.iter();
        references.map(|it| (it.name.clone(), it.id.clone())).collect()
    };
    let mut wanted = below(found);
    while let Some((name, id)) = wanted.pop() {
        if met.len() > REFERENCES_MAX {
            return None;
        }
        let schema = by_id(&id)?;
        wanted.extend(below(schema));
        met.push(NamedSource {
            name,
            text: schema.text.clone(),
        });
    }
    met.reverse();
    Parsed::parse(format, &found.text, &met).ok()
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
