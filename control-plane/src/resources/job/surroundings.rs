//! What a job refers to: there, of one place, the caller's to use; and the rights that the job would need.

use crate::auth::{self, Binding, Caller, Role, TenantScope, holds};
use crate::kernel::{Error, FieldError, Result, code};
use crate::resources::cluster::Cluster;
use crate::resources::job::model::{Job, JobSpec, NamedTopic};
use crate::resources::job::program;
use crate::resources::job::version::{UsedTopic, topics_of};
use crate::resources::{api_key, compute_pool, referred, service_account};
use crate::runtime::Tx;

/// Everything that a new job refers to.
///
/// # Errors
/// 422 at what does not fit, 403 when the caller would hand on more than he holds.
pub async fn check_new(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    cluster: &Cluster,
    spec: &JobSpec,
) -> Result<()> {
    if cluster.deleted_at.is_some() {
        let detail = "The cluster is being deleted.";
        return Err(Error::conflict(code::BEING_DELETED, detail));
    }
    cluster.require_gateway("keeps a job to its rights there")?;
    check_pool(tx, scope, cluster, spec).await?;
    check_program(tx, caller, scope, cluster, spec).await
}

/// What a change makes it refer to that it did not before. Whoever may change the job may stop it and start it; only another program
/// or another service account is a new thing done with the account's rights.
///
/// # Errors
/// As of a new job.
pub async fn check_changed(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    cluster: &Cluster,
    before: &Job,
    spec: &JobSpec,
) -> Result<()> {
    let (wished, held) = (spec, &before.spec);
    let grows = wished.program.kind() != held.program.kind();
    if grows || (wished.compute_pool, &wished.scaling) != (held.compute_pool, &held.scaling) {
        check_pool(tx, scope, cluster, spec).await?;
    }
    let acts_otherwise = wished.program != held.program || wished.service_account != held.service_account;
    if acts_otherwise {
        check_program(tx, caller, scope, cluster, spec).await?;
    }
    Ok(())
}

async fn check_pool(tx: &mut Tx, scope: TenantScope, cluster: &Cluster, spec: &JobSpec) -> Result<()> {
    let pool = referred(
        compute_pool::by_id(tx, scope, spec.compute_pool).await,
        "/spec/compute_pool",
        "There is no such compute pool in this tenant.",
    )?;
    if pool.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The compute pool is being deleted.",
        ));
    }
    if pool.spec.data_plane != cluster.data_plane {
        let detail = "The compute pool is on another data plane than the cluster.";
        return Err(Error::invalid("/spec/compute_pool", code::BAD_REFERENCE, detail));
    }
    let (needed, held) = (spec.program.units(spec.scaling.min_workers), pool.spec.max_units);
    if needed > held {
        let detail = format!("The job needs {needed} compute units at least, and its pool has {held}.");
        return Err(Error::invalid(
            "/spec/scaling/min_workers",
            code::OUT_OF_RANGE,
            detail,
        ));
    }
    Ok(())
}

async fn check_program(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    cluster: &Cluster,
    spec: &JobSpec,
) -> Result<()> {
    referred(
        service_account::by_id(tx, scope, spec.service_account).await,
        "/spec/service_account",
        "There is no such service account in this tenant.",
    )?;
    // Whoever makes a program run as somebody could otherwise do what only that one may.
    api_key::check_held(tx, caller, scope, spec.service_account).await?;
    let named = spec.program.topics();
    let ids: Vec<_> = named.iter().map(|it| it.topic.uuid()).collect();
    let found = topics_of(tx, scope, spec.cluster, &ids).await?;
    let bindings = auth::bindings(tx, spec.service_account.uuid()).await?;
    let errors = named
        .iter()
        .filter_map(|it| missing(it, cluster, &found, &bindings));
    Error::check(errors.collect())?;
    program::check(tx, scope, spec, &found).await
}

/// What is missing of a topic, or of the rights that the job has on it.
fn missing(
    named: &NamedTopic,
    cluster: &Cluster,
    found: &[UsedTopic],
    bindings: &[Binding],
) -> Option<FieldError> {
    let pointer = format!("/spec/program/{}", named.field);
    let Some(topic) = found.iter().find(|it| it.id == named.topic) else {
        return Some(FieldError {
            pointer,
            code: code::BAD_REFERENCE.into(),
            detail: "There is no such topic in the job's cluster.".into(),
        });
    };
    if topic.is_mount && named.part != "SOURCE" {
        return Some(FieldError {
            pointer,
            code: code::MOUNTED.into(),
            detail: "The topic shows one that is shared with the tenant: it is read, and nobody writes it."
                .into(),
        });
    }
    if topic.is_mirror && named.part != "SOURCE" {
        return Some(FieldError {
            pointer,
            code: code::MIRRORED.into(),
            detail: "The topic is written by a cluster link, and by nobody else until it is taken out of the link.".into(),
        });
    }
    let (environment, cluster) = (&cluster.environment_name, &cluster.spec.name);
    let resource = format!("environment={environment}/cluster={cluster}/topic={}", topic.name);
    let (does, least) = match named.part {
        "SOURCE" => ("read", Role::Reader),
        _ => ("write", Role::Developer),
    };
    if holds(bindings, least, &resource) {
        return None;
    }
    let detail = format!(
        "The job's service account may not {does} this topic: it needs the role {} on {resource}.",
        least.name()
    );
    Some(FieldError {
        pointer,
        code: code::ROLE_MISSING.into(),
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reaches_its_topics() {
        let binding = |role, resource: &str| Binding {
            role,
            resource: resource.to_owned(),
            tenant: None,
        };
        let topic = "environment=prod/cluster=cards/topic=payments";
        for (role, resource, least, enough) in [
            (Role::Reader, "*", Role::Reader, true),
            (Role::Reader, "*", Role::Developer, false),
            (
                Role::Developer,
                "environment=prod/cluster=cards/topic=pay*",
                Role::Developer,
                true,
            ),
            (Role::TenantAdmin, "environment=prod", Role::Developer, true),
            (Role::Developer, "environment=test/*", Role::Reader, false),
            (Role::Operator, "*", Role::Reader, false),
        ] {
            assert_eq!(
                holds(&[binding(role, resource)], least, topic),
                enough,
                "{role:?} {resource}"
            );
        }
    }
}
