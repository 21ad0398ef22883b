//! Quotas as Kafka's tools read them.

use kafka_protocol::messages::DescribeClientQuotasRequest;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

use super::*;

fn quota(id: &str, cluster: &str, subject: QuotaSubject, principals: &[&str], ingress: u64) -> Quota {
    Quota {
        id: id.to_owned(),
        cluster_id: format!("cluster_{cluster}"),
        subject: subject.into(),
        principal_ids: principals.iter().map(|it| (*it).to_owned()).collect(),
        mode: QuotaMode::Enforce.into(),
        limits: Some(QuotaLimits {
            ingress_bytes_per_second: ingress,
            ..QuotaLimits::default()
        }),
        ..Quota::default()
    }
}

fn limited(key: &str) -> Tenant {
    let mut snapshot = sample::snapshot();
    snapshot.quotas = vec![
        quota("default", sample::A, QuotaSubject::Default, &[], 10),
        quota("own", sample::A, QuotaSubject::Principals, &["writer"], 20),
        quota(
            "shared",
            sample::A,
            QuotaSubject::Shared,
            &["reader", "writer"],
            30,
        ),
        Quota {
            mode: QuotaMode::Shadow.into(),
            ..quota("shadow", sample::A, QuotaSubject::Principals, &["reader"], 40)
        },
        quota(
            "foreign",
            sample::B,
            QuotaSubject::Principals,
            &["other", "third"],
            50,
        ),
        quota("foreign-default", sample::B, QuotaSubject::Default, &[], 60),
    ];
    let folder = tempfile::tempdir().unwrap();
    tenant_of(&snapshot, key, &shared(folder.path()))
}

/// (user, value) of each entry; the error code.
fn described(
    key: &str,
    components: &[(&'static str, i8, Option<&'static str>)],
    strict: bool,
) -> Result<Vec<(Option<String>, f64)>, i16> {
    let components = components.iter().map(|(entity_type, match_type, name)| {
        ComponentData::default()
            .with_entity_type(text(entity_type))
            .with_match_type(*match_type)
            .with_match(name.map(text))
    });
    let request = DescribeClientQuotasRequest::default()
        .with_components(components.collect())
        .with_strict(strict);
    let answer = ask(&limited(key), &mut Memory::default(), 1, &request).answered();
    match answer.entries {
        Some(entries) => Ok(entries
            .iter()
            .map(|it| {
                assert_eq!(it.entity.len(), 1);
                assert_eq!(it.values[0].key.as_str(), "producer_byte_rate");
                let user = it.entity[0].entity_name.as_ref().map(ToString::to_string);
                (user, it.values[0].value)
            })
            .collect()),
        None => Err(answer.error_code),
    }
}

const ALL: &[(&str, i8, Option<&str>)] = &[("user", 2, None)];

#[test]
fn a_principal_reads_the_quotas_that_bind_it_and_an_administrator_all_of_its_cluster() {
    let named = |name: &str, value| (Some(name.to_owned()), value);
    assert_eq!(
        described("key_writer", ALL, false),
        Ok(vec![named("writer", 20.0)])
    );
    assert_eq!(described("key_reader", ALL, false), Ok(vec![(None, 10.0)]));
    let all = vec![named("other", 50.0), named("third", 50.0), (None, 60.0)];
    assert_eq!(described("key_other", ALL, true), Ok(all.clone()));
    assert_eq!(described("key_other", &[], false), Ok(all));
}

#[test]
fn components_choose_as_a_broker_does() {
    let only = |components: &[(&'static str, i8, Option<&'static str>)]| {
        described("key_other", components, false).map(|it| it.len())
    };
    assert_eq!(only(&[("user", 0, Some("third"))]), Ok(1));
    assert_eq!(only(&[("user", 0, Some("writer"))]), Ok(0));
    assert_eq!(only(&[("user", 1, None)]), Ok(1));
    assert_eq!(only(&[("client-id", 2, None)]), Ok(0));
    assert_eq!(only(&[("user", 2, None), ("client-id", 2, None)]), Ok(0));
    assert_eq!(
        only(&[("user", 2, None), ("user", 1, None)]),
        Err(code::INVALID_REQUEST)
    );
    assert_eq!(only(&[("house", 2, None)]), Err(code::UNSUPPORTED_VERSION));
}
