//! What may happen to a consumer group. Kafka holds it; the record of what was done stands here.

use serde_json::Value;
use tokio::sync::Semaphore;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{
    GroupDeleteQuestion, GroupMovesAnswer, GroupQuestion, GroupResetQuestion, GroupTarget, GroupsQuestion,
};

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Result, code};
use crate::resources::cluster::{self, Cluster, ClusterId};
use crate::resources::consumer_group::api::{
    self, ConsumerGroupDetail, ConsumerGroupList, OffsetMove, TopicNames,
};
use crate::resources::consumer_group::ask::{self, Unanswered};
use crate::resources::consumer_group::model::{self, OffsetReset};
use crate::resources::{owner, topic};
use crate::rest::{Answer, Begun, Call, Write};
use crate::runtime::App;

/// Changes that wait for an agent at one time: each holds a connection to the database.
const ACTING_MAX: usize = 4;
static ACTING: Semaphore = Semaphore::const_new(ACTING_MAX);

/// A page of the cluster's groups.
pub async fn list(
    app: &App,
    scope: TenantScope,
    id: ClusterId,
    after: &str,
    limit: u32,
    token: impl Fn(&str) -> String,
) -> Result<ConsumerGroupList> {
    let (cluster, _names) = found(app, scope, id).await?;
    let question = Question::Groups(GroupsQuestion {
        cluster_id: id.to_string(),
        after: after.to_owned(),
        limit,
    });
    let answer = ask::read(app, cluster.data_plane, question).await;
    let answer = answer.map_err(|error| match error.code {
        code::NOT_FOUND => Error::unavailable(
            code::AGENT_UNREACHABLE,
            "The agent does not serve the cluster yet.",
            5,
        ),
        _other => error,
    })?;
    Ok(api::page(id, answer.groups.unwrap_or_default(), token))
}

/// One group.
pub async fn get(app: &App, scope: TenantScope, id: ClusterId, group: &str) -> Result<ConsumerGroupDetail> {
    let (cluster, names) = found(app, scope, id).await?;
    let question = Question::Group(GroupQuestion {
        cluster_id: id.to_string(),
        group_id: group.to_owned(),
    });
    let answer = ask::read(app, cluster.data_plane, question).await?;
    Ok(api::detail(id, answer.group.unwrap_or_default(), &names))
}

/// Moves the group's offsets, or says what would move.
pub async fn reset(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
    group: &str,
    reset: OffsetReset,
) -> Result<Answer> {
    let mut errors = Vec::new();
    model::validate(&reset, &mut errors);
    Error::check(errors)?;
    let (cluster, names) = found(app, scope, id).await?;
    let unknown = |at| {
        (
            format!("/topics/{at}/topic"),
            "There is no such topic in this cluster.",
        )
    };
    for (at, it) in reset.topics.iter().enumerate() {
        if !names.contains_key(&it.topic) {
            let (pointer, detail) = unknown(at);
            return Err(Error::invalid(pointer, code::BAD_REFERENCE, detail));
        }
    }
    let (to, value) = reset.to.told();
    let targets = reset.topics.iter().map(|it| GroupTarget {
        topic_id: it.topic.to_string(),
        partitions: it.partitions.clone(),
    });
    let question = Question::GroupReset(GroupResetQuestion {
        cluster_id: id.to_string(),
        group_id: group.to_owned(),
        targets: targets.collect(),
        to: to.into(),
        value,
        dry_run: call.dry_run,
    });
    let wish = Wish {
        cluster,
        names,
        group,
        action: Action::Act("reset_offsets"),
        unanswered: Action::Act("reset_offsets_unanswered"),
        question,
    };
    let after = |moves: &[OffsetMove]| Some(api::offsets(group, moves, OffsetMove::to));
    let (write, moves) = match carry_out(app, caller, scope, call, wish, after).await? {
        Carried::Replayed(answer) => return Ok(answer),
        Carried::Out(write, moves) => (write, moves),
    };
    let body = serde_json::to_value(api::done(id, group, moves)).map_err(Error::internal)?;
    write.finish(200, body).await
}

/// Deletes a group without members, or says what would be lost.
pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
    group: &str,
) -> Result<Answer> {
    let (cluster, names) = found(app, scope, id).await?;
    let question = Question::GroupDelete(GroupDeleteQuestion {
        cluster_id: id.to_string(),
        group_id: group.to_owned(),
        dry_run: call.dry_run,
    });
    let wish = Wish {
        cluster,
        names,
        group,
        action: Action::Act("delete_group"),
        unanswered: Action::Act("delete_group_unanswered"),
        question,
    };
    match carry_out(app, caller, scope, call, wish, |_moves| None).await? {
        Carried::Replayed(answer) => Ok(answer),
        Carried::Out(write, _moves) => write.finish_empty().await,
    }
}

/// Something to be done to a group.
struct Wish<'a> {
    cluster: Cluster,
    names: TopicNames,
    group: &'a str,
    action: Action,
    unanswered: Action,
    question: Question,
}

enum Carried {
    Replayed(Answer),
    Out(Box<Write>, Vec<OffsetMove>),
}

/// Asks the agent and records what moved. The transaction is open meanwhile, so that a repeated key never acts twice; if
/// nobody knows what became of it, just that is recorded.
async fn carry_out(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    wish: Wish<'_>,
    after: impl Fn(&[OffsetMove]) -> Option<Value>,
) -> Result<Carried> {
    let Wish {
        cluster,
        names,
        group,
        action,
        unanswered,
        question,
    } = wish;
    let name = permitted(caller, &cluster, group)?;
    let change = |action| Change::new(action, cluster.id, &name, cluster.generation, owner(scope));
    let Ok(_room) = ACTING.try_acquire() else {
        let detail = "Too many groups are being changed at this moment; try again.";
        return Err(Error::unavailable(code::BUSY, detail, 1));
    };
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(Carried::Replayed(answer)),
        Begun::Fresh(write) => write,
    };
    let answer = match ask::act(app, cluster.data_plane, question).await {
        Ok(answer) => answer,
        Err(Unanswered::Refused(error)) => return Err(error),
        Err(Unanswered::Unknown(error)) if call.dry_run => return Err(error),
        Err(Unanswered::Unknown(error)) => {
            drop(write);
            let call = call.without_key();
            if let Begun::Fresh(mut write) =
                Write::begin(app, &scope.scope(), caller, owner(scope), &call).await?
            {
                write.record(change(unanswered)).await?;
                write.finish_empty().await?;
            }
            return Err(error);
        }
    };
    let moves: GroupMovesAnswer = answer.group_moves.unwrap_or_default();
    let moves = api::moves(moves, &names);
    let mut change = change(action).with_before(api::offsets(group, &moves, OffsetMove::from));
    if let Some(after) = after(&moves) {
        change = change.with_after(after);
    }
    write.record(change).await?;
    Ok(Carried::Out(write, moves))
}

/// As at the gateway: whoever is a developer of the cluster, or of everything that bears this name.
fn permitted(caller: &Caller, cluster: &Cluster, group: &str) -> Result<String> {
    let place = cluster.resource_name();
    let name = model::resource_name(&place, group);
    // A pattern of topics covers what lies below it; a group's id is a name and has nothing below it.
    let like_a_topic = !group.contains('/')
        && caller
            .require(Role::Developer, &format!("{place}/topic={group}"))
            .is_ok();
    if !like_a_topic {
        caller.require(Role::Developer, &name)?;
    }
    Ok(name)
}

/// The cluster and the names of its topics. No connection is held while an agent thinks.
async fn found(app: &App, scope: TenantScope, id: ClusterId) -> Result<(Cluster, TopicNames)> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let cluster = cluster::by_id(&mut tx, scope, id).await?;
    let names = topic::names(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok((cluster, names))
}
