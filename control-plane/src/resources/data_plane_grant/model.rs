//! What a grant is, and its life: OFFERED, then ACTIVE or DECLINED; REVOKED by its owner at any time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Error, FieldError, Id, Labels, Result, TenantId, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::rest::Phase;

/// Id of a grant.
pub type DataPlaneGrantId = Id<kind::DataPlaneGrant>;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DataPlaneGrantSpec {
    /// The pool that the place is on; never changes.
    pub broker_pool: BrokerPoolId,
    /// The tenant that may use it; never changes.
    pub guest_tenant: TenantId,
    /// Clusters that the guest may have on the pool.
    #[serde(default = "clusters_default")]
    #[schema(minimum = 0, maximum = 1000, default = 5)]
    pub clusters_max: i32,
    /// Topics over all of them.
    #[serde(default = "topics_default")]
    #[schema(minimum = 0, maximum = 100_000, default = 100)]
    pub topics_max: i32,
    /// Partitions over all of them.
    #[serde(default = "partitions_default")]
    #[schema(minimum = 0, maximum = 1_000_000, default = 1000)]
    pub partitions_max: i32,
    /// Compute units that the guest's compute pools may have on the pool's data plane.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000, default = 0)]
    pub compute_units_max: i32,
}

const fn clusters_default() -> i32 {
    5
}
const fn topics_default() -> i32 {
    100
}
const fn partitions_default() -> i32 {
    1000
}

/// A row.
#[derive(Debug, Clone)]
pub struct DataPlaneGrant {
    /// Id.
    pub id: DataPlaneGrantId,
    /// Who lends.
    pub owner: TenantId,
    /// What is wished.
    pub spec: DataPlaneGrantSpec,
    /// Where it stands.
    pub phase: Phase,
    /// When the guest or the owner decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What somebody decides about a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The guest takes it.
    Accept,
    /// The guest refuses it.
    Decline,
    /// The owner takes it back.
    Revoke,
}

impl Decision {
    /// As an action of the audit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Revoke => "revoke",
        }
    }
}

/// The phase after a decision by `by`; only the guest answers an offer, only the owner revokes.
///
/// # Errors
/// 403 for the wrong side, 409 for the wrong phase.
pub fn decide(row: &DataPlaneGrant, by: TenantId, decision: Decision) -> Result<Phase> {
    let (side, who) = match decision {
        Decision::Accept | Decision::Decline => (row.spec.guest_tenant, "guest"),
        Decision::Revoke => (row.owner, "owner"),
    };
    if by != side {
        return Err(Error::denied(format!(
            "Only the grant's {who} may {} it.",
            decision.name()
        )));
    }
    match (decision, row.phase) {
        (Decision::Accept, Phase::Offered) => Ok(Phase::Active),
        (Decision::Decline, Phase::Offered) => Ok(Phase::Declined),
        (Decision::Revoke, Phase::Offered | Phase::Active) => Ok(Phase::Revoked),
        _ => Err(Error::conflict(
            code::WRONG_PHASE,
            format!(
                "A grant that is {:?} cannot be the subject of {}.",
                row.phase,
                decision.name()
            ),
        )),
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &DataPlaneGrantSpec, errors: &mut Vec<FieldError>) {
    let DataPlaneGrantSpec {
        broker_pool: _,
        guest_tenant: _,
        clusters_max,
        topics_max,
        partitions_max,
        compute_units_max,
    } = spec;
    let limits = [
        ("clusters_max", *clusters_max, 1000),
        ("topics_max", *topics_max, 100_000),
        ("partitions_max", *partitions_max, 1_000_000),
        ("compute_units_max", *compute_units_max, 1000),
    ];
    for (name, value, most) in limits {
        if !(0..=most).contains(&value) {
            errors.push(FieldError {
                pointer: format!("/spec/{name}"),
                code: code::OUT_OF_RANGE.into(),
                detail: format!("{name} is 0 to {most}."),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> DataPlaneGrant {
        let spec = DataPlaneGrantSpec {
            broker_pool: Id::generate(),
            guest_tenant: Id::generate(),
            clusters_max: 1,
            topics_max: 1,
            partitions_max: 1,
            compute_units_max: 0,
        };
        DataPlaneGrant {
            id: Id::generate(),
            owner: Id::generate(),
            spec,
            phase: Phase::Offered,
            decided_at: None,
            labels: Labels::new(),
            generation: 1,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        }
    }

    #[test]
    fn each_side_decides_what_is_its_own() {
        let row = offered();
        assert_eq!(
            decide(&row, row.spec.guest_tenant, Decision::Accept).unwrap(),
            Phase::Active
        );
        assert_eq!(
            decide(&row, row.spec.guest_tenant, Decision::Decline).unwrap(),
            Phase::Declined
        );
        assert_eq!(decide(&row, row.owner, Decision::Revoke).unwrap(), Phase::Revoked);
        assert!(
            decide(&row, row.owner, Decision::Accept).is_err(),
            "nobody accepts an own offer"
        );
        assert!(decide(&row, row.spec.guest_tenant, Decision::Revoke).is_err());
    }

    #[test]
    fn what_ended_stays_ended() {
        for phase in [Phase::Declined, Phase::Revoked] {
            let row = DataPlaneGrant { phase, ..offered() };
            assert!(decide(&row, row.spec.guest_tenant, Decision::Accept).is_err());
            assert!(decide(&row, row.owner, Decision::Revoke).is_err());
        }
    }
}
