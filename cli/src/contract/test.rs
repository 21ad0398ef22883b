//! `weir contract test`: the gateway's verdict on a laptop.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde::Serialize;
use weir_contract::document::Enforcement;
use weir_contract::rules::Action;
use weir_contract::value::encode::Encoder;
use weir_contract::verdict::{Contract, JudgeLimits, Violation, ViolationKind};
use weir_contract::{Format, verdict, wire};

use super::file;
use super::lines::{LINE_BYTES_MAX, Line, Lines};
use crate::output::{Outcome, Output, Printer};

/// How many rules the summary names.
const RULES_TOLD: usize = 1_000;

/// Examples, and what the long help says beyond the options.
pub const LONG: &str = r#"Examples:
  weir contract test payment.yaml --data records.jsonl
  kcat -b localhost:9092 -t payments -C -e | weir contract test payment.yaml --data -
  weir contract test payment.yaml --data records.b64 --format framed-base64 --output json

Records stand one a line; blank lines are passed over, and a record's number is that of its line.
For Avro and Protobuf contracts JSON lines are encoded first (Avro's "JSON Encoding", ProtoJSON), then
judged as the bytes that a producer would send. Nothing is sent anywhere, and no schema is fetched.

Exit codes:
  0  every record is as the contract wants it
  1  at least one is not
  2  the command line or a file is wrong; the message names line and column where there is one"#;

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The contract: a YAML or JSON file of Weir, an ODCS document or an AsyncAPI document.
    contract: PathBuf,
    /// Which contract of a document that has several.
    #[arg(long)]
    subject: Option<String>,
    /// The records, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// How a record stands on its line.
    #[arg(long, value_enum, default_value_t = DataFormat::Json)]
    format: DataFormat,
    /// In whose place the records are judged.
    #[arg(long, value_enum, default_value_t = PlaceName::Gateway)]
    place: PlaceName,
    /// How the verdicts are written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Add what the record holds where that explains a violation; it may quote personal data.
    #[arg(long)]
    detail: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DataFormat {
    /// JSON; encoded first if the contract's schema is Avro or Protobuf.
    Json,
    /// The bytes of a record without a frame, in base64.
    Base64,
    /// The bytes with the frame of the registry's serializers (0 and an id, or 1 and a GUID) in base64; the id is not compared.
    FramedBase64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlaceName {
    /// Between producer and broker: conditions run whatever clients do.
    Gateway,
    /// In a producer: conditions run unless `enableAt` leaves clients out.
    Client,
    /// In a job that reads: conditions of mode READ, in the opposite order.
    Processor,
}

impl From<PlaceName> for verdict::Place {
    fn from(place: PlaceName) -> Self {
        match place {
            PlaceName::Gateway => Self::Gateway,
            PlaceName::Client => Self::Client,
            PlaceName::Processor => Self::Processor,
        }
    }
}

/// A violation as it is written.
#[derive(Serialize)]
struct Told<'t> {
    record: u64,
    path: &'t str,
    rule: Option<&'t str>,
    kind: &'static str,
    action: &'t str,
    reason: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'t str>,
}

/// What stands at the end.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    records: u64,
    violating: u64,
    violations: u64,
    /// By rule; what the schema says stands under its kind.
    by_rule: BTreeMap<String, u64>,
}

/// Judges every record.
///
/// # Errors
/// If the contract or the file of records cannot be read.
pub fn run(args: &TestArgs) -> anyhow::Result<Outcome> {
    let path = args.contract.display();
    let document = file::contract(&args.contract, args.subject.as_deref())?;
    let contract = document
        .compile(JudgeLimits::DEFAULT)
        .with_context(|| path.to_string())?;
    let schema = document.parsed_schema().with_context(|| path.to_string())?;
    let Some(encoder) = Encoder::new(&schema) else {
        bail!("{path}: the schema has no message that a record could be of");
    };
    let mut run = Run {
        args,
        contract,
        encoder,
        printer: Printer::new(),
        summary: Summary::default(),
    };
    let mut lines = Lines::open(&args.data)?;
    while let Some(line) = lines.next().with_context(|| args.data.display().to_string())? {
        run.line(&line)?;
    }
    run.end(document.enforcement)?;
    Ok(Outcome::broken_if(run.summary.violating > 0))
}

struct Run<'r> {
    args: &'r TestArgs,
    contract: Contract,
    encoder: Encoder,
    printer: Printer,
    summary: Summary,
}

/// What a line is before it is judged.
type Payload<'l> = Result<(Vec<u32>, Cow<'l, [u8]>), Unread>;

/// A line that is no record at all.
struct Unread {
    path: String,
    reason: String,
    detail: Option<String>,
}

impl Unread {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            reason: reason.into(),
            detail: None,
        }
    }
}

impl Run<'_> {
    fn line(&mut self, line: &Line<'_>) -> anyhow::Result<()> {
        self.summary.records += 1;
        let (number, payload) = match line {
            Line::Record(number, line) => (*number, self.payload(line)),
            Line::TooLong(number) => {
                let reason = format!("the line is longer than {LINE_BYTES_MAX} bytes");
                (*number, Err(Unread::new(reason)))
            }
        };
        match payload {
            Ok((indexes, payload)) => {
                let found = self
                    .contract
                    .judge_all(&indexes, &payload, self.args.place.into());
                self.summary.violating += u64::from(!found.is_empty());
                for violation in &found {
                    self.violation(number, violation)?;
                }
            }
            Err(Unread { path, reason, detail }) => {
                self.summary.violating += 1;
                self.tell(&Told {
                    record: number,
                    path: &path,
                    rule: None,
                    kind: ViolationKind::NotDecodable.as_str(),
                    action: "ERROR",
                    reason: &reason,
                    detail: detail.as_deref(),
                })?;
            }
        }
        Ok(())
    }

    fn payload<'l>(&self, line: &'l [u8]) -> Payload<'l> {
        if self.args.format == DataFormat::Json {
            return match self.encoder.encode(line) {
                Ok(payload) => Ok((Vec::new(), payload)),
                Err(error) => Err(Unread {
                    path: error.error.path,
                    reason: error.error.reason,
                    detail: error.detail,
                }),
            };
        }
        let bytes = STANDARD
            .decode(line)
            .map_err(|error| Unread::new(format!("the line is no base64: {error}")))?;
        if self.args.format == DataFormat::Base64 {
            return Ok((Vec::new(), Cow::Owned(bytes)));
        }
        let told = |error: wire::FrameError| Unread::new(error.to_string());
        let framed = wire::unframe(&bytes).map_err(told)?;
        let (indexes, body) = if self.contract.format() == Format::Protobuf {
            framed.message().map_err(told)?
        } else {
            (Vec::new(), framed.body)
        };
        Ok((indexes, Cow::Owned(body.to_vec())))
    }

    fn violation(&mut self, record: u64, violation: &Violation) -> anyhow::Result<()> {
        let action = match &violation.action {
            Action::None => "NONE",
            Action::Error => "ERROR",
            Action::Dlq => "DLQ",
            Action::Custom(name) => name,
        };
        self.tell(&Told {
            record,
            path: &violation.path,
            rule: violation.rule.as_deref(),
            kind: violation.kind.as_str(),
            action,
            reason: &violation.reason,
            detail: violation.detail(),
        })
    }

    fn tell(&mut self, told: &Told<'_>) -> anyhow::Result<()> {
        self.summary.violations += 1;
        let by = told.rule.unwrap_or(told.kind);
        let rules = &mut self.summary.by_rule;
        if let Some(count) = rules.get_mut(by) {
            *count += 1;
        } else if rules.len() < RULES_TOLD {
            rules.insert(by.to_owned(), 1);
        }
        let detail = told.detail.filter(|_detail| self.args.detail);
        let line = match self.args.output {
            Output::Json => serde_json::to_string(&Told { detail, ..*told })?,
            Output::Text => {
                let path = if told.path.is_empty() { "-" } else { told.path };
                let rule = told.rule.unwrap_or("-");
                let more = detail.map(|detail| format!(" [{detail}]")).unwrap_or_default();
                format!(
                    "record {}: {path}: {rule}: {}: {}{more}",
                    told.record, told.kind, told.reason
                )
            }
        };
        Ok(self.printer.line(&shown(&line))?)
    }

    fn end(&mut self, enforcement: Option<Enforcement>) -> anyhow::Result<()> {
        let Summary {
            records,
            violating,
            violations,
            by_rule,
        } = &self.summary;
        if self.args.output == Output::Json {
            let line = serde_json::to_string(&serde_json::json!({ "summary": &self.summary }))?;
            self.printer.line(&line)?;
        } else {
            for (rule, count) in by_rule {
                self.printer.line(&shown(&format!("{count} x {rule}")))?;
            }
            let records = counted(*records, "record");
            let violations = counted(*violations, "violation");
            let line = if *violating == 0 {
                format!("{records}: all as the contract wants them")
            } else {
                format!("{records}: {violating} not as the contract wants, {violations}")
            };
            self.printer.line(&line)?;
            if let (Some(enforcement), true) = (enforcement, *violating > 0) {
                self.printer
                    .line(&format!("enforcement {enforcement}: {}", followed(enforcement)))?;
            }
        }
        Ok(self.printer.flush()?)
    }
}

/// What a gateway would do with the records that break the contract.
const fn followed(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Off => "a gateway would not look",
        Enforcement::Shadow => "a gateway would count them and let them pass",
        Enforcement::Mark => "a gateway would mark them and let them pass",
        Enforcement::Dlq => "a gateway would withhold them from consumers, as dead letters",
        Enforcement::Reject => "a gateway would refuse the batches that they stand in",
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A line as a terminal may show it: names come from files of others.
fn shown(line: &str) -> String {
    line.chars()
        .map(|it| if it.is_control() { '\u{fffd}' } else { it })
        .collect()
}
