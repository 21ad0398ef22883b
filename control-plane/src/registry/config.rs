//! `/config`: of the caller's context, and of subjects.

use serde_json::{Value, json};

use crate::registry::answer;
use crate::registry::asked::{Asked, Body, Reading, Reply, Writing, refused};
use crate::resources::contract::{self, Config, Outcome};

/// `GET /config`
pub async fn of_context(Reading(asked): Reading) -> Reply {
    show(&asked, true).await
}

/// `GET /config/{subject}`
pub async fn of_subject(Reading(asked): Reading) -> Reply {
    let inherited = asked.flag(&["defaultToGlobal"]);
    show(&asked, inherited).await
}

async fn show(asked: &Asked, inherited: bool) -> Reply {
    let config = async {
        let place = asked.placed().await?;
        let mut tx = asked.read().await?;
        let config = contract::config_of(&mut tx, &asked.asker, &place, inherited).await?;
        tx.commit().await?;
        Outcome::Ok(config)
    };
    let config: Config = config.await.map_err(refused)?;
    Ok(asked.answer(&json!(config)))
}

/// `PUT /config` and `PUT /config/{subject}`: what the body names; the answer repeats it, as upstream does.
pub async fn change(Writing(asked): Writing, Body(body): Body) -> Reply {
    let mut patch = body.clone();
    if let Some(level) = patch.remove("compatibility") {
        if !(level.is_string() || level.is_null()) {
            return Err(answer::malformed("compatibility is the name of a level"));
        }
        patch.insert("compatibilityLevel".into(), level);
    }
    let changed = async {
        let place = asked.placed().await?;
        contract::change_config(&asked.app, &asked.asker, &place, patch).await
    };
    changed.await.map_err(refused)?;
    Ok(asked.answer(&Value::Object(body)))
}

/// `DELETE /config` and `DELETE /config/{subject}`: the answer is what it was.
pub async fn remove(Writing(asked): Writing) -> Reply {
    let removed = async {
        let place = asked.placed().await?;
        contract::remove_config(&asked.app, &asked.asker, &place).await
    };
    let removed: Config = removed.await.map_err(refused)?;
    Ok(asked.answer(&json!(removed)))
}
