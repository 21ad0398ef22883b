//! Card payments: the records of the story.

use std::fmt::Write as _;

const HOUR_MS: u64 = 3_600_000;
/// Midnight of the day before the first batch; each batch has a day of its own.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// A payment every so often: 200,000 take six hours and forty minutes.
const EVERY_MS: u64 = 120;
/// How far out of order they come.
const DISORDER_MS: u64 = 240_000;
/// Every so many payments one is by a card that pays often.
const BUSY_EVERY: u64 = 40;

/// The payments `from..to` of a batch, one `card <tab> json` a line.
pub fn lines(tenant: &str, batch: u64, from: u64, to: u64) -> String {
    let mut text = String::with_capacity(usize::try_from(to - from).unwrap_or(0) * 210);
    for number in from..to {
        let (card, record) = payment(tenant, batch, number);
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{card}\t{record}");
    }
    text
}

/// What every record of a batch carries and no other record does.
pub fn marker(tenant: &str, batch: u64) -> String {
    format!("\"batch\":\"{tenant}-{batch}\"")
}

/// The first millisecond of a batch's day (Unix time).
pub const fn day_of(batch: u64) -> u64 {
    EPOCH_MS + batch * 24 * HOUR_MS
}

/// When a payment happened (Unix time, milliseconds), and of which card's number its card is made.
fn when_and_who(batch: u64, number: u64, mixed: u64) -> (u64, u64) {
    let passed = (number * EVERY_MS).min(23 * HOUR_MS);
    let at = day_of(batch) + passed.saturating_sub((mixed >> 6) % DISORDER_MS);
    let luck = mixed >> 28 & 0xfff;
    // Of 64 cards that pay often, the first pays much more often than the last.
    let card = if number % BUSY_EVERY == 7 {
        (luck * luck) >> 18
    } else {
        mixed >> 28
    };
    (at, card)
}

/// One payment: the card (the record's key) and the JSON document (its value).
pub fn payment(tenant: &str, batch: u64, number: u64) -> (String, String) {
    // A multiplicative hash spreads cards and amounts; the same number gives the same payment.
    let mixed = (batch << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (at, card) = when_and_who(batch, number, mixed);
    let card = format!(
        "4000-{:04}-{:04}-{:04}",
        card >> 24 & 0x1ff,
        card >> 12 & 0x7ff,
        card & 0xfff
    );
    let (cents, merchant) = (1 + (mixed >> 16) % 250_000, (mixed >> 8) % 977);
    let record = format!(
        "{{{},\"payment\":\"p-{batch}-{number}\",\"at\":{at},\"card\":\"{card}\",\"amount\":\"{}.{:02}\",\"currency\":\"EUR\",\"merchant\":\"m{merchant:03}\"}}",
        marker(tenant, batch),
        cents / 100,
        cents % 100
    );
    (card, record)
}

/// Whether it is one of the batch, by the number that a payment carries.
pub fn is_of(record: &serde_json::Value, batch: u64) -> bool {
    record["payment"]
        .as_str()
        .is_some_and(|it| it.starts_with(&format!("p-{batch}-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_are_json_distinct_and_repeatable() {
        let (card, record) = payment("payments", 3, 17);
        let read: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(read["card"], card.as_str());
        assert!(record.contains(&marker("payments", 3)));
        assert!(!record.contains(&marker("payments", 30)));
        let at = read["at"].as_u64().unwrap();
        assert!((day_of(3)..day_of(4)).contains(&at), "{at}");
        assert_eq!(payment("payments", 3, 17), (card, record));
        let mut all: Vec<_> = lines("payments", 1, 0, 1000).lines().map(str::to_owned).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 1000);
    }
}
