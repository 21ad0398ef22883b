//! Card payments: the records of the story.

use std::fmt::Write as _;

/// The payments `from..to` of a batch, one `card <tab> json` a line.
pub fn lines(tenant: &str, batch: u64, from: u64, to: u64) -> String {
    let mut text = String::with_capacity(usize::try_from(to - from).unwrap_or(0) * 190);
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

/// One payment: the card (the record's key) and the JSON document (its value).
pub fn payment(tenant: &str, batch: u64, number: u64) -> (String, String) {
    // A multiplicative hash spreads cards and amounts; the same number gives the same payment.
    let mixed = (batch << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let card = format!(
        "4000-{:04}-{:04}-{:04}",
        mixed >> 52 & 0x1ff,
        mixed >> 40 & 0x7ff,
        mixed >> 28 & 0xfff
    );
    let (cents, merchant) = (1 + (mixed >> 16) % 250_000, (mixed >> 8) % 977);
    let record = format!(
        "{{{},\"payment\":\"p-{batch}-{number}\",\"card\":\"{card}\",\"amount\":\"{}.{:02}\",\"currency\":\"EUR\",\"merchant\":\"m{merchant:03}\"}}",
        marker(tenant, batch),
        cents / 100,
        cents % 100
    );
    (card, record)
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
        assert_eq!(payment("payments", 3, 17), (card, record));
        let mut all: Vec<_> = lines("payments", 1, 0, 1000).lines().map(str::to_owned).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 1000);
    }
}
