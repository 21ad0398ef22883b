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
    TENANT_REQUIRED "tenant_required",
    NOT_FOUND "not_found",
    METHOD_NOT_ALLOWED "method_not_allowed",
    NAME_TAKEN "name_taken",
    IN_USE "in_use",
    IN_FLIGHT "in_flight",
    WRONG_PHASE "wrong_phase",
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
    IMMUTABLE "immutable",
    CANNOT_SHRINK "cannot_shrink",
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused",
    TOO_MANY_REQUESTS "too_many_requests",
    INTERNAL "internal",
    AGENT_UNREACHABLE "agent_unreachable",
}

/// What a violated constraint means to the caller: kind, code, pointer, detail.
#[must_use]
pub fn of_constraint(name: &str) -> Option<(ErrorKind, &'static str, &'static str, &'static str)> {
    let taken = |detail| Some((ErrorKind::Conflict, NAME_TAKEN, "/spec/name", detail));
    let missing = |pointer, detail| Some((ErrorKind::Invalid, BAD_REFERENCE, pointer, detail));
    match name {
        "organization_name_unique" => taken("Another organization has this name."),
        "tenant_name_unique" => taken("Another tenant of the organization has this name."),
        "service_account_name_unique" => taken("Another service account of the tenant has this name."),
        "environment_name_unique" => taken("Another environment of the tenant has this name."),
        "data_plane_name_unique" => taken("Another data plane of the tenant has this name."),
        "broker_pool_name_unique" => taken("Another broker pool of the data plane has this name."),
        "cluster_name_unique" => {
            taken("Another cluster of the environment has this name (it may still be going away).")
        }
        "topic_name_unique" => {
            taken("Another topic of the cluster has this name (it may still be going away).")
        }
        "rate_card_name_unique" => taken("Another rate card has this name."),
        "member_email_unique" => Some((
            ErrorKind::Conflict,
            NAME_TAKEN,
            "/spec/email",
            "Somebody has signed up with this e-mail address.",
        )),
        "role_binding_unique" => Some((
            ErrorKind::Conflict,
            NAME_TAKEN,
            "/spec",
            "The principal holds this role on this resource already.",
        )),
        "data_plane_grant_unique" => Some((
            ErrorKind::Conflict,
            NAME_TAKEN,
            "/spec/guest_tenant",
            "The tenant has an open or active grant on this pool.",
        )),
        "data_plane_grant_to_another" => missing(
            "/spec/guest_tenant",
            "A grant is for another tenant than your own.",
        ),
        "data_plane_grant_guest_exists" => missing("/spec/guest_tenant", "There is no such tenant."),
        // The same constraint speaks when its target is deleted and when its source names nothing.
        "tenant_organization_exists" | "member_organization_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The organization still has tenants or members, or does not exist.",
        )),
        "environment_tenant_exists"
        | "data_plane_tenant_exists"
        | "service_account_tenant_exists"
        | "member_tenant_exists"
        | "role_binding_tenant_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The tenant still has objects; delete them first.",
        )),
        "cluster_environment_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The environment still has clusters; delete them first.",
        )),
        "cluster_pool_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The broker pool still has clusters; delete them first.",
        )),
        "broker_pool_data_plane_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The data plane still has broker pools; delete them first.",
        )),
        "topic_cluster_exists" | "api_key_cluster_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The cluster still has topics or keys; delete them first.",
        )),
        "api_key_service_account_exists" => Some((
            ErrorKind::Conflict,
            IN_USE,
            "",
            "The service account still has API keys; delete them first.",
        )),
        "role_binding_member_exists" | "role_binding_service_account_exists" => {
            missing("/spec/principal", "There is no such principal in this tenant.")
        }
        _ => None,
    }
}
