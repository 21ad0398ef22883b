//! The PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt): a balancer says first whose connection it carries.
//!
//! Only networks that the customer names are believed, and those must say it: from them a connection begins with a header, from
//! anybody else it never does (a Kafka frame cannot begin like one). Version 1, a line of text, is not spoken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What every header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and protocol, length.
const FIXED: usize = 16;
/// Addresses of Unix sockets are the largest (216 bytes); the rest is for TLVs, which are skipped.
const LENGTH_MAX: usize = 2048;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// The balancer's own connection (a health check), or of a sort that has no address: it counts as the balancer.
    Nobody,
    /// A client at this address.
    Client(IpAddr),
}

/// A connection that does not begin as it must.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The socket failed or ended.
    #[error("read the PROXY header")]
    Socket(#[from] io::Error),
    /// There is no header of version 2.
    #[error("the connection does not begin with a PROXY header of version 2")]
    Absent,
    /// The header contradicts itself or is too long.
    #[error("the PROXY header is malformed")]
    Malformed,
}

/// Reads a header and not one byte more.
///
/// # Errors
/// When the connection does not begin with one.
pub async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> Result<Carried, ProxyError> {
    let mut fixed = [0_u8; FIXED];
    // What is no signature ends at once, however little of it there is.
    for at in 0..SIGNATURE.len() {
        fixed[at] = stream.read_u8().await?;
        if fixed[at] != SIGNATURE[at] {
            return Err(ProxyError::Absent);
        }
    }
    stream.read_exact(&mut fixed[SIGNATURE.len()..]).await?;
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if length > LENGTH_MAX {
        return Err(ProxyError::Malformed);
    }
    let mut rest = vec![0_u8; length];
    stream.read_exact(&mut rest).await?;
    decode(fixed[12], fixed[13], &rest)
}

/// Version and command, family and protocol, and what follows.
fn decode(command: u8, family: u8, rest: &[u8]) -> Result<Carried, ProxyError> {
    if command >> 4 != 2 {
        return Err(ProxyError::Absent);
    }
    match (command & 0xf, family) {
        (0, _any) => Ok(Carried::Nobody),
        // TCP over IPv4: source, destination, two ports.
        (1, 0x11) => {
            let source = rest.get(..12).and_then(|it| it.first_chunk::<4>());
            let source = source.ok_or(ProxyError::Malformed)?;
            Ok(Carried::Client(Ipv4Addr::from(*source).into()))
        }
        (1, 0x21) => {
            let source = rest.get(..36).and_then(|it| it.first_chunk::<16>());
            let source = source.ok_or(ProxyError::Malformed)?;
            Ok(Carried::Client(
                IpAddr::from(Ipv6Addr::from(*source)).to_canonical(),
            ))
        }
        // Unspecified: "the receiver must ignore the address".
        (1, 0x00) => Ok(Carried::Nobody),
        _other => Err(ProxyError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 3, 4];

    async fn said(mut bytes: &[u8]) -> Result<(Carried, usize), String> {
        let carried = read(&mut bytes).await.map_err(|it| it.to_string())?;
        Ok((carried, bytes.len()))
    }

    #[tokio::test]
    async fn the_carried_address_is_read_and_nothing_behind_it() {
        let client = |text: &str| Carried::Client(text.parse().unwrap());
        let v6: Vec<u8> = (0..36).collect();
        let mapped = [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, 7], &[0; 20]].concat();
        for (header, carried) in [
            (header(0x21, 0x11, &V4), client("192.0.2.7")),
            (
                header(0x21, 0x11, &[&V4[..], &[4, 0, 1, 9]].concat()),
                client("192.0.2.7"),
            ),
            (header(0x21, 0x21, &v6), client("1:203:405:607:809:a0b:c0d:e0f")),
            (header(0x21, 0x21, &mapped), client("192.0.2.7")),
            (header(0x20, 0x00, &[]), Carried::Nobody),
            (header(0x20, 0x11, &V4), Carried::Nobody),
            (header(0x21, 0x00, &[]), Carried::Nobody),
        ] {
            let more = [&header[..], b"more"].concat();
            assert_eq!(said(&more).await, Ok((carried, 4)));
            for end in 0..header.len() {
                assert!(said(&header[..end]).await.is_err(), "cut off at {end}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_header_of_version_2_is_refused() {
        for bytes in [
            b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(),
            header(0x11, 0x11, &V4),
            header(0x22, 0x11, &V4),
            header(0x21, 0x12, &V4),
            header(0x21, 0x31, &[0; 216]),
            header(0x21, 0x11, &V4[..11]),
            header(0x21, 0x21, &[0; 35]),
            header(0x21, 0x11, &[0; LENGTH_MAX + 1]),
            vec![0, 0, 0, 20, 0, 18, 0, 3],
        ] {
            assert!(said(&bytes).await.is_err(), "{bytes:?}");
        }
    }
}
