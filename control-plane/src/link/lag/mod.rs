//! Lag of watched consumer groups up: the newest of each alert rule. Best effort; a report that is lost is lost.

mod store;

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_proto::agent::v1::{LagLevel, LagOutcome, LagReport};

use self::store::LagRow;
use crate::kernel::{DataPlaneId, Id, Result, kind};
use crate::runtime::{Db, Scope};

/// No group is further behind: JSON numbers end there.
const LAG_MOST: i64 = 1 << 52;

/// Keeps a report. What it says of rules that the data plane does not serve is ignored.
pub(super) async fn keep(db: &Db, data_plane: DataPlaneId, report: LagReport) -> Result<()> {
    let rows = read(report);
    if rows.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    store::keep(&mut tx, data_plane, &rows).await?;
    tx.commit().await
}

/// One row for each rule, so that each is written once.
fn read(report: LagReport) -> Vec<LagRow> {
    let LagReport { levels } = report;
    let rows: BTreeMap<Uuid, LagRow> = levels
        .into_iter()
        .filter_map(row)
        .map(|row| (row.rule, row))
        .collect();
    rows.into_values().collect()
}

fn row(told: LagLevel) -> Option<LagRow> {
    let LagLevel {
        rule_id,
        outcome,
        lag_records,
    } = told;
    let outcome = match LagOutcome::try_from(outcome).ok()? {
        LagOutcome::Measured => "MEASURED",
        LagOutcome::NoCommits => "NO_COMMITS",
        LagOutcome::Withheld => "WITHHELD",
        LagOutcome::Unreachable => "UNREACHABLE",
        LagOutcome::TooMany => "TOO_MANY",
        LagOutcome::Unspecified => return None,
    };
    Some(LagRow {
        rule: rule_id.parse().map(Id::<kind::AlertRule>::uuid).ok()?,
        outcome,
        lag_records: lag_records.clamp(0, LAG_MOST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_once_and_bounded() {
        let level = |rule: u128, outcome: i32, lag_records| LagLevel {
            rule_id: Id::<kind::AlertRule>::from_uuid(Uuid::from_u128(rule)).to_string(),
            outcome,
            lag_records,
        };
        let measured = LagOutcome::Measured.into();
        let nonsense = LagLevel {
            rule_id: "alert_rule_?".into(),
            ..level(1, measured, 1)
        };
        let rows = read(LagReport {
            levels: vec![
                level(1, measured, 5),
                level(1, measured, i64::MAX),
                level(2, measured, -1),
                level(3, LagOutcome::Withheld.into(), 0),
                level(4, 99, 7),
                level(5, 0, 7),
                nonsense,
            ],
        });
        let rows: Vec<_> = rows
            .iter()
            .map(|it| (it.rule.as_u128(), it.outcome, it.lag_records))
            .collect();
        assert_eq!(
            rows,
            [(1, "MEASURED", LAG_MOST), (2, "MEASURED", 0), (3, "WITHHELD", 0)]
        );
    }
}
