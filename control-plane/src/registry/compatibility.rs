//! `/compatibility`: may a schema follow those before it? Nothing is registered.

use serde_json::json;

use crate::registry::asked::{Asked, Body, Reading, Reply, refused};
use crate::registry::wish::RegisterRequest;
use crate::resources::contract::{self, Outcome};

/// `POST /compatibility/subjects/{subject}/versions`: with those that the level asks for.
pub async fn with_all(Reading(asked): Reading, body: Body) -> Reply {
    judge(asked, body, false).await
}

/// `POST /compatibility/subjects/{subject}/versions/{version}`: with this one.
pub async fn with_one(Reading(asked): Reading, body: Body) -> Reply {
    judge(asked, body, true).await
}

async fn judge(asked: Asked, body: Body, one: bool) -> Reply {
    let request: RegisterRequest = body.read()?;
    let verdict = async {
        let wish = request.wish()?;
        let against = if one { Some(asked.version()?) } else { None };
        let subject = asked.named().await?;
        let normalize = asked.flag(&["normalize"]);
        contract::judge(&asked.app, &asked.asker, &subject, wish, normalize, against).await
    };
    let verdict: contract::Verdict = Outcome::map_err(verdict.await, refused)?;
    let answer = if asked.flag(&["verbose"]) {
        json!({"is_compatible": verdict.is_compatible(), "messages": verdict.messages})
    } else {
        json!({"is_compatible": verdict.is_compatible()})
    };
    Ok(asked.answer(&answer))
}
