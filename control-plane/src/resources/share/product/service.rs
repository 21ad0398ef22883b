//! Listing a topic, and finding what others have listed.

use std::collections::BTreeSet;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, ErrorKind, Kind as _, Page, Result, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::share::product::api::{self, Looked, TopicVisibility};
use crate::resources::share::product::model::{
    DataProductId, Product, TopicVisibilitySpec, Visibility, check,
};
use crate::resources::share::product::store;
use crate::resources::share::view::ShownField;
use crate::resources::share::{defaults, party, switch};
use crate::resources::topic::{self, Topic, TopicId};
use crate::resources::{cluster, owner, service_level};
use crate::rest::{Answer, Begun, Call, Object, Write};
use crate::runtime::{App, Tx};

/// How a topic is described to others.
///
/// # Errors
/// 404 when the tenant has no such topic.
pub async fn read(app: &App, scope: TenantScope, id: TopicId) -> Result<TopicVisibility> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let found = topic::by_id(&mut tx, scope, id).await?;
    let row = store::of_topic(&mut tx, scope, id).await?;
    let fields = match found.mount {
        Some(_mounted) => None,
        None => fields(&mut tx, scope, &found).await?,
    };
    tx.commit().await?;
    Ok(api::visibility(id, row, fields))
}

/// As the defaults of a share show them; none where it is not known how to hide what is tagged.
async fn fields(tx: &mut Tx, owner: TenantScope, topic: &Topic) -> Result<Option<Vec<ShownField>>> {
    match defaults::steps(tx, owner, topic).await {
        Ok((_steps, view)) => Ok(Some(view.fields)),
        Err(error) if error.kind == ErrorKind::Invalid => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists a topic, describes it anew, or makes it private again.
pub async fn put(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: TopicId,
    spec: TopicVisibilitySpec,
) -> Result<Answer> {
    let mut errors = Vec::new();
    check(&spec, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let tx = write.tx();
    let found = topic::by_id(tx, scope, id).await?;
    caller.require(Role::TenantAdmin, &found.resource_name())?;
    // Who turns the switch meanwhile comes before or after this.
    switch::hold(tx, scope).await?;
    let before = store::of_topic(tx, scope, id).await?;
    call.check_generation(before.as_ref().map_or(0, |it| it.generation))?;
    if spec.visibility != Visibility::Private {
        switch::check_gives(tx, scope).await?;
        check_topic(tx, scope, &found).await?;
    }
    let product = before.as_ref().map_or_else(DataProductId::generate, |it| it.id);
    store::put(tx, scope, product, id, &spec).await?;
    let after = store::of_topic(tx, scope, id).await?;
    let old = api::visibility(id, before, None).json()?;
    let new = api::visibility(id, after, None).json()?;
    let change = Change::new::<kind::Topic>(
        Action::Act("list"),
        id,
        &found.resource_name(),
        // The topic itself stays as it is.
        found.generation,
        owner(scope),
    );
    write
        .record(change.with_before(old).with_after(new.clone()))
        .await?;
    write.finish(200, new).await
}

/// What has to hold of a topic that others may ask for.
async fn check_topic(tx: &mut Tx, scope: TenantScope, topic: &Topic) -> Result<()> {
    if topic::mirror::shows_another(tx, scope, topic.id).await? {
        let detail = "The topic shows one that is shared with the tenant, or is a cluster link's copy of such a topic: it is another's to list.";
        return Err(Error::conflict(code::MOUNTED, detail));
    }
    if topic.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The topic is being deleted.",
        ));
    }
    let cluster = cluster::by_id(tx, scope, topic.spec.cluster).await?;
    cluster.require_gateway("could show its topics to others")
}

/// What the tenant finds of others, the oldest first.
pub async fn find(
    app: &App,
    scope: TenantScope,
    q: Option<&str>,
    page: Page,
) -> Result<Vec<Object<kind::DataProduct>>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::found(&mut tx, scope, q, page).await?;
    let owners: BTreeSet<_> = rows.iter().map(|(row, _)| row.owner).collect();
    let names = party::names(&mut tx, scope, owners).await?;
    tx.commit().await?;
    let found = rows.into_iter().map(|(row, standing)| {
        let name = names.get(&row.owner).cloned().unwrap_or_default();
        api::found((row, standing), name, None)
    });
    Ok(found.collect())
}

/// One that the tenant finds, with its fields, its promises and where it could be shown.
///
/// # Errors
/// 404 for what it does not find: private, of itself, or not there.
pub async fn look(app: &App, scope: TenantScope, id: DataProductId) -> Result<Object<kind::DataProduct>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let (row, standing) = store::found_by_id(&mut tx, scope, id).await?;
    let provider = TenantScope::turn_to_party(&mut tx, row.owner).await?;
    let name = party::name(&mut tx, provider).await?;
    let shown = shown(&mut tx, provider, &row).await?;
    scope.back(&mut tx).await?;
    let (mut looked, pool) = shown;
    looked.clusters = cluster::on_pool(&mut tx, scope, pool).await?;
    tx.commit().await?;
    Ok(api::found((row, standing), name, Some(looked)))
}

/// Under the owner's scope: what others are shown of its topic, and the broker pool that has it.
async fn shown(tx: &mut Tx, provider: TenantScope, row: &Product) -> Result<(Looked, BrokerPoolId)> {
    let topic = topic::by_id(tx, provider, row.topic).await?;
    if topic.deleted_at.is_some() {
        return Err(Error::not_found(kind::DataProduct::KIND));
    }
    let fields = fields(tx, provider, &topic).await?.unwrap_or_default();
    let levels = service_level::shared(tx, provider, row.topic).await?;
    let looked = Looked {
        fields,
        levels,
        clusters: Vec::new(),
    };
    Ok((looked, topic.broker_pool))
}
