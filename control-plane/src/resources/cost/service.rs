//! Reads usage and cards in one snapshot, and rates.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::DirectoryScope;
use crate::kernel::{ClusterId, Error, Result, code};
use crate::resources::cost::api::CostRow;
use crate::resources::cost::rating::{TooLarge, rate};
use crate::resources::cost::{report, shares};
use crate::resources::rate_card;
use crate::resources::share::bill;
use crate::resources::usage::{self, Report, TimeRange, month_end, month_start};
use crate::runtime::App;

/// The most rows of hourly usage that one report may be made of.
const ROWS_MAX: i64 = 1_000_000;

/// Every row of a report, and how far it can be relied on.
pub async fn rows(
    app: &App,
    scope: DirectoryScope,
    asked: &Report,
) -> Result<(Vec<CostRow>, Option<DateTime<Utc>>, Vec<ClusterId>)> {
    // Tiers count over whole months.
    let months = TimeRange {
        start: month_start(asked.range.start),
        end: month_end(asked.range.end),
    };
    let mut tx = app.db.snapshot(&scope.scope()).await?;
    let sums = usage::hour_sums(&mut tx, months, asked.reach, ROWS_MAX + 1).await?;
    check_size(sums.len())?;
    let divided = asked.grouping.divides_tenants() || asked.filter.divides_tenants();
    let parts = if divided {
        let parts = usage::hour_parts(&mut tx, asked.range, asked.reach, ROWS_MAX + 1).await?;
        check_size(parts.len())?;
        Some(parts)
    } else {
        None
    };
    let cards = rate_card::all(&mut tx, months.end).await?;
    let complete_until = usage::complete_until(&mut tx, asked.reach).await?;
    let unmetered = usage::unmetered(&mut tx, asked).await?;
    let uses = bill::uses(&mut tx, months, asked.reach, ROWS_MAX + 1).await?;
    check_size(uses.len())?;
    let times = bill::times(&mut tx, months, asked.reach, ROWS_MAX + 1).await?;
    check_size(times.len())?;
    let prices = bill::prices(&mut tx, &shares::shares_of(&uses, &times), months.end).await?;
    tx.commit().await?;

    let organizations: BTreeMap<Uuid, Option<Uuid>> =
        sums.iter().map(|sum| (sum.tenant, sum.organization)).collect();
    let cards: Vec<_> = cards.into_iter().map(report::card).collect();
    let lines = rate(&report::totals(&sums), &cards).map_err(too_large)?;
    let shared = shares::rate(&uses, &times, &prices, Utc::now()).map_err(too_large)?;
    let rows = report::rows(asked, &lines, parts.as_deref(), &organizations, &shared).map_err(too_large)?;
    Ok((rows, complete_until, unmetered))
}

/// An amount that no decimal holds: absurd usage, and our fault to have let it in.
pub fn too_large(error: TooLarge) -> Error {
    Error::internal(error)
}

fn check_size(rows: usize) -> Result<()> {
    if i64::try_from(rows).is_ok_and(|rows| rows <= ROWS_MAX) {
        return Ok(());
    }
    let detail = "The report covers too much: choose a shorter time, or one tenant.";
    Err(Error::invalid("?start", code::OUT_OF_RANGE, detail))
}
