//! The words of reports: granularity, grouping, range, and what a caller reaches.

use chrono::{DateTime, Datelike as _, DurationRound as _, Months, TimeDelta, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::DirectoryScope;
use crate::kernel::{Error, Id, Page, PageToken, Result, code, kind};

/// The length of a row's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Granularity {
    /// One hour.
    Hourly,
    /// One day, UTC.
    #[default]
    Daily,
    /// One calendar month, UTC.
    Monthly,
}

impl Granularity {
    /// PostgreSQL's word for it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Hourly => "hour",
            Self::Daily => "day",
            Self::Monthly => "month",
        }
    }

    /// The longest range that may be asked for.
    const fn range_max(self) -> TimeDelta {
        match self {
            Self::Hourly => TimeDelta::days(32),
            Self::Daily => TimeDelta::days(100),
            Self::Monthly => TimeDelta::days(760),
        }
    }
}

/// Which way records went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = UsageDirection)]
pub enum Direction {
    /// Written by producers.
    Produce,
    /// Delivered to consumers.
    Fetch,
}

impl Direction {
    /// Reads the stored word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "PRODUCE" {
            Self::Produce
        } else {
            Self::Fetch
        }
    }

    /// The stored word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Produce => "PRODUCE",
            Self::Fetch => "FETCH",
        }
    }
}

/// What rows may be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The tenants' parent.
    Organization,
    /// The tenant.
    Tenant,
    /// The environment.
    Environment,
    /// The logical cluster.
    Cluster,
    /// The topic.
    Topic,
    /// The service account.
    Principal,
    /// Produce or fetch.
    Direction,
    /// The share, of costs alone.
    Share,
}

impl Dimension {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "organization" => Self::Organization,
            "tenant" => Self::Tenant,
            "environment" => Self::Environment,
            "cluster" => Self::Cluster,
            "topic" => Self::Topic,
            "principal" => Self::Principal,
            "direction" => Self::Direction,
            "share" => Self::Share,
            _unknown => return None,
        })
    }
}

/// The dimensions of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouping(Vec<Dimension>);

impl Grouping {
    /// Reads `tenant,topic`.
    ///
    /// # Errors
    /// 422 naming the dimensions that there are.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let names = text
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let dimensions: Option<Vec<Dimension>> = names.map(Dimension::parse).collect();
        dimensions.map(Self).ok_or_else(|| {
            let detail = "group_by is a list, separated by commas, of organization, tenant, environment, cluster, topic, principal, direction, and for costs share.";
            Error::invalid("?group_by", code::OUT_OF_RANGE, detail)
        })
    }

    /// Is this dimension asked for?
    #[must_use]
    pub fn by(&self, dimension: Dimension) -> bool {
        self.0.contains(&dimension)
    }

    /// Does any dimension divide a tenant?
    #[must_use]
    pub fn divides_tenants(&self) -> bool {
        self.0
            .iter()
            .any(|it| !matches!(it, Dimension::Organization | Dimension::Tenant))
    }
}

/// Only rows of these objects; absent: all that the caller reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one environment.
    pub environment: Option<Uuid>,
    /// Of one cluster.
    pub cluster: Option<Uuid>,
    /// Of one topic.
    pub topic: Option<Uuid>,
    /// Of one service account.
    pub principal: Option<Uuid>,
}

impl Filter {
    /// Does it leave out parts of a tenant?
    #[must_use]
    pub fn divides_tenants(&self) -> bool {
        *self != Self::default()
    }
}

/// Whose usage a caller reaches. Named in every query, beside the row-level policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Within this organization.
    pub organization: Option<Uuid>,
    /// Of this tenant.
    pub tenant: Option<Uuid>,
}

impl Reach {
    /// What a scope reaches, narrowed to the tenant asked for.
    ///
    /// # Errors
    /// 403 when another tenant than the scope's is asked for.
    pub fn new(scope: DirectoryScope, tenant: Option<Id<kind::Tenant>>) -> Result<Self> {
        match (scope.tenant(), tenant) {
            (Some(own), Some(asked)) if own != asked => Err(Error::denied(
                "The request is about one tenant and filters by another.",
            )),
            (own, asked) => Ok(Self {
                organization: scope.organization().map(Id::uuid),
                tenant: own.or(asked).map(Id::uuid),
            }),
        }
    }
}

/// From `start`, inclusive, to `end`, exclusive; whole buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
}

/// One row's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
}

impl TimeRange {
    /// Widens what was asked for to whole buckets; by default the present month until now.
    ///
    /// # Errors
    /// 422 when it is empty or too long.
    pub fn new(
        start: Option<DateTime<Utc>>,
        end: Option<DateTime<Utc>>,
        granularity: Granularity,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let end = end.unwrap_or(now);
        let start = start.unwrap_or_else(|| month_start(end));
        if start >= end {
            return Err(Error::invalid(
                "?start",
                code::OUT_OF_RANGE,
                "start is before end.",
            ));
        }
        if end - start > granularity.range_max() {
            let days = granularity.range_max().num_days();
            let detail = format!("At this granularity a report covers at most {days} days.");
            return Err(Error::invalid("?start", code::OUT_OF_RANGE, detail));
        }
        let bucket = Bucket::of(end, granularity);
        let end = if bucket.start == end { end } else { bucket.end };
        Ok(Self {
            start: bucket_start(start, granularity),
            end,
        })
    }

    /// Does it hold this hour?
    #[must_use]
    pub fn holds(&self, hour: DateTime<Utc>) -> bool {
        self.start <= hour && hour < self.end
    }
}

impl Bucket {
    /// The bucket that holds `at`.
    #[must_use]
    pub fn of(at: DateTime<Utc>, granularity: Granularity) -> Self {
        let start = bucket_start(at, granularity);
        let end = match granularity {
            Granularity::Hourly => start + TimeDelta::hours(1),
            Granularity::Daily => start + TimeDelta::days(1),
            Granularity::Monthly => start + Months::new(1),
        };
        Self { start, end }
    }
}

/// Where the bucket that holds `at` begins.
#[must_use]
pub fn bucket_start(at: DateTime<Utc>, granularity: Granularity) -> DateTime<Utc> {
    let length = match granularity {
        Granularity::Hourly => TimeDelta::hours(1),
        Granularity::Daily => TimeDelta::days(1),
        Granularity::Monthly => return month_start(at),
    };
    // Only times centuries from now cannot be cut.
    at.duration_trunc(length).unwrap_or(at)
}

/// The first moment of the month that holds `at`.
#[must_use]
pub fn month_start(at: DateTime<Utc>) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(at.year(), at.month(), 1, 0, 0, 0)
        .single()
        .unwrap_or(at)
}

/// The first moment after the month that holds `at`, or `at` itself when it begins one.
#[must_use]
pub fn month_end(at: DateTime<Utc>) -> DateTime<Utc> {
    let start = month_start(at);
    if start == at { at } else { start + Months::new(1) }
}

/// How many rows of a report lie before a page. Rows of a report have no ids: its tokens count.
///
/// # Errors
/// 422 for a token that no report gave out.
pub fn offset(page: Page) -> Result<i64> {
    i64::try_from(page.after().as_u128()).map_err(|_not_a_count| {
        let detail = "The page token is not one that this list gave out; start without one.";
        Error::invalid("?page_token", code::BAD_PAGE_TOKEN, detail)
    })
}

/// Cuts the extra row off, and makes the token of the next page when there was one.
pub fn cut<T>(page: Page, offset: i64, rows: &mut Vec<T>) -> Option<String> {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = u128::try_from(offset.saturating_add(page.size))
        .ok()
        .filter(|_| more)?;
    Some(PageToken::after(Uuid::from_u128(next)).encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_widened_to_whole_buckets() {
        let now = at("2026-11-21T05:17:00Z");
        let range = |start: Option<&str>, end: Option<&str>, granularity| {
            TimeRange::new(start.map(at), end.map(at), granularity, now)
                .map(|it| (it.start, it.end))
                .ok()
        };
        let (start, end) = (Some("2026-11-20T05:17:00Z"), Some("2026-11-21T00:00:00Z"));
        let hourly = Some((at("2026-11-20T05:00:00Z"), at("2026-11-21T00:00:00Z")));
        assert_eq!(range(start, end, Granularity::Hourly), hourly);
        let daily = Some((at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z")));
        assert_eq!(range(start, end, Granularity::Daily), daily);
        let monthly = Some((at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")));
        assert_eq!(range(start, end, Granularity::Monthly), monthly);
        assert_eq!(
            range(None, None, Granularity::Daily),
            Some((at("2026-11-01T00:00:00Z"), at("2026-11-22T00:00:00Z")))
        );
        assert_eq!(range(end, start, Granularity::Daily), None);
        assert_eq!(
            range(Some("2026-01-01T00:00:00Z"), None, Granularity::Hourly),
            None
        );
    }

    #[test]
    fn groupings() {
        assert_eq!(Grouping::parse(None).unwrap(), Grouping::default());
        let both = Grouping::parse(Some("tenant, topic")).unwrap();
        assert!(both.by(Dimension::Tenant) && both.by(Dimension::Topic) && !both.by(Dimension::Cluster));
        assert!(both.divides_tenants());
        assert!(
            !Grouping::parse(Some("organization,tenant"))
                .unwrap()
                .divides_tenants()
        );
        assert!(Grouping::parse(Some("team")).is_err());
    }
}
