//! Which wishes of quotas can be kept. Pure.

use std::collections::BTreeSet;

use crate::kernel::{FieldError, code};
use crate::resources::quota::model::{QuotaFloors, QuotaLimits, QuotaMode, QuotaSpec, QuotaSubject};

/// Less would mute a client for seconds after each small request.
const BYTES_LEAST: i64 = 1024;
/// A tebibyte a second: beyond what any data plane carries.
const BYTES_MOST: i64 = 1 << 40;
const REQUESTS_MOST: i64 = 10_000_000;
const CONNECTIONS_MOST: i64 = 1_000_000;
const MUTATIONS_MOST: i64 = 100_000;
/// Kafka's segments are larger than less.
const STORAGE_LEAST: i64 = 1 << 20;
/// A pebibyte: beyond what any data plane holds, and below what JSON numbers hold.
const STORAGE_MOST: i64 = 1 << 50;
const BURST_SECONDS_MOST: i32 = 60;
const PRINCIPALS_MOST: usize = 1000;

fn refusal(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> FieldError {
    FieldError {
        pointer: pointer.into(),
        code: code.into(),
        detail: detail.into(),
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &QuotaSpec, errors: &mut Vec<FieldError>) {
    let QuotaSpec {
        cluster: _,
        subject,
        limits,
        floors,
        mode: _,
        burst_seconds,
    } = spec;
    check_subject(subject, errors);
    check_limits(limits, errors);
    check_storage(subject, limits.storage_bytes, errors);
    check_floors(subject, limits, floors, errors);
    if !(0..=BURST_SECONDS_MOST).contains(burst_seconds) {
        errors.push(refusal(
            "/spec/burst_seconds",
            code::OUT_OF_RANGE,
            format!("burst_seconds is 0 to {BURST_SECONDS_MOST}."),
        ));
    }
}

fn check_subject(subject: &QuotaSubject, errors: &mut Vec<FieldError>) {
    let (QuotaSubject::Principals { principals } | QuotaSubject::Shared { principals }) = subject else {
        return;
    };
    if !(1..=PRINCIPALS_MOST).contains(&principals.len()) {
        let detail = format!("A quota of this kind names 1 to {PRINCIPALS_MOST} service accounts.");
        errors.push(refusal("/spec/subject/principals", code::OUT_OF_RANGE, detail));
    }
    let mut seen = BTreeSet::new();
    for (at, principal) in principals.iter().enumerate() {
        if !seen.insert(principal.uuid()) {
            let pointer = format!("/spec/subject/principals/{at}");
            errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "The service account is named twice.",
            ));
        }
    }
}

fn check_limits(limits: &QuotaLimits, errors: &mut Vec<FieldError>) {
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes: _,
    } = limits;
    for (name, value) in [
        ("ingress_bytes_per_second", ingress_bytes_per_second),
        ("egress_bytes_per_second", egress_bytes_per_second),
    ] {
        check_bytes(&format!("/spec/limits/{name}"), *value, errors);
    }
    for (name, value, most) in [
        ("requests_per_second", requests_per_second, REQUESTS_MOST),
        ("connections", connections, CONNECTIONS_MOST),
        (
            "partition_mutations_per_second",
            partition_mutations_per_second,
            MUTATIONS_MOST,
        ),
    ] {
        if value.is_some_and(|it| !(1..=most).contains(&it)) {
            errors.push(refusal(
                format!("/spec/limits/{name}"),
                code::OUT_OF_RANGE,
                format!("{name} is 1 to {most}. To let nobody in, delete the API keys."),
            ));
        }
    }
    if *limits == QuotaLimits::default() {
        errors.push(refusal(
            "/spec/limits",
            code::REQUIRED,
            "A quota has at least one limit.",
        ));
    }
}

/// The disk of a cluster is its tenant's as a whole: who filled a topic is not known of the bytes that are left of it.
fn check_storage(subject: &QuotaSubject, bytes: Option<i64>, errors: &mut Vec<FieldError>) {
    let Some(bytes) = bytes else { return };
    let pointer = "/spec/limits/storage_bytes";
    if !matches!(subject, QuotaSubject::Tenant {}) {
        let detail = "Storage is limited for the whole cluster: a quota of the kind TENANT. Brokers do not tell whose bytes \
                      are left of a topic that several service accounts write to.";
        errors.push(refusal(pointer, code::OUT_OF_RANGE, detail));
    }
    if !(STORAGE_LEAST..=STORAGE_MOST).contains(&bytes) {
        let detail = format!("storage_bytes is {STORAGE_LEAST} to {STORAGE_MOST}.");
        errors.push(refusal(pointer, code::OUT_OF_RANGE, detail));
    }
}

fn check_bytes(pointer: &str, value: Option<i64>, errors: &mut Vec<FieldError>) {
    if value.is_some_and(|it| !(BYTES_LEAST..=BYTES_MOST).contains(&it)) {
        let detail = format!(
            "A rate of bytes is {BYTES_LEAST} to {BYTES_MOST}. Below a kibibyte a second, each request would silence its \
             client for seconds; to stop somebody, delete the API keys."
        );
        errors.push(refusal(pointer, code::OUT_OF_RANGE, detail));
    }
}

fn check_floors(
    subject: &QuotaSubject,
    limits: &QuotaLimits,
    floors: &QuotaFloors,
    errors: &mut Vec<FieldError>,
) {
    let QuotaFloors {
        ingress_bytes_per_second,
        egress_bytes_per_second,
    } = floors;
    for (name, floor, limit) in [
        (
            "ingress_bytes_per_second",
            ingress_bytes_per_second,
            limits.ingress_bytes_per_second,
        ),
        (
            "egress_bytes_per_second",
            egress_bytes_per_second,
            limits.egress_bytes_per_second,
        ),
    ] {
        let Some(floor) = floor else { continue };
        let pointer = format!("/spec/floors/{name}");
        check_bytes(&pointer, Some(*floor), errors);
        match (subject, limit) {
            (QuotaSubject::Default {}, _) => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "Nobody knows how many principals the default is for, so it cannot promise each a floor. Name them.",
            )),
            (QuotaSubject::Tenant {}, _) => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "The tenant's budget is the widest: there is none that a floor could be left of.",
            )),
            (_, None) => errors.push(refusal(
                format!("/spec/limits/{name}"),
                code::REQUIRED,
                "A floor needs its limit beside it.",
            )),
            (_, Some(limit)) if *floor > limit => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                format!("The floor is above the limit, which is {limit}."),
            )),
            (_, Some(_limit)) => {}
        }
    }
}

/// Collects what Kafka's own client quotas (KIP-124, KIP-599), which are all that there is in native mode, cannot keep. What a
/// quota of a cluster in native mode says is kept, or it is not taken.
pub fn validate_native(spec: &QuotaSpec, errors: &mut Vec<FieldError>) {
    let QuotaSpec {
        cluster: _,
        subject,
        limits,
        floors,
        mode,
        burst_seconds,
    } = spec;
    let mut unless = |kept: bool, pointer: &str, detail: &str| {
        if !kept {
            let detail = format!("The cluster is in native mode, where Kafka itself keeps quotas: {detail}");
            errors.push(refusal(pointer, code::NOT_ENFORCED, detail));
        }
    };
    unless(
        matches!(
            subject,
            QuotaSubject::Principals { .. } | QuotaSubject::Default {}
        ),
        "/spec/subject/kind",
        "each user has its own, there is no budget for several. Take PRINCIPALS or DEFAULT.",
    );
    unless(
        *mode == QuotaMode::Enforce,
        "/spec/mode",
        "they are kept or not there, nothing counts who would have been throttled.",
    );
    unless(
        *burst_seconds == 0,
        "/spec/burst_seconds",
        "how much unused rate is saved up is a setting of the brokers.",
    );
    unless(
        *floors == QuotaFloors::default(),
        "/spec/floors",
        "nothing is left in any case.",
    );
    let QuotaLimits {
        ingress_bytes_per_second: _,
        egress_bytes_per_second: _,
        requests_per_second,
        connections,
        partition_mutations_per_second: _,
        storage_bytes,
    } = limits;
    for (name, value, detail) in [
        (
            "requests_per_second",
            requests_per_second,
            "it counts the brokers' time, not requests.",
        ),
        (
            "connections",
            connections,
            "it limits connections of addresses, not of users.",
        ),
        (
            "storage_bytes",
            storage_bytes,
            "it has none for storage. Topics have `retention_bytes`.",
        ),
    ] {
        unless(value.is_none(), &format!("/spec/limits/{name}"), detail);
    }
}

/// Collects what may not change so between two specs.
pub fn validate_change(before: &QuotaSpec, after: &QuotaSpec, errors: &mut Vec<FieldError>) {
    if before.subject.name() != after.subject.name() {
        errors.push(refusal(
            "/spec/subject/kind",
            code::IMMUTABLE,
            "The kind of subject cannot change; create another Quota instead.",
        ));
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
