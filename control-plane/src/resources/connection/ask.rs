//! Asking the agent of a cluster's data plane.

use std::time::Duration;

use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{AnswerCode, Connection as Told, ConnectionsAnswer, ConnectionsQuestion};

use crate::auth::TenantScope;
use crate::kernel::{Error, Result, code};
use crate::resources::cluster::Cluster;
use crate::resources::connection::api::{Connection, view};
use crate::resources::connection::store;
use crate::runtime::App;

const DEADLINE: Duration = Duration::from_secs(5);
/// Ids are made by gateways: letters, digits, and what stands between.
const ID_LENGTH_MAX: usize = 120;

/// A page, and whether there is more after it.
pub async fn page(
    app: &App,
    scope: TenantScope,
    cluster: &Cluster,
    after: String,
    limit: u32,
) -> Result<(Vec<Connection>, bool)> {
    let question = ConnectionsQuestion {
        cluster_id: cluster.id.to_string(),
        connection_id: String::new(),
        after,
        limit,
    };
    let told = ask(app, cluster, question).await?;
    let more = told.more;
    Ok((own(app, scope, told.connections, false).await?, more))
}

/// One connection, with what it may do.
pub async fn one(app: &App, scope: TenantScope, cluster: &Cluster, id: String) -> Result<Connection> {
    let question = ConnectionsQuestion {
        cluster_id: cluster.id.to_string(),
        connection_id: id.clone(),
        after: String::new(),
        limit: 1,
    };
    let told = ask(app, cluster, question).await?;
    let found = own(app, scope, told.connections, true).await?;
    let found = found.into_iter().find(|it| it.id == id);
    found.ok_or_else(|| Error::not_found("Connection"))
}

/// Can this be a connection's id?
pub fn is_id(text: &str) -> bool {
    let legal = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(legal)
}

async fn ask(app: &App, cluster: &Cluster, question: ConnectionsQuestion) -> Result<ConnectionsAnswer> {
    let question = Question::Connections(question);
    let answer = app.agents.ask(cluster.data_plane, question, DEADLINE).await?;
    match (answer.code(), answer.connections) {
        (AnswerCode::Ok, Some(told)) => Ok(told),
        (AnswerCode::Unsupported, _) => Err(Error::unavailable(
            code::AGENT_UNREACHABLE,
            "The agent's version does not tell of connections; update it.",
            60,
        )),
        _ => Err(Error::unavailable(
            code::AGENT_UNREACHABLE,
            "No gateway of the data plane answered.",
            5,
        )),
    }
}

/// Whatever an agent tells: only connections of this tenant's own service accounts are shown.
async fn own(app: &App, scope: TenantScope, told: Vec<Told>, whole: bool) -> Result<Vec<Connection>> {
    let mut seen: Vec<Connection> = told
        .into_iter()
        .filter(|it| is_id(&it.id))
        .filter_map(|it| view(it, whole))
        .collect();
    let principals: Vec<_> = seen.iter().map(|it| it.principal).collect();
    let mut tx = app.db.read(&scope.scope()).await?;
    let known = store::known(&mut tx, scope, &principals).await?;
    tx.commit().await?;
    seen.retain(|it| known.contains(&it.principal));
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain() {
        assert!(is_id("gateway_0193f0.7.000000000012"));
        for bad in ["", "a b", "../x", "ü", &"x".repeat(121)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
