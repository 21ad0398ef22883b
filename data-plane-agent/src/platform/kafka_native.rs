//! Kafka's own users, access rules and client quotas over the wire protocol.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use weir_credentials::{NativeCredential, SaltedPassword};
use weir_kafka_wire::kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use weir_kafka_wire::kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use weir_kafka_wire::kafka_protocol::messages::create_acls_request::AclCreation;
use weir_kafka_wire::kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use weir_kafka_wire::kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use weir_kafka_wire::kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterUserScramCredentialsRequest, CreateAclsRequest, DeleteAclsRequest,
    DescribeAclsRequest, DescribeClientQuotasRequest, DescribeUserScramCredentialsRequest,
};

use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, accepted, text};
use super::native::{Acl, Limits, Native, SeenNative};

const DESCRIBE_ACLS: i16 = 3;
const CREATE_ACLS: i16 = 3;
const DELETE_ACLS: i16 = 3;
const DESCRIBE_CLIENT_QUOTAS: i16 = 1;
const ALTER_CLIENT_QUOTAS: i16 = 1;
const SCRAM_CREDENTIALS: i16 = 0;
/// Any resource, pattern, operation, permission (KIP-133).
const ANY: i8 = 1;
/// An entity whose name is set, whatever it is (KIP-546).
const ANY_NAME: i8 = 2;
const SCRAM_SHA_256: i8 = 1;
const SCRAM_SHA_512: i8 = 2;
/// `RESOURCE_NOT_FOUND`: there is no such credential, as is wished.
const RESOURCE_NOT_FOUND: i16 = 91;
/// `NOT_CONTROLLER`: brokers under ZooKeeper do not hand on what changes users.
const NOT_CONTROLLER: i16 = 41;
/// Rules in one request.
const RULES_PER_CALL: usize = 500;

impl RealKafka {
    async fn users_of(
        &self,
        at: &PoolAddress,
        node: i32,
        prefix: &str,
    ) -> Result<BTreeMap<String, BTreeSet<i8>>, KafkaError> {
        let request = DescribeUserScramCredentialsRequest::default().with_users(None);
        let answer = self.call(at, Some(node), &request, SCRAM_CREDENTIALS).await?;
        accepted(answer.error_code)?;
        let users = answer
            .results
            .into_iter()
            .filter(|it| it.error_code == 0 && it.user.starts_with(prefix));
        let users = users.map(|it| {
            let mechanisms = it.credential_infos.iter().map(|info| info.mechanism);
            (it.user.as_str().to_owned(), mechanisms.collect())
        });
        Ok(users.collect())
    }

    async fn acls_of(&self, at: &PoolAddress, node: i32, prefix: &str) -> Result<BTreeSet<Acl>, KafkaError> {
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(ANY)
            .with_resource_name_filter(None)
            .with_pattern_type_filter(ANY)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let answer = self.call(at, Some(node), &request, DESCRIBE_ACLS).await?;
        accepted(answer.error_code)?;
        let rules = answer.resources.into_iter().flat_map(|resource| {
            let (kind, name, pattern) = (
                resource.resource_type,
                resource.resource_name,
                resource.pattern_type,
            );
            resource.acls.into_iter().map(move |rule| Acl {
                principal: rule.principal.as_str().to_owned(),
                host: rule.host.as_str().to_owned(),
                resource: kind,
                name: name.as_str().to_owned(),
                pattern,
                operation: rule.operation,
                permission: rule.permission_type,
            })
        });
        let ours = rules.filter(|it| it.user().is_some_and(|user| user.starts_with(prefix)));
        Ok(ours.collect())
    }

    async fn limits_of(
        &self,
        at: &PoolAddress,
        node: i32,
        prefix: &str,
    ) -> Result<BTreeMap<String, Limits>, KafkaError> {
        let users = ComponentData::default()
            .with_entity_type(text("user"))
            .with_match_type(ANY_NAME)
            .with_match(None);
        let request = DescribeClientQuotasRequest::default()
            .with_components(vec![users])
            .with_strict(true);
        let answer = self
            .call(at, Some(node), &request, DESCRIBE_CLIENT_QUOTAS)
            .await?;
        accepted(answer.error_code)?;
        let mut limits = BTreeMap::new();
        for entry in answer.entries.unwrap_or_default() {
            let [entity] = entry.entity.as_slice() else {
                continue;
            };
            let name = entity.entity_name.as_ref().map(|it| it.as_str());
            let Some(name) = name.filter(|it| it.starts_with(prefix)) else {
                continue;
            };
            let values = entry
                .values
                .iter()
                .map(|it| (it.key.as_str().to_owned(), it.value));
            limits.insert(name.to_owned(), values.collect());
        }
        Ok(limits)
    }

    /// To whichever broker takes it: under ZooKeeper that is the controller alone.
    async fn alter_users(
        &self,
        at: &PoolAddress,
        request: &AlterUserScramCredentialsRequest,
    ) -> Result<(), KafkaError> {
        let mut failed = KafkaError::Unreachable;
        for (node, _host, _port) in &at.brokers {
            let answer = match self.call(at, Some(*node), request, SCRAM_CREDENTIALS).await {
                Ok(answer) => answer,
                Err(error) => {
                    failed = error;
                    continue;
                }
            };
            let wrong = answer
                .results
                .iter()
                .map(|it| it.error_code)
                .find(|code| !matches!(*code, 0 | RESOURCE_NOT_FOUND));
            match wrong {
                None => return Ok(()),
                Some(NOT_CONTROLLER) => failed = KafkaError::Refused(NOT_CONTROLLER),
                Some(code) => return Err(KafkaError::Refused(code)),
            }
        }
        Err(failed)
    }
}

fn upsertion(name: &str, mechanism: i8, iterations: i32, one: &SaltedPassword) -> ScramCredentialUpsertion {
    ScramCredentialUpsertion::default()
        .with_name(text(name))
        .with_mechanism(mechanism)
        .with_iterations(iterations)
        .with_salt(Bytes::from(one.salt.clone()))
        .with_salted_password(Bytes::from(one.salted.clone()))
}

impl Native for RealKafka {
    fn native_of<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<SeenNative, KafkaError>> {
        Box::pin(async move {
            Ok(SeenNative {
                acls: self.acls_of(at, node, prefix).await?,
                users: self.users_of(at, node, prefix).await?,
                limits: self.limits_of(at, node, prefix).await?,
            })
        })
    }

    fn put_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        credential: &'a NativeCredential,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let iterations = i32::try_from(credential.iterations.get()).unwrap_or(i32::MAX);
            let both = [
                (SCRAM_SHA_256, &credential.sha256),
                (SCRAM_SHA_512, &credential.sha512),
            ];
            // Kafka's controller refuses to change one user twice in a request (DUPLICATE_RESOURCE).
            for (mechanism, one) in both {
                let upsertion = upsertion(name, mechanism, iterations, one);
                let request = AlterUserScramCredentialsRequest::default().with_upsertions(vec![upsertion]);
                self.alter_users(at, &request).await?;
            }
            Ok(())
        })
    }

    fn remove_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        mechanisms: &'a BTreeSet<i8>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            for mechanism in mechanisms {
                let deletion = ScramCredentialDeletion::default()
                    .with_name(text(name))
                    .with_mechanism(*mechanism);
                let request = AlterUserScramCredentialsRequest::default().with_deletions(vec![deletion]);
                self.alter_users(at, &request).await?;
            }
            Ok(())
        })
    }

    fn create_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            for page in rules.chunks(RULES_PER_CALL) {
                let creations = page.iter().map(|rule| {
                    AclCreation::default()
                        .with_resource_type(rule.resource)
                        .with_resource_name(text(&rule.name))
                        .with_resource_pattern_type(rule.pattern)
                        .with_principal(text(&rule.principal))
                        .with_host(text(&rule.host))
                        .with_operation(rule.operation)
                        .with_permission_type(rule.permission)
                });
                let request = CreateAclsRequest::default().with_creations(creations.collect());
                let answer = self.call(at, None, &request, CREATE_ACLS).await?;
                answer.results.iter().try_for_each(|it| accepted(it.error_code))?;
            }
            Ok(())
        })
    }

    fn delete_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            for page in rules.chunks(RULES_PER_CALL) {
                let filters = page.iter().map(|rule| {
                    DeleteAclsFilter::default()
                        .with_resource_type_filter(rule.resource)
                        .with_resource_name_filter(Some(text(&rule.name)))
                        .with_pattern_type_filter(rule.pattern)
                        .with_principal_filter(Some(text(&rule.principal)))
                        .with_host_filter(Some(text(&rule.host)))
                        .with_operation(rule.operation)
                        .with_permission_type(rule.permission)
                });
                let request = DeleteAclsRequest::default().with_filters(filters.collect());
                let answer = self.call(at, None, &request, DELETE_ACLS).await?;
                for result in &answer.filter_results {
                    accepted(result.error_code)?;
                    result
                        .matching_acls
                        .iter()
                        .try_for_each(|it| accepted(it.error_code))?;
                }
            }
            Ok(())
        })
    }

    fn limit_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a Limits,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let entity = EntityData::default()
                .with_entity_type(text("user"))
                .with_entity_name(Some(text(name)));
            let setting = set.iter().map(|(key, value)| {
                OpData::default()
                    .with_key(text(key))
                    .with_value(*value)
                    .with_remove(false)
            });
            let removing = remove
                .iter()
                .map(|key| OpData::default().with_key(text(key)).with_remove(true));
            let entry = EntryData::default()
                .with_entity(vec![entity])
                .with_ops(setting.chain(removing).collect());
            let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
            let answer = self.call(at, None, &request, ALTER_CLIENT_QUOTAS).await?;
            answer.entries.iter().try_for_each(|it| accepted(it.error_code))
        })
    }
}
