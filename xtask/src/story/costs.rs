//! Chapter 11, second half. Costs per principal sum to the tenant's total, and the tenants' totals to the organization's, exactly.

use super::{Story, usage};
use anyhow::{Context, Result, bail};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// The chapter.
pub async fn run(story: &Story<'_>) -> Result<()> {
    let mut tenants = Decimal::ZERO;
    for (tenant, api) in [("payments", &story.payments), ("risk", &story.risk)] {
        let step = story.progress.step(format!("{tenant}: costs per principal"));
        let whole = total(&api.get(&usage::period("/v1/costs")?).await?)?;
        let path = format!("{}&group_by=principal", usage::period("/v1/costs")?);
        let answer = api.get(&path).await?;
        let by_principal = sums(&answer, "principal")?;
        let sum: Decimal = by_principal.values().sum();
        if sum != whole || total(&answer)? != whole {
            bail!("{tenant}: principals sum to {sum}, the total is {whole}");
        }
        let own = story.id(&format!("{tenant}.principal"))?;
        if whole <= Decimal::ZERO || !by_principal.contains_key(own) {
            bail!("{tenant}: nothing was charged to {own} ({by_principal:?})");
        }
        tenants += whole;
        step.done(format!(
            "{} principal(s), {sum} EUR = the tenant's total",
            by_principal.len()
        ));
    }
    let step = story.progress.step("Northbank: costs per tenant");
    let organization = story.id("organization")?;
    let path = format!("{}&group_by=organization,tenant", usage::period("/v1/costs")?);
    let answer = story.operator.get(&path).await?;
    let rows = answer["data"].as_array().context("costs have no data")?;
    let mut sum = Decimal::ZERO;
    for row in rows.iter().filter(|it| it["organization"] == organization) {
        sum += amount(row)?;
    }
    if sum != tenants {
        bail!("Northbank's tenants sum to {tenants}, the organization to {sum}");
    }
    step.done(format!("{sum} EUR = the sum of its tenants"));
    Ok(())
}

/// Amounts by the value of one member.
fn sums(answer: &Value, by: &str) -> Result<BTreeMap<String, Decimal>> {
    let mut sums = BTreeMap::new();
    for row in answer["data"].as_array().context("costs have no data")? {
        let name = row[by].as_str().unwrap_or_default().to_owned();
        *sums.entry(name).or_insert(Decimal::ZERO) += amount(row)?;
    }
    Ok(sums)
}

fn amount(row: &Value) -> Result<Decimal> {
    let text = row["amount"].as_str().context("a cost has no amount")?;
    if row["currency"].as_str().is_some_and(|it| it != "EUR") {
        bail!(
            "a cost is in {} although the rate card is in EUR",
            row["currency"]
        );
    }
    text.parse().with_context(|| format!("read the amount {text}"))
}

/// The answer's own total.
fn total(answer: &Value) -> Result<Decimal> {
    let totals = &answer["totals"];
    match totals {
        Value::Array(list) => {
            let mut sum = Decimal::ZERO;
            for it in list {
                sum += amount(it)?;
            }
            Ok(sum)
        }
        Value::Object(_) => amount(totals),
        other => bail!("costs have no totals but {other}"),
    }
}
