//! Records of JSON, judged as a gateway would judge what a producer makes of them.

use serde::{Deserialize, Serialize};
use weir_contract::value::encode::Encoder;
use weir_contract::verdict::{Contract, JudgeLimits, Place, ViolationKind};

use crate::draft::{Draft, Problem, problems};

/// Records that one request may have judged.
const RECORDS_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judge {
    draft: Draft,
    records: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Judged {
    /// Its place among those that were asked about, counted from 0.
    record: usize,
    valid: bool,
    violations: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    path: String,
    reason: String,
    /// What the record holds where that explains it: it is shown to whoever typed the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub fn judge(asked: &Judge) -> Result<Vec<Judged>, Vec<Problem>> {
    let document = asked.draft.clone().document();
    let contract = document.compile(JudgeLimits::DEFAULT).map_err(problems)?;
    let schema = document.parsed_schema().map_err(problems)?;
    let Some(encoder) = Encoder::new(&schema) else {
        let message = "the schema has no message that a record could be of";
        return Err(vec![Problem::of_schema(message)]);
    };
    let records = asked.records.iter().take(RECORDS_MAX).enumerate();
    let judged = records.map(|(record, text)| {
        let violations = violations(&contract, &encoder, text);
        Judged {
            record,
            valid: violations.is_empty(),
            violations,
        }
    });
    Ok(judged.collect())
}

fn violations(contract: &Contract, encoder: &Encoder, text: &str) -> Vec<Told> {
    match encoder.encode(text.as_bytes()) {
        Err(error) => vec![Told {
            kind: ViolationKind::NotDecodable.as_str(),
            rule: None,
            path: error.error.path,
            reason: error.error.reason,
            detail: error.detail,
        }],
        Ok(payload) => {
            let found = contract.judge_all(&[], &payload, Place::Gateway);
            let told = found.into_iter().map(|violation| Told {
                kind: violation.kind.as_str(),
                rule: violation.rule.as_deref().map(str::to_owned),
                detail: violation.detail().map(str::to_owned),
                path: violation.path,
                reason: violation.reason,
            });
            told.collect()
        }
    }
}
