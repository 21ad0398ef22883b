//! What may happen to a rate card. What was rated by it in a month that is over never changes.

use chrono::{DateTime, Utc};

use crate::auth::{Caller, DirectoryScope};
use crate::kernel::{Action, Change, Error, Id, Owner, Result, code, kind};
use crate::resources::rate_card::model::{self, RateCard, RateCardId, RateCardSpec};
use crate::resources::rate_card::store;
use crate::resources::usage::month_start;
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::RateCard>;

/// Cards stand above tenants: their record is the operators'.
const OWNER: Owner = Owner {
    organization: None,
    tenant: None,
};

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    input: ObjectInput<kind::RateCard>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, OWNER, call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    check_past(&mut write, &spec, Utc::now()).await?;
    let id: RateCardId = Id::generate();
    store::insert(write.tx(), id, &spec, &metadata.labels).await?;
    let row = store::by_id(write.tx(), id).await?;
    let change = Change::new(Action::Create, id, &row.resource_name(), row.generation, OWNER);
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: RateCardId,
    patch: PatchInput<kind::RateCard>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, OWNER, call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), id).await?;
    call.check_generation(before.generation)?;
    let fixed = ["name", "organization", "tenant"];
    let (spec, labels) = merged::<kind::RateCard>(&before.spec, &before.labels, patch, &fixed)?;
    if spec != before.spec {
        check_not_in_force(&before, Utc::now())?;
        check_past(&mut write, &spec, Utc::now()).await?;
    }
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    let mut after = before.clone();
    (after.spec, after.labels, after.generation) = (spec, labels, before.generation + 1);
    store::update(write.tx(), before.generation, &after).await?;
    let after = store::by_id(write.tx(), id).await?;
    let change = Change::new(
        Action::Update,
        id,
        &after.resource_name(),
        after.generation,
        OWNER,
    );
    let view = View::from(after).json()?;
    write
        .record(
            change
                .with_before(View::from(before).json()?)
                .with_after(view.clone()),
        )
        .await?;
    write.finish(200, view).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: DirectoryScope,
    call: &Call,
    id: RateCardId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, OWNER, call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), id).await?;
    call.check_generation(row.generation)?;
    check_not_in_force(&row, Utc::now())?;
    store::delete(write.tx(), id).await?;
    let change = Change::new(Action::Delete, id, &row.resource_name(), row.generation, OWNER);
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}

/// A card in force stays as it is.
fn check_not_in_force(card: &RateCard, now: DateTime<Utc>) -> Result<()> {
    if card.spec.effective_from > now {
        return Ok(());
    }
    let detail = "The card is in force since its effective_from, so it cannot change or go; create one that takes its place from a later hour.";
    Err(Error::conflict(code::IMMUTABLE, detail))
}

/// A card may begin in the past only where that changes no month that is over.
async fn check_past(write: &mut Write, spec: &RateCardSpec, now: DateTime<Utc>) -> Result<()> {
    let open_since = month_start(now);
    if spec.effective_from >= open_since
        || !store::used_between(write.tx(), spec, spec.effective_from, open_since).await?
    {
        return Ok(());
    }
    let detail = "There is usage between this moment and the beginning of the month, and months that are over keep their prices: begin this month or later.";
    Err(Error::invalid("/spec/effective_from", code::OUT_OF_RANGE, detail))
}
