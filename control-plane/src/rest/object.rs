//! The envelope of every object and list, and how a patch is merged into a spec.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::{Error, FieldError, Id, Kind, Labels, Page, PageToken, Result, code};

/// A kind that the API serves.
pub trait Resource: Kind + Send + Sync + Sized {
    /// What is wished.
    type Spec: std::fmt::Debug + Serialize + DeserializeOwned + ToSchema + Clone + Send + Sync;
    /// What is so.
    type Status: std::fmt::Debug + Serialize + ToSchema + Send + Sync;
    /// A field that only the create answer has, such as `secret`.
    fn shown_once() -> Option<(&'static str, RefOr<Schema>)> {
        None
    }
}

/// Where an object stands. New phases may appear: treat an unknown one as not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// Wished, not yet begun.
    Pending,
    /// Being made so.
    Provisioning,
    /// As wished, and enforced everywhere.
    Ready,
    /// It works, but not as wished.
    Degraded,
    /// It cannot be made so; the reason tells why.
    Failed,
    /// A job that does what it should.
    Running,
    /// A job that sleeps until there is something to do.
    Suspended,
    /// A job that is about to stop.
    Stopping,
    /// A job that stands still, as wished.
    Stopped,
    /// A job that has done all that there was to do.
    Completed,
    /// Going away.
    Deleting,
    /// A credential or a share past its end.
    Expired,
    /// A grant that waits for its guest.
    Offered,
    /// A share that waits for its recipient.
    Invited,
    /// A share that its recipient has looked at.
    Previewed,
    /// A grant or a share in use.
    Active,
    /// A grant or a share that was refused.
    Declined,
    /// A share that its recipient has ended.
    Left,
    /// A request that was granted.
    Approved,
    /// A request that was refused.
    Rejected,
    /// A request that whoever made it took back.
    Withdrawn,
    /// A grant or a share that its owner withdrew, or a data plane that was cut off.
    Revoked,
}

/// What every object carries besides spec and status.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Metadata {
    /// Hierarchical name, used by roles and audit.
    pub resource_name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its spec or labels last changed.
    pub updated_at: DateTime<Utc>,
    /// Rises with each change; the ETag.
    pub generation: i64,
    /// Free labels.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
}

/// One object.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub struct Object<R: Resource> {
    /// Always `v1`.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The id.
    pub id: Id<R>,
    /// Names, times, generation, labels.
    pub metadata: Metadata,
    /// What is wished.
    pub spec: R::Spec,
    /// What is so.
    pub status: R::Status,
}

impl<R: Resource> Object<R> {
    /// The envelope around its parts.
    pub fn new(id: Id<R>, metadata: Metadata, spec: R::Spec, status: R::Status) -> Self {
        Self {
            api_version: "v1",
            kind: R::KIND,
            id,
            metadata,
            spec,
            status,
        }
    }

    /// As JSON, for answers, plans and audit.
    ///
    /// # Errors
    /// 500 when it cannot be written, which does not happen.
    pub fn json(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(Error::internal)
    }
}

impl<R: Resource> PartialSchema for Object<R> {
    fn schema() -> RefOr<Schema> {
        let mut object = ObjectBuilder::new()
            .property(
                "api_version",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(["v1"])),
            )
            .property(
                "kind",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([R::KIND])),
            )
            .property("id", Id::<R>::schema())
            .property("metadata", Ref::from_schema_name("Metadata"))
            .property("spec", Ref::from_schema_name(R::Spec::name()))
            .property("status", Ref::from_schema_name(R::Status::name()));
        for name in ["api_version", "kind", "id", "metadata", "spec", "status"] {
            object = object.required(name);
        }
        if let Some((name, schema)) = R::shown_once() {
            object = object.property(name, schema);
        }
        object.into()
    }
}
impl<R: Resource> ToSchema for Object<R> {
    fn name() -> std::borrow::Cow<'static, str> {
        R::KIND.into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Metadata::name().into(), Metadata::schema()));
        Metadata::schemas(schemas);
        schemas.push((R::Spec::name().into(), R::Spec::schema()));
        R::Spec::schemas(schemas);
        schemas.push((R::Status::name().into(), R::Status::schema()));
        R::Status::schemas(schemas);
    }
}

/// Where a list goes on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListMetadata {
    /// Send it as `page_token` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_page_token: Option<String>,
}

/// One page of objects.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub struct List<R: Resource> {
    kind: String,
    metadata: ListMetadata,
    data: Vec<Object<R>>,
}

impl<R: Resource> List<R> {
    /// A page; `rows` hold one more than its size when another page follows.
    pub fn new(page: Page, rows: Vec<Object<R>>) -> Self {
        let (data, next) = page.cut(rows, |it| it.id.uuid());
        let metadata = ListMetadata {
            next_page_token: next.map(PageToken::encode),
        };
        Self {
            kind: format!("{}List", R::KIND),
            metadata,
            data,
        }
    }
}

impl<R: Resource> PartialSchema for List<R> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property("kind", ObjectBuilder::new().schema_type(Type::String))
            .property("metadata", Ref::from_schema_name("ListMetadata"))
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(R::KIND)))
            .required("kind")
            .required("metadata")
            .required("data")
            .into()
    }
}
impl<R: Resource> ToSchema for List<R> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}List", R::KIND).into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ListMetadata::name().into(), ListMetadata::schema()));
        schemas.push((Object::<R>::name().into(), Object::<R>::schema()));
        Object::<R>::schemas(schemas);
    }
}

/// What the caller may set of the metadata.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataInput {
    /// Free labels.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
}

/// The body of a create.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct ObjectInput<R: Resource> {
    /// What is wished.
    pub spec: R::Spec,
    /// Labels.
    #[serde(default)]
    pub metadata: MetadataInput,
}

impl<R: Resource> ObjectInput<R> {
    /// A wish without labels.
    #[must_use]
    pub fn of(spec: R::Spec) -> Self {
        Self {
            spec,
            metadata: MetadataInput::default(),
        }
    }
}

fn input_schema<R: Resource>(spec: RefOr<Schema>, name: &'static str) -> ObjectBuilder {
    let _of = R::KIND;
    ObjectBuilder::new()
        .property("spec", spec)
        .property("metadata", Ref::from_schema_name(name))
        .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(
            false,
        )))
}

impl<R: Resource> PartialSchema for ObjectInput<R> {
    fn schema() -> RefOr<Schema> {
        input_schema::<R>(Ref::from_schema_name(R::Spec::name()).into(), "MetadataInput")
            .required("spec")
            .into()
    }
}
impl<R: Resource> ToSchema for ObjectInput<R> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Input", R::KIND).into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MetadataInput::name().into(), MetadataInput::schema()));
        schemas.push((R::Spec::name().into(), R::Spec::schema()));
        R::Spec::schemas(schemas);
    }
}

/// The body of a change: a JSON merge patch (RFC 7396) of spec and labels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct PatchInput<R: Resource> {
    /// Fields to change; null resets one to its default.
    #[serde(default)]
    pub spec: serde_json::Map<String, Value>,
    /// Labels to change.
    #[serde(default)]
    pub metadata: MetadataPatch,
    #[serde(skip)]
    of: std::marker::PhantomData<fn() -> R>,
}

/// Labels to change; null removes one.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataPatch {
    /// Free labels.
    pub labels: std::collections::BTreeMap<String, Option<String>>,
}

impl<R: Resource> PartialSchema for PatchInput<R> {
    fn schema() -> RefOr<Schema> {
        let description = format!(
            "Fields of {} to change; null resets one to its default.",
            R::Spec::name()
        );
        let spec = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(description))
            .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(
                true,
            )));
        input_schema::<R>(spec.into(), "MetadataPatch").into()
    }
}
impl<R: Resource> ToSchema for PatchInput<R> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Patch", R::KIND).into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MetadataPatch::name().into(), MetadataPatch::schema()));
    }
}

/// The spec and labels after a patch. `immutable` names fields that may not change.
///
/// # Errors
/// 422 with the pointer of a field that is unknown, of the wrong type, or immutable.
pub fn merged<R: Resource>(
    spec: &R::Spec,
    labels: &Labels,
    patch: PatchInput<R>,
    immutable: &[&str],
) -> Result<(R::Spec, Labels)> {
    let PatchInput {
        spec: changes,
        metadata: MetadataPatch {
            labels: label_changes,
        },
        of: _,
    } = patch;
    let before = serde_json::to_value(spec).map_err(Error::internal)?;
    let mut after = before.clone();
    merge(&mut after, Value::Object(changes));
    let fixed = immutable
        .iter()
        .filter(|name| before.get(**name) != after.get(**name))
        .map(|name| FieldError {
            pointer: format!("/spec/{name}"),
            code: code::IMMUTABLE.to_owned(),
            detail: format!("{name} cannot change; create another {} instead.", R::KIND),
        });
    Error::check(fixed.collect())?;
    let spec = serde_path_to_error::deserialize(after)
        .map_err(|error| super::extract::bad_field("/spec", &error))?;
    let mut labels = labels.clone();
    for (key, value) in label_changes {
        match value {
            Some(value) => labels.insert(key, value),
            None => labels.remove(&key),
        };
    }
    Ok((spec, labels))
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(&key);
                } else {
                    merge(target.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

/// An object as an answer: with its generation as ETag.
#[derive(Debug)]
pub struct Served<R: Resource>(pub Object<R>);

impl<R: Resource> axum::response::IntoResponse for Served<R> {
    fn into_response(self) -> axum::response::Response {
        let etag = format!("\"{}\"", self.0.metadata.generation);
        ([(http::header::ETAG, etag)], axum::Json(self.0)).into_response()
    }
}
