//! Rate cards and costs: prices for whom they are, sums exact, months that are over unchanged.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use weir_proto::agent::v1::{Direction, UsageRow};

use crate::harness::{Bench, Caller};
use crate::usage::{agent, row, window};

/// 2026-10-05T10:00:00Z.
const HOUR: i64 = 1_791_194_400_000;
const GIB: u64 = 1 << 30;

fn card(name: &str, from: &str, price: &str) -> Value {
    json!({"spec": {"name": name, "currency": "EUR", "effective_from": from, "prices": [
        {"meter": "PRODUCE_BYTES", "unit": "GIB", "model": "PER_UNIT", "tiers": [{"unit_price": price}]}]}})
}

async fn costs(caller: &Caller, query: &str) -> Value {
    let range = "start=2026-10-05T00:00:00Z&end=2026-10-06T00:00:00Z";
    caller
        .get(&format!("/v1/costs?{range}&{query}"))
        .await
        .expect(200)
}

fn sum(costs: &Value) -> Decimal {
    let rows = costs["data"].as_array().expect("rows").iter();
    rows.map(|row| {
        let amount = row["amount"].as_str().expect("an amount");
        amount.parse::<Decimal>().expect("a decimal number")
    })
    .sum()
}

#[tokio::test]
async fn usage_costs_what_the_card_says() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let operator = bench.operator().await;
    operator
        .post("/v1/rate-cards", &card("general", "2026-01-01T00:00:00Z", "0.10"))
        .await
        .expect(201);
    session
        .count(vec![window(
            1,
            HOUR,
            vec![row(&served, 1, Direction::Produce, 3 * GIB)],
        )])
        .await;
    let shown = costs(&reader, "granularity=MONTHLY").await;
    let expected = json!([{"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z", "meter": "PRODUCE_BYTES",
        "quantity": 3 * GIB, "amount": "0.3", "currency": "EUR", "unrated": false}]);
    assert_eq!(shown["data"], expected);
    assert_eq!(shown["totals"], json!([{"currency": "EUR", "amount": "0.3"}]));
    // Delivered again: the same cents.
    session
        .count(vec![window(
            1,
            HOUR,
            vec![row(&served, 1, Direction::Produce, 3 * GIB)],
        )])
        .await;
    assert_eq!(costs(&reader, "granularity=MONTHLY").await["data"], expected);
}

#[tokio::test]
async fn any_grouping_sums_to_the_statement() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let operator = bench.operator().await;
    let prices = json!([
        {"meter": "PRODUCE_BYTES", "unit": "GIB", "model": "GRADUATED",
         "tiers": [{"up_to": "2", "unit_price": "0.117"}, {"unit_price": "0.031"}]},
        {"meter": "FETCH_BYTES", "unit": "GIB", "model": "VOLUME",
         "tiers": [{"up_to": "1", "unit_price": "0.07"}, {"unit_price": "0.0511"}]},
        {"meter": "REQUESTS", "unit": "MILLION_REQUESTS", "model": "PER_UNIT", "tiers": [{"unit_price": "0.333"}]}
    ]);
    let spec = json!({"name": "general", "currency": "EUR", "effective_from": "2026-10-01T00:00:00Z", "prices": prices});
    operator
        .post("/v1/rate-cards", &json!({"spec": spec}))
        .await
        .expect(201);
    let mut windows = Vec::new();
    for sequence in 0..12 {
        let rows = (1..=5_u64).map(|topic| {
            let direction = if topic % 2 == 0 {
                Direction::Fetch
            } else {
                Direction::Produce
            };
            row(&served, topic.into(), direction, 123_456_789 * topic + sequence)
        });
        let step = 1_700_000 * i64::try_from(sequence).unwrap();
        windows.push(window(sequence, HOUR + step, rows.collect()));
    }
    session.count(windows).await;
    let whole = costs(&reader, "granularity=MONTHLY").await;
    let statement = sum(&whole);
    assert!(statement > Decimal::ZERO);
    assert_eq!(whole["totals"][0]["amount"], statement.normalize().to_string());
    for group_by in [
        "tenant",
        "environment",
        "cluster",
        "topic",
        "principal",
        "direction",
        "topic,principal,direction",
    ] {
        for granularity in ["HOURLY", "DAILY", "MONTHLY"] {
            let shown = costs(
                &reader,
                &format!("granularity={granularity}&group_by={group_by}&page_size=1000"),
            )
            .await;
            assert_eq!(sum(&shown), statement, "{granularity} by {group_by}");
            assert_eq!(shown["totals"], whole["totals"]);
        }
    }
    let paged = costs(&reader, "granularity=HOURLY&group_by=topic&page_size=2").await;
    assert_eq!(paged["data"].as_array().unwrap().len(), 2);
    assert_eq!(paged["totals"], whole["totals"]);
}

#[tokio::test]
async fn a_tenants_own_card_goes_before_the_general_one_and_others_pay_theirs() {
    let bench = Bench::start().await;
    let (_door, owner, served, mut session) = agent(&bench).await;
    let (guest_reader, guest_tenant) = bench.tenant("READER").await;
    let guest = bench.database.guest(&served, guest_tenant).await;
    bench.database.bump(&served).await;
    bench.app.wake.changed();
    session.desired().await;
    let operator = bench.operator().await;
    operator
        .post("/v1/rate-cards", &card("general", "2026-10-01T00:00:00Z", "1"))
        .await
        .expect(201);
    let mut own = card("guest", "2026-10-01T00:00:00Z", "5");
    own["spec"]["tenant"] = json!(guest_tenant.tenant.to_string());
    operator.post("/v1/rate-cards", &own).await.expect(201);
    let rows = vec![
        row(&served, 1, Direction::Produce, GIB),
        row(&guest, 2, Direction::Produce, 2 * GIB),
    ];
    session.count(vec![window(1, HOUR, rows)]).await;
    assert_eq!(costs(&owner, "").await["totals"][0]["amount"], "1");
    assert_eq!(costs(&guest_reader, "").await["totals"][0]["amount"], "10");
    assert_eq!(
        costs(&operator, "group_by=tenant").await["totals"][0]["amount"],
        "11"
    );
    let narrowed = costs(&operator, &format!("tenant={}", guest_tenant.tenant)).await;
    assert_eq!(narrowed["totals"][0]["amount"], "10");
    let narrowed = costs(
        &operator,
        &format!("group_by=cluster&tenant={}", guest_tenant.tenant),
    )
    .await;
    assert_eq!(narrowed["data"].as_array().unwrap().len(), 1);
    let administrator = bench.member(&guest_tenant, "ORGANIZATION_ADMIN").await;
    let organization = costs(&administrator, "group_by=organization").await;
    assert_eq!(organization["totals"][0]["amount"], "10");
    // The owner does not see the guest's card, the guest sees both.
    assert_eq!(
        owner.get("/v1/rate-cards").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        guest_reader.get("/v1/rate-cards").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn uncertain_usage_is_free_and_usage_without_a_card_is_unrated() {
    let bench = Bench::start().await;
    let (_door, reader, served, mut session) = agent(&bench).await;
    let uncertain = UsageRow {
        uncertain: true,
        ..row(&served, 1, Direction::Produce, 100 * GIB)
    };
    session
        .count(vec![window(
            1,
            HOUR,
            vec![row(&served, 1, Direction::Produce, GIB), uncertain],
        )])
        .await;
    let unrated = costs(&reader, "").await;
    assert_eq!(unrated["totals"], json!([]));
    let produced = &unrated["data"][0];
    assert_eq!(
        (&produced["meter"], &produced["quantity"]),
        (&json!("PRODUCE_BYTES"), &json!(GIB))
    );
    assert_eq!(
        (&produced["amount"], &produced["unrated"]),
        (&json!("0"), &json!(true))
    );
    // A month that is over keeps its prices: here there were none. (The clock of these tests is the real one, so the
    // card is put there as if it had been made in time.)
    let refused = bench
        .operator()
        .await
        .post("/v1/rate-cards", &card("late", "2026-10-01T00:00:00Z", "2"))
        .await;
    let over = chrono::Utc::now()
        >= "2026-11-01T00:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap();
    if over {
        let problem = refused.expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/spec/effective_from");
    }
}

#[tokio::test]
async fn a_rate_card_in_force_stays_as_it_is() {
    let bench = Bench::start().await;
    let operator = bench.operator().await;
    let made = operator
        .post("/v1/rate-cards", &card("old", "2026-01-01T00:00:00Z", "1"))
        .await
        .expect(201);
    let path = format!("/v1/rate-cards/{}", made["id"].as_str().unwrap());
    let dearer = json!({"spec": {"currency": "USD"}});
    operator
        .patch(&path, &dearer)
        .await
        .expect_problem(409, "immutable");
    operator.delete(&path).await.expect_problem(409, "immutable");
    let labelled = operator
        .patch(&path, &json!({"metadata": {"labels": {"a": "b"}}}))
        .await
        .expect(200);
    assert_eq!(labelled["metadata"]["labels"]["a"], "b");

    let made = operator
        .post("/v1/rate-cards", &card("new", "2999-01-01T00:00:00Z", "1"))
        .await
        .expect(201);
    let path = format!("/v1/rate-cards/{}", made["id"].as_str().unwrap());
    assert_eq!(
        operator.patch(&path, &dearer).await.expect(200)["spec"]["currency"],
        "USD"
    );
    operator
        .post("/v1/rate-cards", &card("twin", "2999-01-01T00:00:00Z", "1"))
        .await
        .expect_problem(409, "name_taken");
    operator
        .post("/v1/rate-cards", &card("new", "2998-01-01T00:00:00Z", "1"))
        .await
        .expect_problem(409, "name_taken");
    operator.delete(&path).await.expect(204);
    operator.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn rate_cards_are_the_operators_and_checked() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    admin
        .post("/v1/rate-cards", &card("mine", "2027-01-01T00:00:00Z", "0"))
        .await
        .expect_problem(403, "denied");
    let operator = bench.operator().await;
    for (change, pointer) in [
        (json!({"currency": "euro"}), "/spec/currency"),
        (
            json!({"effective_from": "2027-01-01T00:30:00Z"}),
            "/spec/effective_from",
        ),
        (json!({"prices": []}), "/spec/prices"),
        (
            json!({"prices": [{"meter": "REQUESTS", "unit": "GIB", "model": "PER_UNIT", "tiers": [{"unit_price": "1"}]}]}),
            "/spec/prices/0",
        ),
        (json!({"name": "NO"}), "/spec/name"),
    ] {
        let mut input = card("good", "2027-01-01T00:00:00Z", "1");
        input["spec"]
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let problem = operator
            .post("/v1/rate-cards", &input)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let mut input = card("good", "2027-01-01T00:00:00Z", "1");
    input["spec"]["prices"][0]["tiers"][0]["unit_price"] = json!(0.1);
    operator
        .post("/v1/rate-cards", &input)
        .await
        .expect_problem(422, "invalid");
}
