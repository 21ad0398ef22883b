//! Chapter 1. The operator makes the organization, its two tenants, their admins, and the price list.

use super::Story;
use super::client::Api;
use crate::stack::OPERATOR;
use anyhow::Result;
use serde_json::json;

/// payments' admin.
pub const PAYMENTS_ADMIN: &str = "paula@payments.northbank.example";
/// risk's admin.
pub const RISK_ADMIN: &str = "ravi@risk.northbank.example";

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story.progress.step("operator signs in");
    let password = story.stack.settings.secret("operator")?;
    story.operator = Api::new(&story.stack.url()).sign_in(OPERATOR, &password).await?;
    step.done(OPERATOR);

    let step = story.progress.step("organization Northbank");
    let spec = json!({"name": "northbank", "display_name": "Northbank"});
    let organization = story
        .operator
        .ensure("/v1/organizations", &["name"], spec)
        .await?;
    let organization_id = organization.id()?;
    story.keep("organization", organization_id.clone());
    step.done(organization.how());

    for (tenant, display) in [("payments", "Payments"), ("risk", "Risk")] {
        let step = story.progress.step(format!("tenant {tenant}"));
        let spec = json!({"organization": organization_id, "name": tenant, "display_name": display});
        let made = story
            .operator
            .ensure("/v1/tenants", &["organization", "name"], spec)
            .await?;
        story.keep(&format!("{tenant}.tenant"), made.id()?);
        step.done(made.how());
    }
    rate_card(story, &organization_id).await?;
    story.payments = admin(story, "payments", PAYMENTS_ADMIN, "Paula Payments").await?;
    story.risk = admin(story, "risk", RISK_ADMIN, "Ravi Risk").await?;
    Ok(())
}

/// A price list with two models: produced bytes per gibibyte, fetched records in graduated tiers.
async fn rate_card(story: &Story<'_>, organization: &str) -> Result<()> {
    let step = story.progress.step("rate card");
    let spec = json!({
        "name": "northbank-list",
        "organization": organization,
        "currency": "EUR",
        "effective_from": "2026-01-01T00:00:00Z",
        "prices": [
            {"meter": "PRODUCE_BYTES", "unit": "GIB", "model": "PER_UNIT", "tiers": [{"unit_price": "0.37"}]},
            {"meter": "FETCH_BYTES", "unit": "GIB", "model": "PER_UNIT", "tiers": [{"unit_price": "0.11"}]},
            {"meter": "PRODUCE_RECORDS", "unit": "MILLION_RECORDS", "model": "GRADUATED",
             "tiers": [{"up_to": "1", "unit_price": "0.25"}, {"unit_price": "0.19"}]},
        ],
    });
    let card = story.operator.ensure("/v1/rate-cards", &["name"], spec).await?;
    step.done(format!("{}: bytes per GiB, records in tiers, EUR", card.how()));
    Ok(())
}

/// Makes the tenant's first admin, and signs in as that person.
async fn admin(story: &mut Story<'_>, tenant: &str, email: &str, name: &str) -> Result<Api> {
    let step = story.progress.step(format!("{tenant}'s admin signs in"));
    let tenant_id = story.id(&format!("{tenant}.tenant"))?.to_owned();
    let password = story.stack.settings.secret(&format!("member.{tenant}"))?;
    let acting = story.operator.within(&tenant_id);
    let spec = json!({"email": email, "display_name": name, "tenant": tenant_id});
    let member = match acting.find("/v1/members", &json!({ "email": email })).await? {
        Some(found) => found,
        None => {
            acting
                .post("/v1/members", &json!({"spec": spec, "password": password}))
                .await?
        }
    };
    let binding = json!({"principal": member["id"], "role": "TENANT_ADMIN", "resource": "*"});
    acting
        .ensure("/v1/role-bindings", &["principal", "role", "resource"], binding)
        .await?;
    let signed_in = Api::new(&story.stack.url()).sign_in(email, &password).await?;
    step.done(email);
    Ok(signed_in)
}
