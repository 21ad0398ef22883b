//! Calls of HTTP endpoints and models: the request that a record makes, and what an answer means.

mod answer;
mod request;

use std::fmt;

pub(crate) use answer::{Verdict, judge};
pub(crate) use request::build;

use crate::limits::RESPONSE_BYTES_MAX;
use crate::path::Path;
use crate::plan::Expression;
use crate::spec::{Method, Role, SecretUse};

/// A request that the host makes. The host adds the secret, and refuses what the customer's egress policy does not allow.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Which step asks, counted from 1.
    pub step: usize,
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// Where. May hold what the record holds.
    pub url: String,
    /// Headers beside that of the secret.
    pub headers: Vec<(String, String)>,
    /// The secret and its header.
    pub secret: Option<SecretUse>,
    /// JSON.
    pub body: Option<Vec<u8>>,
    /// How long to wait for the whole answer.
    pub timeout_ms: u32,
    /// The first is 1.
    pub attempt: u32,
    /// How long to wait before this attempt.
    pub wait_ms: u64,
}

impl fmt::Debug for Request {
    /// Without what the record holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("step", &self.step)
            .field("method", &self.method)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The endpoint answered.
    Response {
        /// The status.
        status: u16,
        /// The body, no more than [`RESPONSE_BYTES_MAX`](crate::limits::RESPONSE_BYTES_MAX).
        body: Vec<u8>,
    },
    /// It did not.
    Failure(Failure),
}

impl Answer {
    /// Bytes of its body that are read.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Response { body, .. } => body.len().min(RESPONSE_BYTES_MAX),
            Self::Failure(_) => 0,
        }
    }
}

impl fmt::Debug for Answer {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, .. } => write!(f, "Response({status})"),
            Self::Failure(failure) => write!(f, "{failure:?}"),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It took too long.
    Timeout,
    /// No connection, or one that broke.
    Unreachable,
    /// The body is larger than it may be.
    TooLarge,
    /// The customer's egress policy does not allow it, or the secret is not there.
    Refused,
}

/// A step that calls, ready to run.
#[derive(Debug)]
pub(crate) struct CallPlan {
    pub method: Method,
    pub url: String,
    pub path: Vec<Expression>,
    pub query: Vec<(String, Expression)>,
    pub headers: Vec<(String, String)>,
    pub secret: Option<SecretUse>,
    pub body: Body,
    pub set: Vec<(Path, Expression)>,
    pub timeout_ms: u32,
    pub retries: u32,
    pub concurrency: u32,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// The record.
    Message,
    /// What an expression says.
    Value(Expression),
    /// A chat.
    Chat(Chat),
}

/// What a model is told.
#[derive(Debug)]
pub(crate) struct Chat {
    pub model: String,
    pub messages: Vec<(Role, Expression)>,
    /// Whether its answer's text is JSON.
    pub json: bool,
    pub temperature: Option<f64>,
    pub tokens_max: Option<u32>,
}

impl CallPlan {
    /// All expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let body: Vec<&Expression> = match &self.body {
            Body::None | Body::Message => Vec::new(),
            Body::Value(expression) => vec![expression],
            Body::Chat(chat) => chat.messages.iter().map(|(_role, content)| content).collect(),
        };
        let query = self.query.iter().map(|(_name, value)| value);
        let set = self.set.iter().map(|(_path, value)| value);
        self.path.iter().chain(query).chain(set).chain(body)
    }
}
