//! `/mode`: of the caller's context, and of subjects.

use serde_json::{Value, json};

use crate::registry::asked::{Asked, Body, Reading, Reply, Writing, refused};
use crate::resources::contract::{self, Mode, Outcome, Refusal};

/// `GET /mode`
pub async fn of_context(Reading(asked): Reading) -> Reply {
    show(&asked, true).await
}

/// `GET /mode/{subject}`
pub async fn of_subject(Reading(asked): Reading) -> Reply {
    let inherited = asked.flag(&["defaultToGlobal"]);
    show(&asked, inherited).await
}

async fn show(asked: &Asked, inherited: bool) -> Reply {
    let mode = async {
        let place = asked.placed().await?;
        let mut tx = asked.read().await?;
        let mode = contract::mode_of(&mut tx, &asked.asker, &place, inherited).await?;
        tx.commit().await?;
        Outcome::Ok(mode)
    };
    let mode = mode.await.map_err(refused)?;
    Ok(asked.answer(&json!({"mode": mode.name()})))
}

/// `PUT /mode` and `PUT /mode/{subject}`
pub async fn change(Writing(asked): Writing, Body(body): Body) -> Reply {
    let changed = async {
        let name = body.get("mode").and_then(Value::as_str).unwrap_or_default();
        let mode = Mode::parse(name).ok_or(Refusal::InvalidMode)?;
        let place = asked.placed().await?;
        let force = asked.flag(&["force"]);
        contract::change_mode(&asked.app, &asked.asker, &place, mode, force).await?;
        Outcome::Ok(mode)
    };
    let mode = changed.await.map_err(refused)?;
    Ok(asked.answer(&json!({"mode": mode.name()})))
}

/// `DELETE /mode` and `DELETE /mode/{subject}`: the answer is what it was.
pub async fn remove(Writing(asked): Writing) -> Reply {
    let removed = async {
        let place = asked.placed().await?;
        contract::remove_mode(&asked.app, &asked.asker, &place).await
    };
    let mode = removed.await.map_err(refused)?;
    Ok(asked.answer(&json!({"mode": mode.name()})))
}
