//! Writes `throttle_time_ms` into an answer that is encoded already.

use bytes::{Bytes, BytesMut};
use weir_kafka_wire::throttle;

/// The answer with this throttle time, where it has such a field and does not ask for more already.
pub fn put(frame: &mut [Bytes], api_key: i16, version: i16, throttle_ms: i32) {
    if throttle_ms <= 0 {
        return;
    }
    let Some(mut at) = throttle::offset(frame, api_key, version) else {
        return;
    };
    for piece in frame {
        if at + 4 <= piece.len() {
            let mut changed = BytesMut::from(&piece[..]);
            let field = &mut changed[at..at + 4];
            let held = i32::from_be_bytes([field[0], field[1], field[2], field[3]]);
            field.copy_from_slice(&held.max(throttle_ms).to_be_bytes());
            *piece = changed.freeze();
            return;
        }
        match at.checked_sub(piece.len()) {
            Some(rest) => at = rest,
            // The field lies across two pieces, which nobody writes so.
            None => return,
        }
    }
}
