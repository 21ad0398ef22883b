//! The issuer of access tokens, as the gateways of a data plane know it. Pure.

use uuid::Uuid;
use weir_proto::agent::v1::{TokenAlgorithm, TokenIssuer, TokenKey};

use crate::kernel::{DataPlaneId, Id, kind};
use crate::resources::access_token::audience;

#[derive(Debug)]
pub(in crate::link) struct TokenKeyRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) public_key: Vec<u8>,
}

/// Ourselves; nobody before the first key was made.
pub(super) fn token_issuer(
    data_plane: DataPlaneId,
    issuer: &str,
    rows: Vec<TokenKeyRow>,
) -> Option<TokenIssuer> {
    let mut keys: Vec<TokenKey> = rows
        .into_iter()
        .map(|TokenKeyRow { id, public_key }| TokenKey {
            key_id: Id::<kind::TokenKey>::from_uuid(id).to_string(),
            algorithm: TokenAlgorithm::Es256.into(),
            public_key,
        })
        .collect();
    keys.sort_by(|a, b| a.key_id.cmp(&b.key_id));
    (!keys.is_empty()).then(|| TokenIssuer {
        issuer: issuer.to_owned(),
        audience: audience(data_plane),
        keys,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_told_in_order_and_for_this_data_plane_alone() {
        let row = |id| TokenKeyRow {
            id: Uuid::from_u128(id),
            public_key: vec![4; 65],
        };
        let (one, other) = (DataPlaneId::generate(), DataPlaneId::generate());
        assert_eq!(token_issuer(one, "https://weir", Vec::new()), None);
        let told = token_issuer(one, "https://weir", vec![row(2), row(1)]).unwrap();
        assert!(told.keys.is_sorted_by(|a, b| a.key_id < b.key_id) && told.keys.len() == 2);
        assert_eq!(told.keys[0].algorithm(), TokenAlgorithm::Es256);
        assert_ne!(
            told.audience,
            token_issuer(other, "https://weir", vec![row(1)])
                .unwrap()
                .audience
        );
    }
}
