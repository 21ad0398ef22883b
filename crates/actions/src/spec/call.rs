//! Steps that ask an HTTP endpoint or a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Asks an HTTP endpoint or a model, and puts what it answers into fields.
///
/// A body is a CEL value that is written as JSON, not a text with holes: what a record holds cannot break out of its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// What the endpoint speaks.
    #[serde(default)]
    pub shape: CallShape,
    /// Where: `https://host/path` or `http://host/path`, without query. The host is in the customer's egress policy.
    pub url: String,
    /// Expressions of texts that are put behind the path, each as one part of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Expressions of texts that become the query, by names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// The method of a REST endpoint.
    #[serde(default)]
    pub method: Method,
    /// Headers with constant values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A secret that the agent puts into a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretUse>,
    /// REST: an expression whose value is the body, as JSON; `message` if nothing is said. GET has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// OPENAI_CHAT: which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// OPENAI_CHAT: what it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// OPENAI_CHAT: whether the answer's text is JSON.
    #[serde(default)]
    pub json: bool,
    /// OPENAI_CHAT: how free the model is, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// OPENAI_CHAT: how long the answer may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_max: Option<u32>,
    /// Expressions by paths that also see `response` and `status`. `response` is the JSON that came; of OPENAI_CHAT the text of the
    /// model, or with `json` what that text says.
    pub set: BTreeMap<String, String>,
    /// How long to wait for an answer.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u32,
    /// How often to ask again after a timeout, a broken connection, 429 or 5xx.
    #[serde(default = "retries")]
    pub retries: u32,
    /// How many requests a worker makes at the same time.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
}

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CallShape {
    /// JSON in, JSON out.
    #[default]
    Rest,
    /// The chat completions of OpenAI, which most model servers offer.
    OpenaiChat,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    #[default]
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
}

impl Method {
    /// As HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// A secret in a header. The spec names it; only the agent knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretUse {
    /// Its name at the agent.
    pub reference: String,
    /// The header.
    #[serde(default = "authorization")]
    pub header: String,
    /// What stands before it.
    #[serde(default = "bearer")]
    pub prefix: String,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// An expression of a text.
    pub content: String,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Who made the task.
    System,
    /// Who asks.
    User,
    /// The model, in an example.
    Assistant,
}

impl Role {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

const fn timeout_ms() -> u32 {
    10_000
}

const fn retries() -> u32 {
    3
}

const fn concurrency() -> u32 {
    16
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn bearer() -> String {
    "Bearer ".to_owned()
}
