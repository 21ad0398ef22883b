//! What is wrong with a share's spec, as far as the spec itself tells.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::kernel::{FieldError, check_name, code};
use crate::resources::member::{is_email, normalised};
use crate::resources::share::model::{SharePrice, ShareRecipient, ShareSpec, SharedTopic};
use crate::resources::topic;

const TOPICS_MAX: usize = 20;
const DESCRIPTION_MAX: usize = 1000;
const TERMS_MAX: usize = 20_000;
const PRICE_DECIMALS_MAX: u32 = 12;
const PRICE_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Collects what is wrong with a spec.
pub fn validate(spec: &ShareSpec, errors: &mut Vec<FieldError>) {
    let ShareSpec {
        cluster: _,
        name,
        description,
        topics,
        recipient,
        terms,
        fetch_bytes_per_second,
        price,
        // The table refuses an end before the beginning.
        starts_at: _,
        expires_at: _,
    } = spec;
    check_name("/spec/name", name, errors);
    for (pointer, text, most) in [
        ("/spec/description", description, DESCRIPTION_MAX),
        ("/spec/terms", terms, TERMS_MAX),
    ] {
        if text.chars().count() > most || text.contains('\0') {
            let detail = format!("The text has at most {most} characters, and no NUL.");
            errors.push(bad(pointer, code::OUT_OF_RANGE, detail));
        }
    }
    if topics.is_empty() || topics.len() > TOPICS_MAX {
        let detail = format!("A share has 1 to {TOPICS_MAX} topics.");
        errors.push(bad("/spec/topics", code::OUT_OF_RANGE, detail));
    }
    let mut seen = BTreeSet::new();
    for (at, shared) in topics.iter().take(TOPICS_MAX).enumerate() {
        self::topic(at, shared, errors);
        if !seen.insert(shared.topic) {
            let detail = "A topic stands in a share once.".to_owned();
            errors.push(bad(
                &format!("/spec/topics/{at}/topic"),
                code::BAD_REFERENCE,
                detail,
            ));
        }
    }
    if let ShareRecipient::Email { email } = recipient
        && !is_email(&normalised(email))
    {
        let detail = "Not an e-mail address such as name@example.com of at most 254 characters.".to_owned();
        errors.push(bad("/spec/recipient/email", code::BAD_NAME, detail));
    }
    if fetch_bytes_per_second.is_some_and(|it| it < 1) {
        let detail = "It is 1 byte a second at least; leave it out for no bound.".to_owned();
        errors.push(bad("/spec/fetch_bytes_per_second", code::OUT_OF_RANGE, detail));
    }
    if let Some(price) = price {
        self::price("/spec/price", price, errors);
    }
}

fn bad(pointer: &str, code: &str, detail: String) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        detail,
    }
}

fn topic(at: usize, shared: &SharedTopic, errors: &mut Vec<FieldError>) {
    let SharedTopic {
        topic: _,
        alias,
        contract_version,
        // They are compiled over what the topic promises.
        steps: _,
        start: _,
        keys: _,
    } = shared;
    if alias.as_deref().is_some_and(|it| !topic::is_name(it)) {
        let detail = topic::NAME_RULE.to_owned();
        errors.push(bad(&format!("/spec/topics/{at}/alias"), code::BAD_NAME, detail));
    }
    if contract_version.is_some_and(|it| it < 1) {
        let detail = "Versions of a contract begin with 1.".to_owned();
        errors.push(bad(
            &format!("/spec/topics/{at}/contract_version"),
            code::OUT_OF_RANGE,
            detail,
        ));
    }
}

/// Collects what is wrong with a price that stands at this place.
pub fn price(at: &str, price: &SharePrice, errors: &mut Vec<FieldError>) {
    let SharePrice {
        currency,
        per_gib,
        per_month,
    } = price;
    if currency.len() != 3 || !currency.bytes().all(|it| it.is_ascii_uppercase()) {
        let detail = "A currency is three capital letters (ISO 4217).".to_owned();
        errors.push(bad(&format!("{at}/currency"), code::OUT_OF_RANGE, detail));
    }
    for (pointer, amount) in [("per_gib", per_gib), ("per_month", per_month)] {
        let fits = amount.scale() <= PRICE_DECIMALS_MAX && *amount <= PRICE_MAX && !amount.is_sign_negative();
        if !fits {
            let detail =
                format!("A price is between 0 and {PRICE_MAX} with at most {PRICE_DECIMALS_MAX} decimals.");
            errors.push(bad(&format!("{at}/{pointer}"), code::OUT_OF_RANGE, detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::Id;

    fn found(change: impl FnOnce(&mut ShareSpec)) -> Vec<(String, String)> {
        let json = json!({"cluster": Id::<crate::kernel::kind::Cluster>::generate(), "name": "cards",
            "topics": [{"topic": Id::<crate::kernel::kind::Topic>::generate()}], "recipient": {"kind": "LINK"}});
        let mut spec: ShareSpec = serde_json::from_value(json).unwrap();
        change(&mut spec);
        let mut errors = Vec::new();
        validate(&spec, &mut errors);
        errors.into_iter().map(|it| (it.pointer, it.code)).collect()
    }

    #[test]
    fn bad_fields_are_told_where_they_stand() {
        let at = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
        assert_eq!(found(|_| {}), []);
        assert_eq!(
            found(|it| it.topics.clear()),
            at("/spec/topics", code::OUT_OF_RANGE)
        );
        let twice = found(|it| it.topics.push(it.topics[0].clone()));
        assert_eq!(twice, at("/spec/topics/1/topic", code::BAD_REFERENCE));
        let alias = found(|it| it.topics[0].alias = Some("__x".into()));
        assert_eq!(alias, at("/spec/topics/0/alias", code::BAD_NAME));
        let version = found(|it| it.topics[0].contract_version = Some(0));
        assert_eq!(version, at("/spec/topics/0/contract_version", code::OUT_OF_RANGE));
        let email = found(|it| {
            it.recipient = ShareRecipient::Email {
                email: "nobody".into(),
            }
        });
        assert_eq!(email, at("/spec/recipient/email", code::BAD_NAME));
        let slow = found(|it| it.fetch_bytes_per_second = Some(0));
        assert_eq!(slow, at("/spec/fetch_bytes_per_second", code::OUT_OF_RANGE));
        let price = SharePrice {
            currency: "euro".into(),
            per_gib: Decimal::NEGATIVE_ONE,
            per_month: Decimal::ZERO,
        };
        assert_eq!(found(|it| it.price = Some(price)).len(), 2);
    }
}
