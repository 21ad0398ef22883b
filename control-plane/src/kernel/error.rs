//! One error for all of the control plane: a kind (which fixes the HTTP status), a stable code, and what the caller can do.

use std::fmt;

use crate::kernel::code;

/// The result of everything that may fail towards a caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure; each is one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the request cannot be read.
    Malformed,
    /// 401: who calls is not known.
    Unauthenticated,
    /// 402: over a count quota.
    OverQuota,
    /// 403: seen, but not allowed.
    Denied,
    /// 404: not there, or not visible to the caller.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: collides with what exists or happens now.
    Conflict,
    /// 410: too old to resume from.
    Gone,
    /// 412: the object moved since it was read.
    Moved,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    UnsupportedMedia,
    /// 422: understood, but not valid.
    Invalid,
    /// 429: too many calls.
    TooMany,
    /// 500: our fault.
    Internal,
    /// 503: try again later.
    Unavailable,
}

impl ErrorKind {
    /// The HTTP status (RFC 9110).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::OverQuota => 402,
            Self::Denied => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::Moved => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::Invalid => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// One bad field of a body.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
    /// Stable code, explained in docs/errors.md.
    pub code: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A failure with everything that its problem document needs.
#[derive(Debug)]
pub struct Error {
    /// Fixes the status.
    pub kind: ErrorKind,
    /// Stable code, explained in docs/errors.md.
    pub code: &'static str,
    /// A sentence for the caller: what is wrong and what to do.
    pub detail: String,
    /// Each bad field.
    pub fields: Vec<FieldError>,
    /// Seconds after which a retry makes sense.
    pub retry_after_seconds: Option<u64>,
    /// For the log only; never shown to the caller.
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` with a code from [`code`].
    pub fn new(kind: ErrorKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after_seconds: None,
            source: None,
        }
    }

    /// 404 for what is not there or not visible: the two are not told apart.
    #[must_use]
    pub fn not_found(kind: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            code::NOT_FOUND,
            format!("No {kind} with this id is visible to you."),
        )
    }

    /// 403: which right is missing, and who can give it.
    pub fn denied(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, code::DENIED, detail)
    }

    /// 401.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorKind::Unauthenticated,
            code::UNAUTHENTICATED,
            "Sign in, or send a valid bearer token or API key.",
        )
    }

    /// 422 for one field; `pointer` such as `/spec/name`.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let field = FieldError {
            pointer: pointer.into(),
            code: code.to_owned(),
            detail: detail.clone(),
        };
        Self {
            fields: vec![field],
            ..Self::new(ErrorKind::Invalid, code::INVALID, detail)
        }
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, detail)
    }

    /// 503 with a time to retry after.
    pub fn unavailable(code: &'static str, detail: impl Into<String>, retry_after_seconds: u64) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(ErrorKind::Unavailable, code, detail)
        }
    }

    /// 500: what failed stays in the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let detail = "Something failed on our side. Nothing was changed; the request id names it in our log.";
        Self {
            source: Some(source.into()),
            ..Self::new(ErrorKind::Internal, code::INTERNAL, detail)
        }
    }

    fn violated(violation: &code::Violation) -> Self {
        let code::Violation {
            kind,
            code,
            pointer,
            detail,
            ..
        } = *violation;
        let mut error = Self::new(kind, code, detail);
        if !pointer.is_empty() {
            error.fields.push(FieldError {
                pointer: pointer.into(),
                code: code.into(),
                detail: detail.into(),
            });
        }
        error
    }

    /// Gathers field errors into one 422, if there are any.
    ///
    /// # Errors
    /// The 422, when `fields` is not empty.
    pub fn check(fields: Vec<FieldError>) -> Result<()> {
        let Some(first) = fields.first() else {
            return Ok(());
        };
        let detail = first.detail.clone();
        Err(Self {
            fields,
            ..Self::new(ErrorKind::Invalid, code::INVALID, detail)
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|it| &**it as _)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => {
                let mut busy = Self::unavailable(code::BUSY, "The database is busy; try again.", 1);
                busy.source = Some(Box::new(error));
                busy
            }
            sqlx::Error::Database(refused) => match refused.constraint().and_then(code::of_constraint) {
                Some(violation) => Self::violated(violation),
                None => Self::internal(error),
            },
            _ => Self::internal(error),
        }
    }
}
