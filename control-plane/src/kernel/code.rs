//! The stable codes of errors. Each has its paragraph in docs/errors.md; a test compares.

use crate::kernel::ErrorKind;

macro_rules! codes {
    ($($name:ident $text:literal),* $(,)?) => {
        $(#[doc = concat!("`", $text, "`, explained in docs/errors.md.")] pub const $name: &str = $text;)*
        /// Every code.
        pub const ALL: &[&str] = &[$($text),*];
    };
}

codes! {
    BUSY "busy",
    MALFORMED_JSON "malformed_json",
    MALFORMED_QUERY "malformed_query",
    MALFORMED_HEADER "malformed_header",
    UNAUTHENTICATED "unauthenticated",
    WRONG_PASSWORD "wrong_password",
    CSRF "csrf",
    OVER_QUOTA "over_quota",
    DENIED "denied",
    POLICY_REFUSED "policy_refused",
    TENANT_REQUIRED "tenant_required",
    NOT_FOUND "not_found",
    METHOD_NOT_ALLOWED "method_not_allowed",
    NAME_TAKEN "name_taken",
    IN_USE "in_use",
    IN_FLIGHT "in_flight",
    WRONG_PHASE "wrong_phase",
    INCOMPATIBLE "incompatible",
    NOT_PERMITTED "not_permitted",
    NATIVE_ACCESS "native_access",
    NO_SEALING_KEY "no_sealing_key",
    GROUP_ACTIVE "group_active",
    KAFKA_REFUSED "kafka_refused",
    BEING_DELETED "being_deleted",
    EVENTS_GONE "events_gone",
    MOVED "moved",
    BODY_TOO_LARGE "body_too_large",
    NOT_JSON "not_json",
    INVALID "invalid",
    UNKNOWN_FIELD "unknown_field",
    WRONG_TYPE "wrong_type",
    REQUIRED "required",
    OUT_OF_RANGE "out_of_range",
    BAD_NAME "bad_name",
    BAD_LABELS "bad_labels",
    BAD_REFERENCE "bad_reference",
    BAD_PAGE_TOKEN "bad_page_token",
    BAD_CONFIG "bad_config",
    BAD_SCHEMA "bad_schema",
    BAD_RULE_SET "bad_rule_set",
    BAD_EXPRESSION "bad_expression",
    BAD_LIFECYCLE "bad_lifecycle",
    LINT_REFUSED "lint_refused",
    PROTECTED "protected",
    ROLE_MISSING "role_missing",
    BAD_PROGRAM "bad_program",
    IMMUTABLE "immutable",
    NOT_ENFORCED "not_enforced",
    CANNOT_SHRINK "cannot_shrink",
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused",
    TOO_MANY_REQUESTS "too_many_requests",
    INTERNAL "internal",
    AGENT_UNREACHABLE "agent_unreachable",
    SHARING_OFF "sharing_off",
    OTHER_POOL "other_pool",
    MOUNTED "mounted",
    MIRRORED "mirrored",
    SHARED "shared",
    ALREADY_MOUNTED "already_mounted",
    TERMS "terms",
    WRONG_INVITATION "wrong_invitation",
    NOT_LISTED "not_listed",
    ALREADY_REQUESTED "already_requested",
    ALREADY_SHARED "already_shared",
}

/// What a violated constraint means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// The constraint's name in the schema.
    constraint: &'static str,
    /// The failure that it is.
    pub kind: ErrorKind,
    /// Its code.
    pub code: &'static str,
    /// The field that it is about; empty when it is about none.
    pub pointer: &'static str,
    /// What to do.
    pub detail: &'static str,
}

const fn taken(constraint: &'static str, pointer: &'static str, detail: &'static str) -> Violation {
    Violation {
        constraint,
        kind: ErrorKind::Conflict,
        code: NAME_TAKEN,
        pointer,
        detail,
    }
}

const fn in_use(constraint: &'static str, detail: &'static str) -> Violation {
    Violation {
        constraint,
        kind: ErrorKind::Conflict,
        code: IN_USE,
        pointer: "",
        detail,
    }
}

const fn missing(constraint: &'static str, pointer: &'static str, detail: &'static str) -> Violation {
    Violation {
        constraint,
        kind: ErrorKind::Invalid,
        code: BAD_REFERENCE,
        pointer,
        detail,
    }
}

const TENANT_IN_USE: &str = "The tenant still has objects; delete them first.";
const CLUSTER_IN_USE: &str =
    "The cluster still has topics, keys, quotas, alert rules, jobs or cluster links; delete them first.";
const LINK_READS_AS: &str = "A cluster link reads as this service account; delete the link first.";
const LINK_COPIES: &str = "A cluster link copies the topic; take it out of the link first.";
const LINK_COPIES_ALREADY: &str = "A cluster link copies one of these topics into the target already.";
const CONTRACTS_LEFT: &str = "The environment still has contracts; delete their subjects for good first.";
const QUOTA_TAKEN: &str = "Another quota of this kind is for the principal on this cluster.";
const ORGANIZATION_IN_USE: &str = "The organization still has tenants or members, or does not exist.";
const NO_PRINCIPAL: &str = "There is no such principal in this tenant.";

const VIOLATIONS: &[Violation] = &[
    taken(
        "organization_name_unique",
        "/spec/name",
        "Another organization has this name.",
    ),
    taken(
        "tenant_name_unique",
        "/spec/name",
        "Another tenant of the organization has this name.",
    ),
    taken(
        "service_account_name_unique",
        "/spec/name",
        "Another service account of the tenant has this name.",
    ),
    taken(
        "environment_name_unique",
        "/spec/name",
        "Another environment of the tenant has this name.",
    ),
    taken(
        "data_plane_name_unique",
        "/spec/name",
        "Another data plane of the tenant has this name.",
    ),
    taken(
        "broker_pool_name_unique",
        "/spec/name",
        "Another broker pool of the data plane has this name.",
    ),
    taken(
        "cluster_name_unique",
        "/spec/name",
        "Another cluster of the environment has this name (it may still be going away).",
    ),
    taken(
        "cluster_own_names_unique",
        "/spec/broker_pool",
        "Another cluster on this broker pool has Kafka's own names: it adopts, or is in native mode.",
    ),
    taken(
        "topic_name_unique",
        "/spec/name",
        "Another topic of the cluster has this name (it may still be going away).",
    ),
    taken(
        "contract_schema_id_unique",
        "/id",
        "Another schema was imported under this id at the same moment.",
    ),
    taken(
        "compute_pool_name_unique",
        "/spec/name",
        "Another compute pool of the tenant has this name (it may still be going away).",
    ),
    taken(
        "job_name_unique",
        "/spec/name",
        "Another job of the cluster has this name (it may still be going away).",
    ),
    taken(
        "cluster_link_name_unique",
        "/spec/name",
        "Another cluster link of the tenant has this name.",
    ),
    in_use("cluster_link_source_exists", CLUSTER_IN_USE),
    in_use("cluster_link_target_exists", CLUSTER_IN_USE),
    in_use("cluster_link_service_account_exists", LINK_READS_AS),
    in_use("topic_mirror_source_exists", LINK_COPIES),
    in_use("topic_mirror_unique", LINK_COPIES_ALREADY),
    in_use("compute_pool_tenant_exists", TENANT_IN_USE),
    in_use(
        "compute_pool_data_plane_exists",
        "The data plane still has compute pools, of your own or of guests; delete them first.",
    ),
    in_use(
        "job_compute_pool_exists",
        "The compute pool still has jobs; delete them, or move them to another.",
    ),
    in_use("job_cluster_exists", CLUSTER_IN_USE),
    in_use(
        "job_service_account_exists",
        "A job has the rights of this service account; delete the job, or give it another.",
    ),
    in_use(
        "job_topic_exists",
        "A job reads or writes the topic; delete the job, or change what it does.",
    ),
    taken(
        "rate_card_name_unique",
        "/spec/name",
        "Another rate card has this name.",
    ),
    taken(
        "rate_card_effective_unique",
        "/spec/effective_from",
        "Another rate card for the same audience begins at this hour.",
    ),
    in_use(
        "rate_card_organization_exists",
        "The organization has rate cards, or does not exist.",
    ),
    in_use(
        "rate_card_tenant_exists",
        "The tenant has rate cards, or does not exist.",
    ),
    taken(
        "member_email_unique",
        "/spec/email",
        "Somebody has signed up with this e-mail address.",
    ),
    taken(
        "role_binding_unique",
        "/spec",
        "The principal holds this role on this resource already.",
    ),
    taken(
        "data_plane_grant_unique",
        "/spec/guest_tenant",
        "The tenant has an open or active grant on this pool.",
    ),
    missing(
        "data_plane_grant_to_another",
        "/spec/guest_tenant",
        "A grant is for another tenant than your own.",
    ),
    missing(
        "data_plane_grant_guest_exists",
        "/spec/guest_tenant",
        "There is no such tenant.",
    ),
    taken(
        "share_name_unique",
        "/spec/name",
        "Another share of the tenant that has not ended has this name.",
    ),
    taken(
        "share_topic_alias_unique",
        "/spec/topics",
        "Two topics of the share would have the same name for its recipient.",
    ),
    missing(
        "share_recipient_exists",
        "/spec/recipient/tenant",
        "There is no such tenant.",
    ),
    missing(
        "share_to_another",
        "/spec/recipient",
        "A share is for another tenant than your own.",
    ),
    missing(
        "data_product_reader_exists",
        "/tenants",
        "One of these tenants does not exist.",
    ),
    missing(
        "data_product_reader_another",
        "/tenants",
        "Your own tenant needs not be named.",
    ),
    missing("access_request_of_another", "", "The data product is your own."),
    Violation {
        constraint: "access_request_open",
        kind: ErrorKind::Conflict,
        code: ALREADY_REQUESTED,
        pointer: "",
        detail: "The tenant has asked for this data product already: wait for the answer, or withdraw the request.",
    },
    Violation {
        constraint: "share_ends_after_it_begins",
        kind: ErrorKind::Invalid,
        code: OUT_OF_RANGE,
        pointer: "/spec/expires_at",
        detail: "A share ends after it begins.",
    },
    Violation {
        constraint: "topic_mount_unique",
        kind: ErrorKind::Conflict,
        code: ALREADY_MOUNTED,
        pointer: "/cluster",
        detail: "The cluster shows one of these topics already (a mount may still be going away): once in a cluster, since committed \
                 offsets are by the topic.",
    },
    in_use(
        "topic_mount_shared",
        "A cluster still shows topics of the share: its mounts are on their way out.",
    ),
    in_use("tenant_organization_exists", ORGANIZATION_IN_USE),
    in_use("member_organization_exists", ORGANIZATION_IN_USE),
    in_use("environment_tenant_exists", TENANT_IN_USE),
    in_use("data_plane_tenant_exists", TENANT_IN_USE),
    in_use("service_account_tenant_exists", TENANT_IN_USE),
    in_use("contract_tenant_exists", TENANT_IN_USE),
    in_use("contract_schema_tenant_exists", TENANT_IN_USE),
    in_use("contract_environment_exists", CONTRACTS_LEFT),
    in_use("contract_schema_environment_exists", CONTRACTS_LEFT),
    in_use("contract_lint_rule_tenant_exists", TENANT_IN_USE),
    in_use(
        "contract_lint_rule_environment_exists",
        "The environment still has contract lint rules; delete them first.",
    ),
    taken(
        "contract_lint_rule_name_unique",
        "/spec/display_name",
        "Another contract lint rule of the tenant is called so.",
    ),
    in_use("member_tenant_exists", TENANT_IN_USE),
    in_use("role_binding_tenant_exists", TENANT_IN_USE),
    in_use(
        "cluster_environment_exists",
        "The environment still has clusters; delete them first.",
    ),
    in_use(
        "cluster_pool_exists",
        "The broker pool still has clusters; delete them first.",
    ),
    in_use(
        "broker_pool_data_plane_exists",
        "The data plane still has broker pools; delete them first.",
    ),
    taken(
        "quota_subject_unique",
        "/spec/subject",
        "Another quota of the cluster has this subject; change that one.",
    ),
    taken("quota_principal_unique", "/spec/subject/principals", QUOTA_TAKEN),
    in_use("quota_cluster_exists", CLUSTER_IN_USE),
    taken(
        "alert_rule_name_unique",
        "/spec/name",
        "Another alert rule of the cluster has this name; take another.",
    ),
    in_use("alert_rule_cluster_exists", CLUSTER_IN_USE),
    in_use(
        "quota_principal_service_account_exists",
        "A quota names the service account; take it out there first.",
    ),
    taken(
        "api_key_public_key_unique",
        "/spec/public_key_sha256",
        "Another API key of the cluster has this public key, and one that has ended counts too; delete that one first.",
    ),
    in_use("topic_cluster_exists", CLUSTER_IN_USE),
    in_use("api_key_cluster_exists", CLUSTER_IN_USE),
    in_use(
        "api_key_service_account_exists",
        "The service account still has API keys; delete them first.",
    ),
    missing("role_binding_member_exists", "/spec/principal", NO_PRINCIPAL),
    missing(
        "role_binding_service_account_exists",
        "/spec/principal",
        NO_PRINCIPAL,
    ),
];

/// The meaning of a constraint; `None` for one that only a bug can violate.
#[must_use]
pub fn of_constraint(name: &str) -> Option<&'static Violation> {
    VIOLATIONS.iter().find(|it| it.constraint == name)
}
