//! What the API promises of a rate card.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::rate_card::model::{RateCard, RateCardSpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so: no agent serves a rate card, so it is READY at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RateCardStatus {
    /// Always READY.
    pub phase: Phase,
}

impl Resource for kind::RateCard {
    type Spec = RateCardSpec;
    type Status = RateCardStatus;
}

impl From<RateCard> for Object<kind::RateCard> {
    fn from(row: RateCard) -> Self {
        let resource_name = row.resource_name();
        let RateCard {
            id,
            spec,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        Self::new(id, metadata, spec, RateCardStatus { phase: Phase::Ready })
    }
}
