//! `/v1/usage`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, DirectoryScope, ReadDirectory};
use crate::kernel::{Error, Id, Kind, Result, code, kind};
use crate::resources::usage::api::{ReportMetadata, UsageList};
use crate::resources::usage::model::{
    Dimension, Filter, Granularity, Grouping, Reach, TimeRange, cut, offset,
};
use crate::resources::usage::store;
use crate::rest::{Listed, PageQuery, Queried};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a report is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// From here, widened to a whole bucket; by default the beginning of the month.
    start: Option<DateTime<Utc>>,
    /// Up to here, widened to a whole bucket; by default now.
    end: Option<DateTime<Utc>>,
    /// The length of a row's time.
    #[serde(default)]
    #[param(inline)]
    granularity: Granularity,
    /// Dimensions, separated by commas: organization, tenant, environment, cluster, topic, principal, direction; for costs also share.
    group_by: Option<String>,
    /// Only this tenant; for callers above tenants.
    tenant: Option<String>,
    /// Only this environment.
    environment: Option<String>,
    /// Only this cluster.
    cluster: Option<String>,
    /// Only this topic.
    topic: Option<String>,
    /// Only this service account.
    principal: Option<String>,
}

/// A report as asked for, checked.
#[derive(Debug)]
pub struct Report {
    /// Its time.
    pub range: TimeRange,
    /// The length of a row's time.
    pub granularity: Granularity,
    /// What rows are told apart by.
    pub grouping: Grouping,
    /// Which rows.
    pub filter: Filter,
    /// Whose.
    pub reach: Reach,
}

impl ReportQuery {
    /// Checks the query for a caller of this scope.
    ///
    /// # Errors
    /// 422 for what is not valid, 403 for another tenant than the scope's.
    pub fn check(self, scope: DirectoryScope, now: DateTime<Utc>) -> Result<Report> {
        let Self {
            start,
            end,
            granularity,
            group_by,
            tenant,
            environment,
            cluster,
            topic,
            principal,
        } = self;
        let filter = Filter {
            environment: id::<kind::Environment>("?environment", environment)?.map(Id::uuid),
            cluster: id::<kind::Cluster>("?cluster", cluster)?.map(Id::uuid),
            topic: id::<kind::Topic>("?topic", topic)?.map(Id::uuid),
            principal: id::<kind::ServiceAccount>("?principal", principal)?.map(Id::uuid),
        };
        Ok(Report {
            range: TimeRange::new(start, end, granularity, now)?,
            granularity,
            grouping: Grouping::parse(group_by.as_deref())?,
            filter,
            reach: Reach::new(scope, id("?tenant", tenant)?)?,
        })
    }
}

fn id<K: Kind>(pointer: &str, text: Option<String>) -> Result<Option<Id<K>>> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_not_an_id| {
        let detail = format!("The id of a {} is {}_ and 26 characters.", K::KIND, K::PREFIX);
        Error::invalid(pointer, code::BAD_REFERENCE, detail)
    })
}

/// Read usage
#[utoipa::path(get, path = "/v1/usage", operation_id = "usage_list", tag = "Usage",
    params(ReportQuery, PageQuery), responses((status = 200, description = "A page of rows.", body = UsageList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Queried(query): Queried<ReportQuery>,
    Listed(page): Listed,
) -> Result<axum::Json<UsageList>> {
    let report = query.check(scope, Utc::now())?;
    if report.grouping.by(Dimension::Share) {
        let detail = "Usage is by the topic that shows a share; costs are grouped by share, too.";
        return Err(Error::invalid("?group_by", code::OUT_OF_RANGE, detail));
    }
    let offset = offset(page)?;
    let mut tx = app.db.snapshot(&scope.scope()).await?;
    let mut data = store::grouped(&mut tx, &report, offset, page.limit()).await?;
    let totals = store::totals(&mut tx, &report).await?;
    let complete_until = store::complete_until(&mut tx, report.reach).await?;
    let unmetered_clusters = store::unmetered(&mut tx, &report).await?;
    tx.commit().await?;
    let next_page_token = cut(page, offset, &mut data);
    let metadata = ReportMetadata {
        next_page_token,
        complete_until,
        unmetered_clusters,
    };
    Ok(axum::Json(UsageList {
        kind: "UsageList",
        metadata,
        data,
        totals,
    }))
}
