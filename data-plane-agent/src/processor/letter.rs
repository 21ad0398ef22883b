//! Why a record is a dead letter, as headers: those of the field's clients, and ours. Pure.
//!
//! The record itself, key, value and its own headers, is as it came.

use super::engine::{DeadLetterCode, Record};
use crate::dead_letters::headers::{
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TIMESTAMP, RULE_EXCEPTION, RULE_MODE, RULE_NAME, RULE_TOPIC,
};

/// Which job.
const JOB: &str = "__weir.job";
/// Which of its versions.
const JOB_VERSION: &str = "__weir.job.version";
/// Which step, counted from 1; not there: none of them.
const JOB_STEP: &str = "__weir.job.step";
/// Headers of ours begin so: what an earlier agent of ours wrote is not carried on.
const OURS: [&str; 2] = ["__weir.", "__rule."];

/// The job that could not go on with a record.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub job: &'a str,
    pub version: u32,
}

/// The headers that say why.
#[must_use]
pub fn why(
    writer: Writer<'_>,
    record: &Record<'_>,
    step: Option<usize>,
    code: DeadLetterCode,
    sentence: &str,
) -> Vec<(&'static str, String)> {
    let mut why = vec![
        (RULE_NAME, code.as_str().to_owned()),
        (RULE_MODE, "READ".to_owned()),
        (RULE_TOPIC, record.topic.to_owned()),
        (RULE_EXCEPTION, sentence.to_owned()),
        (ORIGIN_PARTITION, record.partition.to_string()),
        (ORIGIN_OFFSET, record.offset.to_string()),
        (ORIGIN_TIMESTAMP, record.timestamp_ms.to_string()),
        (JOB, writer.job.to_owned()),
        (JOB_VERSION, writer.version.to_string()),
    ];
    why.extend(step.map(|it| (JOB_STEP, it.to_string())));
    why
}

/// Does a header of the record go on with it?
#[must_use]
pub fn carries_on(name: &str) -> bool {
    !OURS.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_where_it_comes_from_and_why() {
        let record = Record {
            topic: "orders",
            partition: 3,
            offset: 41,
            timestamp_ms: 1000,
            key: None,
            value: Some(b"x"),
            headers: &[],
        };
        let writer = Writer {
            job: "job_1",
            version: 2,
        };
        let told = why(writer, &record, Some(2), DeadLetterCode::Expression, "No number.");
        let of = |name: &str| told.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
        assert_eq!(of("__rule.name"), Some("EXPRESSION"));
        assert_eq!(of("__rule.topic"), Some("orders"));
        assert_eq!(of("__weir.origin.offset"), Some("41"));
        assert_eq!(
            (of("__weir.job"), of("__weir.job.step")),
            (Some("job_1"), Some("2"))
        );
        let none = why(writer, &record, None, DeadLetterCode::NotDecodable, "No JSON.");
        assert!(none.iter().all(|it| it.0 != JOB_STEP));
        assert!(carries_on("trace") && !carries_on("__weir.violation") && !carries_on("__rule.name"));
    }
}
