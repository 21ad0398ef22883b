//! What members of classic groups are assigned, read from the bytes that they gave each other.

use std::collections::BTreeSet;

use bytes::{Buf as _, Bytes};

/// What a classic member is assigned: version, [topic, [partition]], user data (Kafka's `ConsumerProtocolAssignment`).
/// The bytes are a client's: what does not read so is no assignment.
pub(super) fn assigned(bytes: &Bytes) -> BTreeSet<(String, u32)> {
    let mut found = BTreeSet::new();
    let mut rest = bytes.clone();
    // Read as far as it goes: nothing is taken that is not there.
    let _ended = read_assignment(&mut rest, &mut found);
    found
}

fn read_assignment(rest: &mut Bytes, found: &mut BTreeSet<(String, u32)>) -> Option<()> {
    let _version = rest.try_get_i16().ok()?;
    let topics = rest.try_get_i32().ok()?;
    for _topic in 0..topics {
        let length = usize::try_from(rest.try_get_i16().ok()?).ok()?;
        if length > rest.len() {
            return None;
        }
        let name = std::str::from_utf8(&rest.split_to(length)).ok()?.to_owned();
        let partitions = rest.try_get_i32().ok()?;
        for _partition in 0..partitions {
            let partition = rest.try_get_i32().ok()?;
            found.insert((name.clone(), u32::try_from(partition).ok()?));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut as _, BytesMut};

    #[test]
    fn an_assignment_is_read_as_far_as_it_goes() {
        let mut bytes = BytesMut::new();
        bytes.put_i16(1);
        bytes.put_i32(1);
        bytes.put_i16(2);
        bytes.put_slice(b"ab");
        bytes.put_i32(2);
        bytes.put_i32(0);
        bytes.put_i32(3);
        bytes.put_i32(-1);
        let whole = assigned(&bytes.clone().freeze());
        assert_eq!(whole, [("ab".to_owned(), 0), ("ab".to_owned(), 3)].into());
        assert!(assigned(&Bytes::from_static(b"\0\x01\x7f\xff\xff\xff\0\x10")).is_empty());
        assert_eq!(assigned(&bytes.freeze().slice(..18)).len(), 1);
    }
}
