//! What a request is, and its life: PENDING, until it is APPROVED, REJECTED, WITHDRAWN, or its time is over.

use chrono::{DateTime, TimeDelta, Utc};

use crate::kernel::{ClusterId, Error, Id, Result, TenantId, code, kind};
use crate::resources::share::model::ShareId;
use crate::resources::share::product::DataProductId;
use crate::resources::topic::TopicId;
use crate::rest::Phase;

/// Id of a request.
pub type AccessRequestId = Id<kind::AccessRequest>;

/// How long somebody may wait for an answer.
pub const WAITS: TimeDelta = TimeDelta::days(30);
/// Characters of a reason, and of the answer to it.
pub const TEXT_MAX: usize = 1000;
/// Requests of a tenant within a day.
pub const A_DAY_MAX: i64 = 50;
/// Requests of a tenant for the same within a day.
pub const A_DAY_FOR_ONE_MAX: i64 = 3;

/// A row.
#[derive(Debug, Clone)]
pub struct AccessRequest {
    /// Id.
    pub id: AccessRequestId,
    /// Whose topic it is.
    pub owner: TenantId,
    /// Who asks.
    pub requester: TenantId,
    /// For what.
    pub product: DataProductId,
    /// What that was called.
    pub product_name: String,
    /// Its topic; none to whoever does not see it.
    pub topic: Option<TopicId>,
    /// Where the requester would show it.
    pub cluster: Option<ClusterId>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub phase: Phase,
    /// What was answered.
    pub answer: String,
    /// The share that it became.
    pub share: Option<ShareId>,
    /// When its time is over.
    pub expires_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// Rises with each change.
    pub generation: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What somebody decides about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The owner makes a share of it.
    Approve,
    /// The owner refuses it.
    Reject,
    /// The requester takes it back.
    Withdraw,
    /// Its time is over.
    Expire,
}

impl Decision {
    /// As an action of the audit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Expire => "expire",
        }
    }

    const fn phase(self) -> Phase {
        match self {
            Self::Approve => Phase::Approved,
            Self::Reject => Phase::Rejected,
            Self::Withdraw => Phase::Withdrawn,
            Self::Expire => Phase::Expired,
        }
    }
}

/// The request after a decision.
///
/// # Errors
/// 409 unless it is PENDING; and one whose time is over can only expire.
pub fn decide(row: &AccessRequest, decision: Decision, now: DateTime<Utc>) -> Result<AccessRequest> {
    let over = row.expires_at <= now;
    if row.phase != Phase::Pending || over != (decision == Decision::Expire) {
        let stands = if row.phase == Phase::Pending && over {
            phase_name(Phase::Expired)
        } else {
            phase_name(row.phase)
        };
        let detail = format!(
            "A request that is {stands} cannot be the subject of {}: it was decided.",
            decision.name()
        );
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    Ok(AccessRequest {
        phase: decision.phase(),
        decided_at: Some(now),
        generation: row.generation + 1,
        ..row.clone()
    })
}

/// The stored name of a request's phase.
#[must_use]
pub const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Approved => "APPROVED",
        Phase::Rejected => "REJECTED",
        Phase::Withdrawn => "WITHDRAWN",
        Phase::Expired => "EXPIRED",
        _ => "PENDING",
    }
}

/// Reads a stored name; the column's check knows no other.
#[must_use]
pub fn phase_of(name: &str) -> Phase {
    match name {
        "APPROVED" => Phase::Approved,
        "REJECTED" => Phase::Rejected,
        "WITHDRAWN" => Phase::Withdrawn,
        "EXPIRED" => Phase::Expired,
        _ => Phase::Pending,
    }
}

/// A name for shares and topics, from what people call the product.
#[must_use]
pub fn plain_name(product: &str, most: usize) -> String {
    let mut name = String::new();
    for letter in product.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(most);
    let name = name.trim_matches('-');
    if name.starts_with(|it: char| it.is_ascii_lowercase()) {
        name.to_owned()
    } else {
        format!("product-{name}").trim_end_matches('-').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> AccessRequest {
        AccessRequest {
            id: AccessRequestId::generate(),
            owner: TenantId::generate(),
            requester: TenantId::generate(),
            product: DataProductId::generate(),
            product_name: "Card payments".to_owned(),
            topic: None,
            cluster: None,
            reason: "Scoring.".to_owned(),
            phase: Phase::Pending,
            answer: String::new(),
            share: None,
            expires_at: Utc::now() + WAITS,
            decided_at: None,
            generation: 1,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        }
    }

    #[test]
    fn a_request_is_decided_once() {
        let (row, now) = (pending(), Utc::now());
        for decision in [Decision::Approve, Decision::Reject, Decision::Withdraw] {
            let after = decide(&row, decision, now).unwrap();
            assert_eq!(phase_of(phase_name(after.phase)), decision.phase());
            assert_eq!(after.generation, 2);
            for again in [
                Decision::Approve,
                Decision::Reject,
                Decision::Withdraw,
                Decision::Expire,
            ] {
                assert!(
                    decide(&after, again, now).is_err(),
                    "{again:?} after {decision:?}"
                );
            }
        }
        assert!(
            decide(&row, Decision::Expire, now).is_err(),
            "its time is not over"
        );
        let later = row.expires_at;
        assert!(
            decide(&row, Decision::Approve, later).is_err(),
            "its time is over"
        );
        assert_eq!(
            decide(&row, Decision::Expire, later).unwrap().phase,
            Phase::Expired
        );
    }

    #[test]
    fn names_are_made_of_what_people_write() {
        for (product, name) in [
            ("Card payments", "card-payments"),
            ("  Zahlungen – übers Jahr ", "zahlungen-bers-jahr"),
            ("2026 orders", "product-2026-orders"),
            ("支払い", "product"),
            ("a_b.c", "a-b-c"),
        ] {
            assert_eq!(plain_name(product, 40), name);
        }
        assert_eq!(plain_name("abc def", 4), "abc");
    }
}
