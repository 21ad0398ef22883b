//! The driver's part for models that jobs in SQL ask: where they ask, and whom they may reach with which secret.

use std::collections::BTreeMap;
use std::io;

use weir_proto::agent::v1::Job;
use weir_sql::{Model, Relay};

use super::{Driver, secrets_of};
use crate::flink::sql_job::Ready;
use crate::models::{Asks, Models, Routes};
use crate::policy::Policy;
use crate::processor::engine::Needs;
use crate::processor::spec::Hidden;
use crate::resources::job::framed::is_framed;

impl Driver {
    /// Listens for questions, once there is a job that may have some.
    pub(super) fn open_models(&mut self) -> io::Result<()> {
        let asks = |it: &Job| {
            let statement = it.sql.as_ref().map(|it| it.statement.to_ascii_uppercase());
            !it.deleted && (statement.is_some_and(|it| it.contains("MODEL")) || self.has_frames(it))
        };
        if self.sql.models.is_none() && self.sql_jobs().any(asks) {
            let folder = self.config.state_dir.join("driver");
            self.sql.models = Some(Models::open(&folder.join("models.port"))?);
        }
        Ok(())
    }

    /// Do records of any of its topics have a frame?
    fn has_frames(&self, job: &Job) -> bool {
        let sources = job.sql.iter().flat_map(|it| &it.sources).map(|it| &it.topic_id);
        let sinks = job.sql.iter().flat_map(|it| &it.sinks).map(|it| &it.topic_id);
        sources.chain(sinks).any(|id| {
            let mut topics = self.admitted.topics.iter();
            topics.find(|it| it.id == *id).is_some_and(is_framed)
        })
    }

    /// Where a job asks its models.
    pub(super) fn relay(&self, job: &Job, secret: &str) -> Relay {
        let nowhere = || Relay {
            base: String::new(),
            token: String::new(),
        };
        let models = self.sql.models.as_ref();
        models.map_or_else(nowhere, |it| it.relay(&job.id, secret))
    }

    /// A job that asks models begins again, from where it was, when they are asked elsewhere.
    pub(super) fn models_nonce(&self, job: &Job) -> u64 {
        let asks = self.ready(&job.id).is_some_and(Ready::asks_the_agent);
        let port = self.sql.models.as_ref().filter(|_models| asks).map(Models::port);
        u64::from(port.unwrap_or_default()) << 40
    }

    /// Says whom jobs may ask, and with which secrets.
    pub(super) fn tell_models(&self, policy: &Policy) {
        let Some(models) = &self.sql.models else { return };
        let asking = self.sql_jobs().filter(|it| !it.deleted);
        let asking = asking.filter_map(|job| Some((job, self.ready(&job.id)?)));
        let asking = asking.filter(|(_job, ready)| ready.asks_the_agent());
        models.tell(Routes {
            hosts: policy.job_hosts().to_vec(),
            jobs: asking
                .map(|(job, ready)| (job.id.clone(), self.asks(job, ready)))
                .collect(),
        });
    }

    fn ready(&self, job: &str) -> Option<&Ready> {
        self.sql
            .programs
            .get(job)?
            .program
            .as_ref()
            .ok()
            .map(AsRef::as_ref)
    }

    fn asks(&self, job: &Job, ready: &Ready) -> Asks {
        let secret = |model: &Model| -> Option<Hidden> {
            let name = model.secret.clone()?;
            let needs = Needs {
                urls: vec![model.endpoint.clone()],
                secrets: vec![name.clone()],
            };
            let folder = self.config.state_dir.join("credentials");
            let cluster = self.admitted.clusters.iter().find(|it| it.id == job.cluster_id);
            let tenant = cluster.map_or("", |it| it.tenant_id.as_str());
            secrets_of(&folder, tenant, &job.id, &needs).remove(&name)
        };
        let models: BTreeMap<_, _> = ready
            .models
            .iter()
            .map(|it| (it.name.clone(), (it.clone(), secret(it))))
            .collect();
        Asks {
            token: Hidden(ready.relay.token.clone()),
            models,
            schemas: ready.schemas.clone(),
        }
    }
}
