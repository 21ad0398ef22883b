//! What workers of jobs are told: programs, secrets, and how they reach the gateway.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use weir_proto::agent::v1::Job;

use super::Driver;
use crate::credentials::Credential;
use crate::disk;
use crate::processor::engine::Needs;
use crate::processor::hosts;
use crate::processor::spec::{Gateway, Hidden, WorkerSpec};

const PEM_BYTES_MAX: u64 = 1024 * 1024;

impl Driver {
    /// What workers are told, but for their slots. `None`: there is no program, or the gateway's authorities cannot be read.
    pub(super) fn worker_spec(&self, job: &Job) -> Option<WorkerSpec> {
        let room = self.jobs.rooms.get(&job.id)?;
        let runnable = self.jobs.programs.get(&job.id)?.program.as_ref().ok()?;
        let gateway = match self.gateway_of(&job.cluster_id, room.secret()) {
            Ok(gateway) => gateway,
            Err(error) => {
                tracing::error!(%error, job = job.id, "the authorities of the gateway's certificate cannot be read");
                return None;
            }
        };
        let credentials = self.config.state_dir.join("credentials");
        let cluster = self.admitted.clusters.iter().find(|it| it.id == job.cluster_id);
        let tenant = cluster.map_or("", |it| it.tenant_id.as_str());
        Some(WorkerSpec {
            job_id: job.id.clone(),
            version: job.version,
            slot: 0,
            program: runnable.program.clone(),
            gateway,
            secrets: secrets_of(&credentials, tenant, &job.id, &runnable.needs),
            // Each worker's own, at its start.
            positions: BTreeMap::new(),
        })
    }

    pub(super) fn gateway_of(&self, cluster_id: &str, secret: &str) -> io::Result<Gateway> {
        let listener = &self.config.gateway_listener;
        let named = listener.sni_domain.as_ref().and_then(|it| it.front(cluster_id));
        let host = named.unwrap_or_else(|| self.config.advertised_host.clone());
        let tls = match (&listener.tls, listener.tls_own) {
            (None, _any) => None,
            (Some(_own), true) => {
                let path = self.config.state_dir.join("authority").join("ca.pem");
                let pem = disk::read_bounded(&path, PEM_BYTES_MAX)?.unwrap_or_default();
                Some(String::from_utf8(pem).map_err(io::Error::other)?)
            }
            // The system's: who brings a certificate has its authority there.
            (Some(_theirs), false) => Some(String::new()),
        };
        Ok(Gateway {
            address: format!("{host}:{}", self.config.ports.gateway()),
            tls,
            secret: Hidden(secret.to_owned()),
        })
    }
}

/// What a program's references stand for: files of the customer's, each for its hosts and tenants only.
pub fn secrets_of(folder: &Path, tenant: &str, job: &str, needs: &Needs) -> BTreeMap<String, Hidden> {
    let places: Vec<(String, u16)> = needs.urls.iter().filter_map(|it| hosts::place(it)).collect();
    let read = |name: &String| {
        let credential = Credential::read(folder, name).ok()?;
        if !credential.is_for_tenant(tenant) {
            tracing::warn!(
                name,
                job,
                "a credential is of other tenants, and is not given to a job"
            );
            return None;
        }
        let for_all = places.iter().all(|(host, port)| credential.is_for(host, *port));
        if !for_all {
            tracing::warn!(
                name,
                "a credential is not for all hosts that a job calls, and is not given to it"
            );
        }
        for_all.then(|| (name.clone(), Hidden(credential.password().to_owned())))
    };
    needs.secrets.iter().filter_map(read).collect()
}

/// What a worker is started anew for.
pub(super) fn fingerprint(spec: &WorkerSpec, job: &Job, user: Option<u32>) -> String {
    let told = serde_json::to_vec(spec).unwrap_or_default();
    let mut all = format!("{}\n{}\n{user:?}\n", env!("CARGO_PKG_VERSION"), job.restart_nonce).into_bytes();
    all.extend_from_slice(&weir_credentials::sha256(&told));
    weir_credentials::hex(&weir_credentials::sha256(&all))
}
