//! What may happen by adoption.

use std::collections::BTreeSet;
use std::time::Duration;

use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{
    Answer as Told, AnswerCode, DiscoveredTopic, DiscoveryAnswer, DiscoveryQuestion, GroupsQuestion,
};

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Error, Result, code};
use crate::resources::adoption::api::{
    AdoptedTopic, Adoption, AdoptionAcls, AdoptionGroup, AdoptionPlan, AdoptionTopic, RefusedTopic,
};
use crate::resources::adoption::model::{
    self, AdoptionRefusal, AdoptionSelection, AdoptionVerdict, TOPICS_MAX, Taken, judge,
};
use crate::resources::cluster::{self, Cluster, ClusterId};
use crate::resources::{owner, topic};
use crate::rest::{Answer, Begun, Call, Write};
use crate::runtime::App;

const DEADLINE: Duration = Duration::from_secs(15);
const PAGE: u32 = 500;
/// Pages of one plan: ten thousand topics.
const PAGES_MAX: usize = 20;
const GROUPS: u32 = 1000;

/// What there is, and what would become of it.
pub async fn plan(app: &App, scope: TenantScope, id: ClusterId) -> Result<AdoptionPlan> {
    let (cluster, taken) = found(app, scope, id).await?;
    let (topics, last) = discovered(app, &cluster, &[]).await?;
    let question = Question::Groups(GroupsQuestion {
        cluster_id: id.to_string(),
        after: String::new(),
        limit: GROUPS,
    });
    let groups = ask(app, &cluster, question).await?.groups.unwrap_or_default();
    Ok(AdoptionPlan {
        kind: "AdoptionPlan",
        cluster: id,
        brokers: last.brokers,
        topics: topics.iter().map(|it| shown(id, it, &taken)).collect(),
        topics_withheld: last.withheld,
        groups: groups
            .groups
            .into_iter()
            .map(|it| AdoptionGroup {
                group: it.group_id,
                members: it.members,
                partitions: it.partitions,
            })
            .collect(),
        groups_withheld: groups.withheld,
        acls: last.acls_known.then_some(AdoptionAcls {
            bindings: last.acl_bindings,
            principals: last.acl_principals,
        }),
    })
}

fn shown(cluster: ClusterId, found: &DiscoveredTopic, taken: &Taken) -> AdoptionTopic {
    let judged = judge(cluster, found, taken);
    let refusal = judged.as_ref().err().copied();
    AdoptionTopic {
        name: found.name.clone(),
        partitions: found.partitions,
        replication_factor: found.replication_factor,
        other_settings: found.other_settings,
        verdict: judged.map_or(AdoptionVerdict::Refused, |(verdict, _spec)| verdict),
        refusal,
        detail: refusal.map(|it| it.detail().to_owned()),
    }
}

/// Makes topics of what is there.
pub async fn adopt(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
    selection: AdoptionSelection,
) -> Result<Answer> {
    let (cluster, taken) = checked(app, caller, scope, id, &selection).await?;
    // Asked before the transaction begins: no connection is held while an agent thinks.
    let (found, _last) = discovered(app, &cluster, &selection.topics).await?;
    let (mut specs, mut refused) = (Vec::new(), Vec::new());
    let named = !selection.topics.is_empty();
    for topic in &found {
        match judge(id, topic, &taken) {
            Ok((_verdict, Some(spec))) => specs.push(spec),
            Ok((_adopted, None)) => {}
            Err(refusal) if named => refused.push(refusal_of(&topic.name, refusal)),
            Err(_refusal) => {}
        }
    }
    let seen: BTreeSet<&str> = found.iter().map(|it| it.name.as_str()).collect();
    let missing = selection.topics.iter().filter(|it| !seen.contains(it.as_str()));
    refused.extend(missing.map(|it| refusal_of(it, AdoptionRefusal::NotFound)));
    specs.truncate(TOPICS_MAX);
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let adopted = topic::adopt(&mut write, scope, &cluster, specs).await?;
    finish(*write, id, adopted, refused).await
}

/// Lets topics go; Kafka keeps them.
pub async fn release(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterId,
    selection: AdoptionSelection,
) -> Result<Answer> {
    let (_cluster, taken) = checked(app, caller, scope, id, &selection).await?;
    let missing = selection.topics.iter().filter(|it| !taken.adopted.contains(*it));
    let refused = missing
        .map(|it| refusal_of(it, AdoptionRefusal::NotFound))
        .collect();
    let wanted: BTreeSet<String> = match selection.topics.is_empty() {
        true => taken.adopted.into_iter().take(TOPICS_MAX).collect(),
        false => selection.topics.into_iter().collect(),
    };
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let released = topic::release(&mut write, scope, id, &wanted).await?;
    finish(*write, id, released, refused).await
}

async fn finish(
    write: Write,
    cluster: ClusterId,
    topics: Vec<(topic::TopicId, String)>,
    refused: Vec<RefusedTopic>,
) -> Result<Answer> {
    let topics = topics
        .into_iter()
        .map(|(topic, name)| AdoptedTopic { topic, name });
    let adoption = Adoption {
        kind: "Adoption",
        cluster,
        topics: topics.collect(),
        refused,
    };
    let body = serde_json::to_value(adoption).map_err(Error::internal)?;
    write.finish(200, body).await
}

fn refusal_of(name: &str, refusal: AdoptionRefusal) -> RefusedTopic {
    RefusedTopic {
        name: name.to_owned(),
        refusal,
        detail: refusal.detail().to_owned(),
    }
}

async fn checked(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    id: ClusterId,
    selection: &AdoptionSelection,
) -> Result<(Cluster, Taken)> {
    let mut errors = Vec::new();
    model::validate(selection, &mut errors);
    Error::check(errors)?;
    let (cluster, taken) = found(app, scope, id).await?;
    caller.require(Role::TenantAdmin, &cluster.resource_name())?;
    Ok((cluster, taken))
}

/// The cluster, which must be one that adopts, and the names that it has.
async fn found(app: &App, scope: TenantScope, id: ClusterId) -> Result<(Cluster, Taken)> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let cluster = cluster::by_id(&mut tx, scope, id).await?;
    let names = topic::adopted_names(&mut tx, scope, id).await?;
    tx.commit().await?;
    if !cluster.spec.adopts {
        let detail = "The cluster does not adopt: make one with `adopts` on a broker pool that is attached.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    let mut taken = Taken::default();
    for (name, adopted) in names {
        if adopted {
            taken.adopted.insert(name);
        } else {
            taken.own.insert(name);
        }
    }
    Ok((cluster, taken))
}

/// All pages of what there is; the last page's counts are those of all.
async fn discovered(
    app: &App,
    cluster: &Cluster,
    names: &[String],
) -> Result<(Vec<DiscoveredTopic>, DiscoveryAnswer)> {
    let (mut topics, mut after) = (Vec::new(), String::new());
    for _page in 0..PAGES_MAX {
        let question = Question::Discovery(DiscoveryQuestion {
            broker_pool_id: cluster.spec.broker_pool.to_string(),
            after: after.clone(),
            limit: PAGE,
            names: names.to_vec(),
        });
        let mut page = ask(app, cluster, question).await?.discovery.unwrap_or_default();
        topics.append(&mut page.topics);
        match topics.last() {
            Some(last) if page.more => after.clone_from(&last.name),
            _end => return Ok((topics, page)),
        }
    }
    let detail = "The Kafka has more than 10000 topics: name those that are meant.";
    Err(Error::invalid("/topics", code::OUT_OF_RANGE, detail))
}

async fn ask(app: &App, cluster: &Cluster, question: Question) -> Result<Told> {
    let answer = app.agents.ask(cluster.data_plane, question, DEADLINE).await?;
    match answer.code() {
        AnswerCode::Ok => Ok(answer),
        AnswerCode::NotFound => Err(Error::unavailable(
            code::AGENT_UNREACHABLE,
            "The agent has not reached the attached Kafka yet; the status of the broker pool says why.",
            5,
        )),
        _other => Err(Error::unavailable(
            code::AGENT_UNREACHABLE,
            "The agent could not reach the attached Kafka.",
            5,
        )),
    }
}
