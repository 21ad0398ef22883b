//! Topics by the Kafka protocol: the wishes of its clients, carried out by the same service as those of the API.

use std::time::Duration;

use serde_json::Value;
use weir_proto::agent::v1::TopicConfig;

use crate::auth::{Caller, Permission as _, Role, TenantScope, WriteStreams};
use crate::kernel::{Error, ErrorKind, Kind as _, Result, code, kind};
use crate::resources::cluster::{self, ClusterId};
use crate::resources::topic::model::{TopicId, TopicSpec};
use crate::resources::topic::{service, settings, store};
use crate::resources::{broker_pool, served};
use crate::rest::{Answer, Call, ObjectInput, Phase, until_settled};
use crate::runtime::App;

/// Who wishes, for which cluster, and how it was called.
#[derive(Debug)]
pub struct Wisher<'a> {
    /// The parts.
    pub app: &'a App,
    /// The service account.
    pub caller: &'a Caller,
    /// The cluster whose client it is.
    pub cluster: ClusterId,
    /// Key, fingerprint, dry run.
    pub call: &'a Call,
}

/// A topic as it was wished.
#[derive(Debug)]
pub struct Done {
    /// Its id; none in a plan of a creation.
    pub id: Option<TopicId>,
    /// Its spec; none once there is nothing left of it.
    pub spec: Option<TopicSpec>,
    /// How many brokers hold each record; 0 when nobody asked.
    pub replication_factor: i32,
}

/// Where a wish stands when its time is over.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled {
    /// Every live gateway obeys it.
    Ready,
    /// The customer's own policy refuses it.
    Refused(String),
    /// Kafka refuses it.
    Failed(String),
    /// It is still on its way.
    Underway(String),
}

/// What is wished of a new topic; zero stands for the default.
#[derive(Debug)]
pub struct Creation<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many partitions.
    pub partitions: u32,
    /// How many replicas; the pool decides.
    pub replication_factor: u32,
    /// Its settings.
    pub settings: &'a [TopicConfig],
}

impl Wisher<'_> {
    fn scope(&self) -> Result<TenantScope> {
        WriteStreams::grant(self.caller)
    }

    /// Creates a topic.
    ///
    /// # Errors
    /// As `POST /v1/topics`; 422 at `/spec/replication_factor` for another one than the pool's.
    pub async fn create(&self, creation: Creation<'_>) -> Result<Done> {
        let scope = self.scope()?;
        let mut tx = self.app.db.read(&scope.scope()).await?;
        let cluster = cluster::by_id(&mut tx, scope, self.cluster).await?;
        let name = format!("{}/topic={}", cluster.resource_name(), creation.name);
        self.caller.require(Role::Developer, &name)?;
        let pool = broker_pool::usable(&mut tx, scope, cluster.spec.broker_pool).await?;
        tx.commit().await?;
        let replicas = creation.replication_factor;
        if replicas != 0 && i64::from(replicas) != i64::from(pool.brokers) {
            let detail = format!(
                "The replication factor of this cluster's topics is {}; ask for that, or for -1.",
                pool.brokers
            );
            return Err(Error::invalid(
                "/spec/replication_factor",
                code::OUT_OF_RANGE,
                detail,
            ));
        }
        let mut spec = settings::default_spec(self.cluster, creation.name)?;
        if creation.partitions != 0 {
            spec.partitions = count(creation.partitions);
        }
        settings::apply(&mut spec, creation.settings, false)?;
        let input = ObjectInput::of(spec);
        let answer = service::create(self.app, self.caller, scope, self.call, input).await?;
        Ok(Done {
            replication_factor: pool.brokers,
            ..done(&answer)?
        })
    }

    /// Gives a topic more partitions.
    ///
    /// # Errors
    /// As `PATCH /v1/topics/{id}`; 422 when it has as many already.
    pub async fn grow(&self, id: TopicId, partitions: u32) -> Result<Done> {
        let scope = self.own(id).await?;
        let answer = service::change(self.app, self.caller, scope, self.call, id, |before| {
            let partitions = count(partitions);
            if before.spec.partitions == partitions {
                let detail = format!("The topic has {partitions} partitions already.");
                return Err(Error::invalid("/spec/partitions", code::CANNOT_SHRINK, detail));
            }
            let spec = TopicSpec {
                partitions,
                ..before.spec.clone()
            };
            Ok((spec, before.labels.clone()))
        });
        done(&answer.await?)
    }

    /// Changes a topic's settings; with `replace`, those that are not named go back to their defaults.
    ///
    /// # Errors
    /// As `PATCH /v1/topics/{id}`.
    pub async fn alter(&self, id: TopicId, settings: &[TopicConfig], replace: bool) -> Result<Done> {
        let scope = self.own(id).await?;
        let answer = service::change(self.app, self.caller, scope, self.call, id, |before| {
            let mut spec = before.spec.clone();
            settings::apply(&mut spec, settings, replace)?;
            Ok((spec, before.labels.clone()))
        });
        done(&answer.await?)
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// As `DELETE /v1/topics/{id}`.
    pub async fn delete(&self, id: TopicId) -> Result<Done> {
        let scope = self.own(id).await?;
        let mut tx = self.app.db.read(&scope.scope()).await?;
        let adopted = store::by_id(&mut tx, scope, id).await.is_ok_and(|it| it.adopted);
        tx.commit().await?;
        if adopted {
            let detail =
                "The topic was adopted: it is released through Weir's API, and deleted where it came from.";
            return Err(Error::conflict(code::WRONG_PHASE, detail));
        }
        let answer = service::delete(self.app, self.caller, scope, self.call, id).await?;
        Ok(Done {
            id: Some(id),
            ..done(&answer)?
        })
    }

    /// A client speaks of its own cluster's topics. One that is gone may be one that this very wish deleted before: the
    /// service knows.
    async fn own(&self, id: TopicId) -> Result<TenantScope> {
        let scope = self.scope()?;
        let mut tx = self.app.db.read(&scope.scope()).await?;
        let found = store::by_id(&mut tx, scope, id).await;
        tx.commit().await?;
        match found {
            Ok(row) if row.spec.cluster != self.cluster => Err(Error::not_found(kind::Topic::KIND)),
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _own_or_gone => Ok(scope),
        }
    }

    /// Waits until the topic is READY, or gone when it was to go.
    ///
    /// # Errors
    /// The database's.
    pub async fn settled(&self, id: TopicId, gone: bool, limit: Duration) -> Result<Settled> {
        let scope = self.scope()?;
        until_settled(self.app, limit, || async {
            let seen = self.look(scope, id, gone).await?;
            let over = !matches!(seen, Settled::Underway(_));
            Ok((seen, over))
        })
        .await
    }

    async fn look(&self, scope: TenantScope, id: TopicId, gone: bool) -> Result<Settled> {
        let mut tx = self.app.db.read(&scope.scope()).await?;
        let row = match store::by_id(&mut tx, scope, id).await {
            Ok(row) => row,
            Err(error) if gone && error.kind == ErrorKind::NotFound => return Ok(Settled::Ready),
            Err(error) => return Err(error),
        };
        let report = served::report(&mut tx, id.uuid()).await?;
        tx.commit().await?;
        let standing = served::stand(row.desired_n, row.deleted_at.is_some(), report.as_ref());
        let message = standing.message.unwrap_or_default();
        Ok(match (standing.phase, standing.reason.as_deref()) {
            (Phase::Ready, _) if !gone => Settled::Ready,
            (_, Some("POLICY_REFUSED")) => Settled::Refused(message),
            (Phase::Failed, _) => Settled::Failed(message),
            _ => Settled::Underway(message),
        })
    }
}

fn count(partitions: u32) -> i32 {
    i32::try_from(partitions).unwrap_or(i32::MAX)
}

/// The topic in a service's answer, or in its plan.
fn done(answer: &Answer) -> Result<Done> {
    let nothing = Done {
        id: None,
        spec: None,
        replication_factor: 0,
    };
    if answer.body.is_empty() {
        return Ok(nothing);
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(Error::internal)?;
    let (object, id) = if answer.planned {
        (body.pointer("/changes/0/after"), None)
    } else {
        (Some(&body), body.get("id").and_then(Value::as_str))
    };
    let spec = object.and_then(|it| it.get("spec")).cloned();
    Ok(Done {
        id: id.and_then(|it| it.parse().ok()),
        spec: spec
            .map(serde_json::from_value)
            .transpose()
            .map_err(Error::internal)?,
        ..nothing
    })
}
