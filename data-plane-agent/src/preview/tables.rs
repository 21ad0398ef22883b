//! The tables that a job in SQL sees, as `SHOW TABLES` and `DESCRIBE` would tell them.

use serde::Serialize;
use weir_sql::Relay;
use weir_sql::columns::Column;
use weir_sql::table::{Login, ValueFormat};

use super::{Previews, Refusal};
use crate::resources::job::{Place, sql};

/// All tables of one job.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Tables {
    job: String,
    version: u32,
    /// They.
    pub tables: Vec<Table>,
}

/// One of them.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Table {
    /// Its name in the program.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// `SOURCE` or `SINK`.
    pub is: &'static str,
    /// `JSON`, or `AVRO` behind a frame.
    format: &'static str,
    /// Its columns.
    pub columns: Vec<Described>,
    /// The column that the key of a record goes into.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Windows may go by it.
    event_time: bool,
}

/// A column.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// Its type, in Flink's words.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Previews {
    /// The tables of a job.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn tables(&self, id: &str) -> Result<Tables, Refusal> {
        let ground = self.ground.load_full();
        let jobs = ground.admitted.jobs.iter();
        let mut jobs = jobs.filter(|it| it.id == id && !it.deleted);
        let job = jobs.next().ok_or(Refusal::Unknown)?;
        let Some(program) = &job.sql else {
            let text = "The job is none in SQL: it has no tables.";
            return Err(Refusal::Asked(text.to_owned()));
        };
        let place = Place {
            admitted: &ground.admitted,
            hosts: &ground.hosts,
        };
        // Nobody goes anywhere with these: only the columns are looked at.
        let nowhere = || Relay {
            base: String::new(),
            token: String::new(),
        };
        let login = Login {
            bootstrap: String::new(),
            tls: None,
            job: job.id.clone(),
            secret: String::new(),
            registry: nowhere(),
        };
        let ready =
            sql::program(job, program, &place, (login, nowhere())).map_err(|refused| Refusal::Steps {
                reason: refused.reason.as_str_name().trim_start_matches("REASON_"),
                text: refused.text,
            })?;
        let sources = ready.sources.into_iter().map(|(it, _origin)| Table {
            event_time: it.event_time.is_some(),
            is: "SOURCE",
            format: word(&it.format),
            columns: described(it.columns),
            key: it.key,
            name: it.name,
            topic: it.topic,
        });
        let sinks = ready.sinks.into_iter().map(|it| Table {
            event_time: false,
            is: "SINK",
            format: word(&it.format),
            columns: described(it.columns),
            key: None,
            name: it.name,
            topic: it.topic,
        });
        Ok(Tables {
            job: job.id.clone(),
            version: job.version,
            tables: sources.chain(sinks).collect(),
        })
    }
}

const fn word(format: &ValueFormat) -> &'static str {
    match format {
        ValueFormat::Json => "JSON",
        ValueFormat::AvroConfluent { .. } => "AVRO",
    }
}

fn described(columns: Vec<Column>) -> Vec<Described> {
    let one = |Column { name, kind }| Described { name, kind };
    columns.into_iter().map(one).collect()
}
