//! What gateways judged by topics' contracts: counts of a few seconds, kept by minutes. Best effort; a report that is lost is lost.

mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;
use weir_proto::agent::v1::{
    ContractReport, Enforcement, RecordPart, TopicJudged, ViolationCount, ViolationKind,
};

use self::store::{JudgedRow, ViolationRow};
use crate::kernel::{DataPlaneId, Id, Result, ServiceAccountId, kind};
use crate::runtime::{Db, Scope};

/// How long reports are kept.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// A report that claims to be of another time than now is of a wrong clock: it is taken as of now.
const CLOCK_WRONG: TimeDelta = TimeDelta::minutes(2);
/// No gateway judges so many records between two reports.
const COUNT_MAX: u64 = 1 << 44;
/// No schema has so many rules.
const RULE_MAX: u32 = 10_000;

/// Keeps a report. What it says of topics that the data plane does not serve is ignored.
pub(super) async fn keep(
    db: &Db,
    data_plane: DataPlaneId,
    report: ContractReport,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(Told {
        minute,
        judged,
        violations,
    }) = read(report, now)
    else {
        return Ok(());
    };
    if judged.is_empty() && violations.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    store::add_judged(&mut tx, data_plane, minute, &judged).await?;
    store::add_violations(&mut tx, data_plane, minute, &violations).await?;
    store::forget(&mut tx, data_plane, now - KEPT).await?;
    tx.commit().await
}

/// A report that could be read.
struct Told {
    minute: DateTime<Utc>,
    judged: Vec<JudgedRow>,
    violations: Vec<ViolationRow>,
}

fn read(report: ContractReport, now: DateTime<Utc>) -> Option<Told> {
    let ContractReport {
        started_at_unix_ms: _,
        ended_at_unix_ms,
        topics,
        violations,
    } = report;
    let ended_at = ours(DateTime::from_timestamp_millis(ended_at_unix_ms)?, now);
    let minute = ended_at.duration_trunc(TimeDelta::minutes(1)).ok()?;
    // One row for each key, so that each is written once.
    let mut judged: BTreeMap<Uuid, JudgedRow> = BTreeMap::new();
    for row in topics.into_iter().filter_map(|it| topic(it, now)) {
        judged.entry(row.topic).or_insert(row);
    }
    let mut kept: BTreeMap<_, ViolationRow> = BTreeMap::new();
    for row in violations.into_iter().filter_map(violation) {
        kept.entry(row.key()).or_insert(row);
    }
    Some(Told {
        minute,
        judged: judged.into_values().collect(),
        violations: kept.into_values().collect(),
    })
}

/// A moment by our clock.
fn ours(told: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if (now - told).abs() > CLOCK_WRONG {
        now
    } else {
        told
    }
}

fn count(told: u64) -> i64 {
    told.min(COUNT_MAX).cast_signed()
}

fn topic(told: TopicJudged, now: DateTime<Utc>) -> Option<JudgedRow> {
    let TopicJudged {
        topic_id,
        records,
        violating,
        last_record_at_unix_ms,
    } = told;
    let last = (last_record_at_unix_ms > 0)
        .then(|| DateTime::from_timestamp_millis(last_record_at_unix_ms))
        .flatten();
    Some(JudgedRow {
        topic: topic_id.parse().map(Id::<kind::Topic>::uuid).ok()?,
        records: count(records),
        violating: count(violating.min(records)),
        last_record_at: last.map(|it| it.min(now)),
    })
}

fn violation(told: ViolationCount) -> Option<ViolationRow> {
    let part = match told.part() {
        RecordPart::Key => "KEY",
        RecordPart::Value => "VALUE",
        RecordPart::Unspecified => return None,
    };
    let enforcement = match told.enforcement() {
        Enforcement::Shadow => "SHADOW",
        Enforcement::Mark => "MARK",
        Enforcement::Dlq => "DLQ",
        Enforcement::Reject => "REJECT",
        Enforcement::Unspecified | Enforcement::Off => return None,
    };
    let kind = kind_name(told.kind())?;
    let ViolationCount {
        topic_id,
        principal_id,
        part: _,
        schema,
        kind: _,
        rule,
        enforcement: _,
        records,
    } = told;
    let schema = if schema.is_empty() {
        Uuid::nil()
    } else {
        schema.parse().map(Id::<kind::ContractSchema>::uuid).ok()?
    };
    if records == 0 || rule > RULE_MAX {
        return None;
    }
    Some(ViolationRow {
        topic: topic_id.parse().map(Id::<kind::Topic>::uuid).ok()?,
        principal: principal_id.parse().map(ServiceAccountId::uuid).ok()?,
        part,
        schema,
        kind,
        rule: i32::try_from(rule).ok()?,
        enforcement,
        records: count(records),
    })
}

const fn kind_name(kind: ViolationKind) -> Option<&'static str> {
    Some(match kind {
        ViolationKind::Unspecified => return None,
        ViolationKind::NoFrame => "NO_FRAME",
        ViolationKind::UnknownSchema => "UNKNOWN_SCHEMA",
        ViolationKind::NotDecodable => "NOT_DECODABLE",
        ViolationKind::Schema => "SCHEMA",
        ViolationKind::Condition => "CONDITION",
        ViolationKind::RuleError => "RULE_ERROR",
        ViolationKind::Cost => "COST",
        ViolationKind::UnknownRuleType => "UNKNOWN_RULE_TYPE",
        ViolationKind::Missing => "MISSING",
        ViolationKind::TooLarge => "TOO_LARGE",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDED: i64 = 1_790_000_010_000;

    fn id<K: crate::kernel::Kind>(bits: u128) -> String {
        Id::<K>::from_uuid(Uuid::from_u128(bits)).to_string()
    }

    fn told() -> ViolationCount {
        ViolationCount {
            topic_id: id::<kind::Topic>(1),
            principal_id: id::<kind::ServiceAccount>(2),
            part: RecordPart::Value.into(),
            schema: id::<kind::ContractSchema>(3),
            kind: ViolationKind::Condition.into(),
            rule: 1,
            enforcement: Enforcement::Reject.into(),
            records: 7,
        }
    }

    #[test]
    fn a_report_is_read_once_bounded_and_by_our_clock() {
        let now = DateTime::from_timestamp_millis(ENDED).unwrap();
        let judged = TopicJudged {
            topic_id: id::<kind::Topic>(1),
            records: u64::MAX,
            violating: u64::MAX,
            last_record_at_unix_ms: i64::from(u32::MAX) * 1000,
        };
        let nonsense = TopicJudged {
            topic_id: "topic_?".into(),
            ..judged.clone()
        };
        let report = |ended_at_unix_ms| ContractReport {
            started_at_unix_ms: 0,
            ended_at_unix_ms,
            topics: vec![judged.clone(), nonsense.clone(), judged.clone()],
            violations: vec![told(), told()],
        };
        let read_now = read(report(ENDED), now).unwrap();
        assert_eq!(read_now.minute.timestamp() % 60, 0);
        assert!(read_now.minute <= now && now - read_now.minute < TimeDelta::minutes(1));
        assert_eq!((read_now.judged.len(), read_now.violations.len()), (1, 1));
        let row = &read_now.judged[0];
        assert_eq!(
            (row.records, row.violating, row.last_record_at),
            (COUNT_MAX.cast_signed(), COUNT_MAX.cast_signed(), Some(now))
        );
        // A wrong clock does not write into another time.
        assert_eq!(read(report(1_000), now).unwrap().minute, read_now.minute);
    }

    #[test]
    fn what_is_no_violation_is_not_kept() {
        assert!(violation(told()).is_some());
        let unknown = ViolationCount {
            schema: String::new(),
            ..told()
        };
        assert_eq!(violation(unknown).unwrap().schema, Uuid::nil());
        let wrong = [
            ViolationCount { records: 0, ..told() },
            ViolationCount { part: 9, ..told() },
            ViolationCount { kind: 99, ..told() },
            ViolationCount {
                enforcement: Enforcement::Off.into(),
                ..told()
            },
            ViolationCount {
                rule: u32::MAX,
                ..told()
            },
            ViolationCount {
                schema: "payments".into(),
                ..told()
            },
            ViolationCount {
                principal_id: id::<kind::Topic>(2),
                ..told()
            },
        ];
        for told in wrong {
            assert!(violation(told.clone()).is_none(), "{told:?}");
        }
    }
}
