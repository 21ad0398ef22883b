//! The messages that cross a network boundary, and the signatures over desired states and questions.
//!
//! `agent::v1` is the link between agent and control plane; `lane::v1` the local channel between
//! agent and gateway. What may leave the customer's network is listed in `outbound-fields.txt`.

pub mod ask;
pub mod desired;
pub mod topic_config;

/// The published descriptor (an encoded `FileDescriptorSet`): whoever replays a ledger decodes its frames against this.
pub const PUBLISHED_DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/published.binpb"));

/// The agents' link.
pub mod agent {
    /// Version 1: additive changes only.
    #[expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::too_many_lines,
        reason = "generated; the comments stand in the .proto files"
    )]
    pub mod v1 {
        tonic::include_proto!("weir.agent.v1");
    }
}

/// The local lane between an agent and its gateways.
pub mod lane {
    /// Version 1: additive changes only.
    #[expect(
        missing_docs,
        clippy::allow_attributes,
        reason = "generated; the comments stand in the .proto files"
    )]
    pub mod v1 {
        tonic::include_proto!("weir.lane.v1");
    }
}
