//! The customer's word over who may sign access tokens.
//!
//! Whoever holds a signing key can act as any service account that has a key here. A key taken away cannot be refused.

use std::collections::BTreeMap;

use weir_proto::agent::v1::TokenIssuer;

use super::{Kind, Policy};

/// A refused change keeps what of the last accepted version is still wished.
pub(super) fn issuers(before: &[TokenIssuer], wish: &[TokenIssuer], policy: &Policy) -> Vec<TokenIssuer> {
    let held: BTreeMap<&str, &TokenIssuer> = before.iter().map(|it| (it.issuer.as_str(), it)).collect();
    wish.iter()
        .filter_map(|issuer| {
            let held = held.get(issuer.issuer.as_str()).copied();
            if policy.allows(Kind::TokenIssuerChange, &issuer.issuer) {
                return Some(issuer.clone());
            }
            let held = held.filter(|it| it.audience == issuer.audience)?;
            let kept = held.keys.iter().filter(|it| issuer.keys.contains(it));
            Some(TokenIssuer {
                keys: kept.cloned().collect(),
                ..held.clone()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::TokenKey;

    fn issuer(keys: &[&str]) -> TokenIssuer {
        TokenIssuer {
            issuer: "https://weir".to_owned(),
            audience: "weir://data-plane/one".to_owned(),
            keys: keys
                .iter()
                .map(|id| TokenKey {
                    key_id: (*id).to_owned(),
                    ..TokenKey::default()
                })
                .collect(),
        }
    }

    #[test]
    fn a_new_key_can_be_refused_and_one_taken_away_cannot() {
        let refusing = Policy::parse("refuse = [\"token_issuer.change\"]").unwrap();
        let (old, new) = (issuer(&["a", "b"]), issuer(&["b", "c"]));
        let admit =
            |before: &[TokenIssuer], policy: &Policy| issuers(before, std::slice::from_ref(&new), policy);
        assert_eq!(
            admit(std::slice::from_ref(&old), &Policy::default()),
            [issuer(&["b", "c"])]
        );
        assert_eq!(admit(std::slice::from_ref(&old), &refusing), [issuer(&["b"])]);
        assert_eq!(admit(&[], &refusing), []);
        assert_eq!(issuers(&[old], &[], &refusing), []);
    }
}
