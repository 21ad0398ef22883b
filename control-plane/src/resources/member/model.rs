//! What a member is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Home;
use crate::kernel::{FieldError, Labels, MemberId, OrganizationId, TenantId, check_display_name, code};

const EMAIL_LENGTH_MAX: usize = 254;
const LOCAL_LENGTH_MAX: usize = 64;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    /// Who signs in; unique in the installation, kept in lower case, and it never changes.
    #[schema(max_length = 254)]
    pub email: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub display_name: String,
    /// The organization of a member above its tenants. With a tenant it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organization: Option<OrganizationId>,
    /// The tenant of its member. Without organization and tenant the member belongs where the request stands: in the
    /// tenant that it is about, in the caller's organization, or among the operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tenant: Option<TenantId>,
}

/// A row. The password's hash is not part of it: it is read at sign-in only.
#[derive(Debug, Clone)]
pub struct Member {
    /// Id.
    pub id: MemberId,
    /// What is wished.
    pub spec: MemberSpec,
    /// When a password was last accepted.
    pub last_signed_in_at: Option<DateTime<Utc>>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Member {
    /// Where the member belongs.
    #[must_use]
    pub const fn home(&self) -> Home {
        Home::of(self.spec.organization, self.spec.tenant)
    }
}

/// Name within the tenant, or above tenants.
#[must_use]
pub fn resource_name(spec: &MemberSpec) -> String {
    format!("member={}", spec.email)
}

/// Collects what is wrong with a spec whose e-mail is normalised.
pub fn validate(spec: &MemberSpec, errors: &mut Vec<FieldError>) {
    let MemberSpec {
        email,
        display_name,
        organization: _,
        tenant: _,
    } = spec;
    if !is_email(email) {
        errors.push(FieldError {
            pointer: "/spec/email".into(),
            code: code::BAD_NAME.into(),
            detail: "Not an e-mail address such as name@example.com of at most 254 characters.".into(),
        });
    }
    check_display_name("/spec/display_name", display_name, 200, errors);
}

/// The form in which an address is stored and looked up.
#[must_use]
pub fn normalised(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

/// The common form `local@domain` (RFC 5321 without quoting, comments, literals and international characters).
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let legal_local = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"._+-'~&=".contains(&it);
    let legal_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= EMAIL_LENGTH_MAX
        && (1..=LOCAL_LENGTH_MAX).contains(&local.len())
        && local.bytes().all(legal_local)
        && domain.split('.').all(legal_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_and_bounded() {
        for (text, good) in [
            ("paula@payments.example", true),
            ("a.b+c@example.com", true),
            ("operator@localhost", true),
            ("", false),
            ("paula", false),
            ("@example.com", false),
            ("paula@", false),
            ("paula@@example.com", false),
            ("paula@a@example.com", false),
            ("pau la@example.com", false),
            ("paula@example..com", false),
            ("paula@-example.com", false),
            ("paula@example.com\0", false),
            ("Paula@example.com", false),
        ] {
            assert_eq!(is_email(text), good, "{text:?}");
        }
        assert_eq!(normalised(" Paula@Example.COM "), "paula@example.com");
        assert!(!is_email(&format!("{}@example.com", "a".repeat(65))));
        let domain = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".");
        assert!(is_email(&format!("{}@{domain}", "a".repeat(10))));
        assert!(!is_email(&format!("{}@{domain}", "a".repeat(11))));
    }
}
