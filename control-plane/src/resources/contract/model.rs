//! What contexts, subjects and versions are.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Error, ErrorKind, Id, Result, code, kind};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::standing::{ContractClassification, ContractLifecycle};
use crate::resources::contract::wish::Metadata;
use crate::resources::environment::EnvironmentId;

/// Id of a contract.
pub type ContractId = Id<kind::Contract>;

/// The longest name of a subject, in bytes.
const SUBJECT_LENGTH_MAX: usize = 512;
/// The longest text to search for, in characters.
const SOUGHT_MAX: usize = 200;

/// A set of subjects of its own: an environment of the tenant, or the default context, which is the tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Context {
    /// The environment; none for the default context.
    pub environment: Option<Uuid>,
    /// The environment's name; empty for the default context.
    pub name: String,
}

impl Context {
    /// As the tables hold it.
    #[must_use]
    pub fn key(&self) -> Uuid {
        self.environment.unwrap_or_default()
    }

    /// As the registry's API writes it: `.` is the default context, `.prod` that of the environment prod.
    #[must_use]
    pub fn label(&self) -> String {
        format!(".{}", self.name)
    }

    /// The step of a resource name above a contract; empty in the default context.
    #[must_use]
    pub fn resource_prefix(&self) -> String {
        if self.environment.is_none() {
            return String::new();
        }
        format!("environment={}/", self.name)
    }
}

/// A subject of a context.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Where.
    pub context: Context,
    /// The name within the context.
    pub name: String,
}

impl Subject {
    /// As somebody whose names without a context mean `home` reads it.
    #[must_use]
    pub fn shown(&self, home: &Context) -> String {
        if self.context == *home {
            return self.name.clone();
        }
        format!(":{}:{}", self.context.label(), self.name)
    }

    /// Name within the tenant, for roles and audit. What a pattern could not hold is escaped, so that a role on `a` does not
    /// reach `a/b`.
    #[must_use]
    pub fn resource_name(&self) -> String {
        let mut name = format!("{}contract=", self.context.resource_prefix());
        for byte in self.name.bytes() {
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'+');
            if plain {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        name
    }
}

/// The context that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextName {
    /// None: the caller's own.
    Home,
    /// `:.:`
    Default,
    /// `:.prod:`
    Named(String),
    /// `:*:`, in searches.
    All,
}

impl ContextName {
    /// Reads `.prod` or `:.prod:`, as contexts stand in paths.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_matches(':');
        match text.strip_prefix('.').unwrap_or(text) {
            "" => Self::Default,
            name => Self::Named(name.to_owned()),
        }
    }

    /// Splits `:.prod:orders` into context and the rest.
    #[must_use]
    pub fn split(text: &str) -> (Self, &str) {
        if let Some(rest) = text.strip_prefix(":*:") {
            return (Self::All, rest);
        }
        let qualified = text.strip_prefix(":.").and_then(|it| it.split_once(':'));
        match qualified {
            Some(("", rest)) => (Self::Default, rest),
            Some((name, rest)) => (Self::Named(name.to_owned()), rest),
            None => (Self::Home, text),
        }
    }
}

/// Refuses what cannot be the name of a subject.
pub fn check_subject(shown: &str, name: &str) -> Outcome<()> {
    let reserved = matches!(name, "__GLOBAL" | "__EMPTY");
    let fits = (1..=SUBJECT_LENGTH_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if reserved || !fits {
        return Err(Refusal::InvalidSubject(shown.to_owned()).into());
    }
    Ok(())
}

/// A reference of a schema: the version of another subject, and how the schema names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaReference {
    /// As the schema names it.
    pub name: String,
    /// The subject; without a context, one of the schema's own.
    pub subject: String,
    /// The version; -1 is the latest.
    pub version: i32,
}

/// A schema under its id.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The row.
    pub row: Uuid,
    /// Its context.
    pub context: Context,
    /// The id that records carry.
    pub id: i32,
    /// The same for the same content, wherever it is.
    pub guid: Uuid,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub format: weir_contract::Format,
    /// The canonical text.
    pub text: String,
    /// What it refers to.
    pub references: Vec<SchemaReference>,
    /// Tags, properties, sensitive properties.
    pub metadata: Option<Metadata>,
    /// Rules.
    pub rule_set: Option<serde_json::Value>,
}

/// A version of a subject.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The subject.
    pub subject: Subject,
    /// Its number.
    pub version: i32,
    /// Deleted, but not for good.
    pub deleted: bool,
    /// The schema.
    pub schema: Schema,
}

/// Which contracts a list shows.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Those of this environment.
    pub environment: Option<EnvironmentId>,
    /// Those that contain this, in small letters.
    pub text: Option<String>,
    /// Those of this owner.
    pub owner: Option<String>,
    /// Those in this stage.
    pub lifecycle: Option<ContractLifecycle>,
    /// Those of this class.
    pub classification: Option<ContractClassification>,
}

impl Sought {
    /// What a query asks for.
    ///
    /// # Errors
    /// A text that is too long.
    pub fn from_query(environment: Option<EnvironmentId>, q: Option<String>) -> Result<Self> {
        let text = q.map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty());
        if text.as_ref().is_some_and(|it| it.chars().count() > SOUGHT_MAX) {
            return Err(Error::new(
                ErrorKind::Malformed,
                code::MALFORMED_QUERY,
                format!("q has {SOUGHT_MAX} characters at most."),
            ));
        }
        Ok(Self {
            environment,
            text,
            ..Self::default()
        })
    }
}

/// Which versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Those that stand.
    Live,
    /// Deleted ones too.
    All,
    /// Deleted ones only.
    Deleted,
}

impl Lookup {
    /// From the parameters `deleted` and `deletedOnly`, of which the latter wins.
    #[must_use]
    pub const fn of(deleted: bool, deleted_only: bool) -> Self {
        match (deleted, deleted_only) {
            (_, true) => Self::Deleted,
            (true, false) => Self::All,
            (false, false) => Self::Live,
        }
    }

    /// Whether both live and deleted ones count; if not, whether deleted ones do.
    #[must_use]
    pub const fn flags(self) -> (bool, bool) {
        match self {
            Self::Live => (false, false),
            Self::All => (true, false),
            Self::Deleted => (false, true),
        }
    }
}

/// Part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Rows to leave out.
    pub offset: i64,
    /// Rows to give.
    pub limit: i64,
}

/// Who asks, and what names without a context mean to him.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Who.
    pub caller: Caller,
    /// Whose rows.
    pub scope: TenantScope,
    /// The context of unqualified names.
    pub home: Context,
    /// Names the request in the audit log.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prod() -> Context {
        Context {
            environment: Some(Uuid::from_u128(7)),
            name: "prod".into(),
        }
    }

    #[test]
    fn a_qualified_name_has_its_context_before_it() {
        let named = |name: &str| ContextName::Named(name.into());
        for (text, context, rest) in [
            ("orders-value", ContextName::Home, "orders-value"),
            (":.prod:orders-value", named("prod"), "orders-value"),
            (":.:orders-value", ContextName::Default, "orders-value"),
            (":.prod:", named("prod"), ""),
            (":.prod:a:b", named("prod"), "a:b"),
            (":*:ord", ContextName::All, "ord"),
            (":odd", ContextName::Home, ":odd"),
            (":.unclosed", ContextName::Home, ":.unclosed"),
        ] {
            assert_eq!(ContextName::split(text), (context, rest), "{text}");
        }
        for text in [".prod", ":.prod:", "prod"] {
            assert_eq!(ContextName::parse(text), named("prod"), "{text}");
        }
        for text in [".", ":.:", ""] {
            assert_eq!(ContextName::parse(text), ContextName::Default, "{text}");
        }
    }

    #[test]
    fn a_subject_is_shown_as_its_reader_would_write_it() {
        let subject = Subject {
            context: prod(),
            name: "orders-value".into(),
        };
        assert_eq!(subject.shown(&prod()), "orders-value");
        assert_eq!(subject.shown(&Context::default()), ":.prod:orders-value");
        let own = Subject {
            context: Context::default(),
            name: "a".into(),
        };
        assert_eq!(own.shown(&prod()), ":.:a");
    }

    #[test]
    fn a_role_on_one_subject_reaches_no_other() {
        let name = |name: &str| {
            Subject {
                context: prod(),
                name: name.into(),
            }
            .resource_name()
        };
        assert_eq!(name("a"), "environment=prod/contract=a");
        assert_eq!(name("a/b"), "environment=prod/contract=a%2Fb");
        assert!(!crate::kernel::matches_pattern(&name("a"), &name("a/b")));
        assert!(crate::kernel::matches_pattern("environment=prod/*", &name("a")));
    }

    #[test]
    fn odd_names_are_no_subjects() {
        for name in ["", "a\nb", "__GLOBAL", "__EMPTY", &"x".repeat(513)] {
            assert!(check_subject(name, name).is_err(), "{name:?}");
        }
        for name in ["a", "google/protobuf/timestamp.proto", "größe", "a b"] {
            assert!(check_subject(name, name).is_ok(), "{name:?}");
        }
    }
}
