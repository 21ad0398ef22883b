//! A token holds for its issuer, audience, key and time, and not otherwise.

use super::*;

const ISSUER: &str = "https://weir.example.com";
const AUDIENCE: &str = "weir://data-plane/one";

fn claims() -> Claims {
    Claims {
        iss: ISSUER.into(),
        sub: "service_account_1".into(),
        aud: AUDIENCE.into(),
        client_id: "key_1".into(),
        tenant: "tenant_1".into(),
        cluster: Some("cluster_1".into()),
        scope: "kafka".into(),
        iat: 1_000,
        nbf: 1_000,
        exp: 1_900,
        jti: "1".into(),
    }
}

fn signer(key_id: &str) -> TokenSigner {
    TokenSigner::new(key_id.into(), &TokenSigner::generate().unwrap()).unwrap()
}

fn issuer(signer: &TokenSigner) -> Issuer {
    Issuer::new(ISSUER, AUDIENCE, [("k1", signer.public_key())])
}

/// A token put together by hand, with a signature that fits.
fn crafted(pkcs8: &[u8], header: &str, payload: &str) -> String {
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).unwrap();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

#[test]
fn a_signed_token_holds_within_its_time() {
    let signer = signer("k1");
    let (token, issuer) = (signer.sign(&claims()).unwrap(), issuer(&signer));
    assert_eq!(key_id_of(&token).as_deref(), Some("k1"));
    let held = issuer.verify(&token, 1_000).unwrap();
    assert_eq!((held.claims, held.key_id.as_str()), (claims(), "k1"));
    assert!(issuer.verify(&token, 1_899).is_ok());
    assert_eq!(issuer.verify(&token, 1_900), Err(TokenError::Expired));
    assert!(issuer.verify(&token, 970).is_ok(), "clocks differ a little");
    assert_eq!(issuer.verify(&token, 969), Err(TokenError::Expired));
}

#[test]
fn another_key_issuer_or_audience_is_refused() {
    let (own, thief) = (signer("k1"), signer("k1"));
    let issuer = issuer(&own);
    let forged = thief.sign(&claims()).unwrap();
    assert_eq!(issuer.verify(&forged, 1_000), Err(TokenError::Untrusted));
    let unknown = signer("k2").sign(&claims()).unwrap();
    assert_eq!(issuer.verify(&unknown, 1_000), Err(TokenError::UnknownKey));
    for wrong in [
        Claims {
            iss: "https://other.example.com".into(),
            ..claims()
        },
        Claims {
            aud: "weir://data-plane/two".into(),
            ..claims()
        },
    ] {
        let token = own.sign(&wrong).unwrap();
        assert_eq!(issuer.verify(&token, 1_000), Err(TokenError::Untrusted));
    }
    let token = own.sign(&claims()).unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let mut changed = URL_SAFE_NO_PAD.decode(signature).unwrap();
    changed[7] ^= 1;
    let changed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(changed));
    assert_eq!(issuer.verify(&changed, 1_000), Err(TokenError::Untrusted));
}

#[test]
fn a_token_cannot_choose_how_it_is_verified() {
    let pkcs8 = TokenSigner::generate().unwrap();
    let signer = TokenSigner::new("k1".into(), &pkcs8).unwrap();
    let issuer = issuer(&signer);
    let payload = serde_json::to_string(&claims()).unwrap();
    let good = r#"{"typ":"at+jwt","alg":"ES256","kid":"k1"}"#;
    assert!(issuer.verify(&crafted(&pkcs8, good, &payload), 1_000).is_ok());
    for header in [
        r#"{"typ":"JWT","alg":"ES256","kid":"k1"}"#,
        r#"{"alg":"ES256","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256"}"#,
        r#"{"typ":"at+jwt","alg":"none","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"HS256","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES384","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","crit":["b64"],"b64":false}"#,
    ] {
        let token = crafted(&pkcs8, header, &payload);
        assert_eq!(
            issuer.verify(&token, 1_000),
            Err(TokenError::Malformed),
            "{header}"
        );
    }
    // The public key as an HMAC secret is the oldest trick of all; without a claim it does not hold either.
    let without_end = payload.replace("\"exp\":1900,", "");
    assert_eq!(
        issuer.verify(&crafted(&pkcs8, good, &without_end), 1_000),
        Err(TokenError::Untrusted)
    );
    let long = "a".repeat(TOKEN_BYTES_MAX + 1);
    for text in ["", ".", "..", "a.b.c", &token_without_signature(&payload), &long] {
        assert_eq!(
            issuer.verify(text, 1_000),
            Err(TokenError::Malformed),
            "{text:.20}"
        );
    }
}

fn token_without_signature(payload: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none","kid":"k1"}"#);
    format!("{header}.{}.", URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn a_public_key_is_published_as_a_jwk() {
    let signer = signer("k1");
    let jwk = jwk("k1", signer.public_key()).unwrap();
    assert_eq!((&jwk["kty"], &jwk["kid"]), (&"EC".into(), &"k1".into()));
    let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    assert_eq!(x, signer.public_key()[1..33]);
    assert!(super::jwk("k1", &[4; 64]).is_none() && super::jwk("k1", &[2; 65]).is_none());
    let short = Issuer::new(ISSUER, AUDIENCE, [("k1", &[4_u8; 64][..])]);
    assert!(!short.holds("k1"));
}
