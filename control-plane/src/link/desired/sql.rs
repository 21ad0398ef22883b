//! Programs in SQL as the agent is told of them.

use weir_proto::agent::v1::{SqlColumn, SqlEventTime, SqlProgram, SqlSink, SqlSource};

use crate::resources::job::{
    JobSqlColumn, JobSqlEventTime, JobSqlMode, JobSqlSink, JobSqlSource, JobSqlUnit, JobStart,
};

pub(super) fn sql(statement: String, sources: Vec<JobSqlSource>, sinks: Vec<JobSqlSink>) -> SqlProgram {
    SqlProgram {
        statement,
        sources: sources.into_iter().map(source).collect(),
        sinks: sinks.into_iter().map(sink).collect(),
    }
}

fn source(source: JobSqlSource) -> SqlSource {
    let JobSqlSource {
        name,
        topic,
        start,
        columns,
        key,
        event_time,
    } = source;
    SqlSource {
        name,
        topic_id: topic.to_string(),
        from_latest: start == JobStart::Latest,
        columns: columns.into_iter().map(column).collect(),
        key_column: key.unwrap_or_default(),
        event_time: event_time.map(
            |JobSqlEventTime {
                 column,
                 unit,
                 delay_ms,
             }| SqlEventTime {
                column: column.unwrap_or_default(),
                counts_seconds: unit == JobSqlUnit::Seconds,
                delay_ms: delay_ms.unsigned_abs(),
            },
        ),
    }
}

fn sink(sink: JobSqlSink) -> SqlSink {
    let JobSqlSink {
        name,
        topic,
        columns,
        key,
        mode,
    } = sink;
    SqlSink {
        name,
        topic_id: topic.to_string(),
        columns: columns.into_iter().map(column).collect(),
        key_columns: key,
        upserts: mode == JobSqlMode::Upsert,
    }
}

fn column(column: JobSqlColumn) -> SqlColumn {
    let JobSqlColumn { name, kind } = column;
    SqlColumn { name, r#type: kind }
}
