//! `/v1/costs`.

use axum::extract::State;
use chrono::Utc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadDirectory};
use crate::kernel::Result;
use crate::resources::cost::api::CostList;
use crate::resources::cost::{report, service};
use crate::resources::usage::{ReportMetadata, ReportQuery, cut, offset};
use crate::rest::{Listed, PageQuery, Queried};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Read costs
#[utoipa::path(get, path = "/v1/costs", operation_id = "cost_list", tag = "Cost",
    params(ReportQuery, PageQuery), responses((status = 200, description = "A page of rows.", body = CostList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Queried(query): Queried<ReportQuery>,
    Listed(page): Listed,
) -> Result<axum::Json<CostList>> {
    let asked = query.check(scope, Utc::now())?;
    let offset = offset(page)?;
    let (rows, complete_until, unmetered_clusters) = service::rows(&app, scope, &asked).await?;
    let totals = report::sums(&rows).map_err(service::too_large)?;
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let taken = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let mut data: Vec<_> = rows.into_iter().skip(skipped).take(taken).collect();
    let next_page_token = cut(page, offset, &mut data);
    let metadata = ReportMetadata {
        next_page_token,
        complete_until,
        unmetered_clusters,
    };
    Ok(axum::Json(CostList {
        kind: "CostList",
        metadata,
        data,
        totals,
    }))
}
