//! Frames: a four-byte big-endian length, then that many bytes.

use bytes::{Buf, Bytes, BytesMut};

/// The announced length is negative or over the limit: the connection cannot be understood any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame announces {announced} bytes; allowed are 1 to {limit}")]
pub struct FrameError {
    /// What the prefix said.
    pub announced: i32,
    /// The limit in force.
    pub limit: usize,
}

/// Splits the next whole frame off `buffer`, without its prefix; `None` while it is incomplete.
///
/// # Errors
/// [`FrameError`] when the prefix is not within `1..=limit`.
pub fn next(buffer: &mut BytesMut, limit: usize) -> Result<Option<Bytes>, FrameError> {
    let Some(length) = announced(buffer, limit)? else {
        return Ok(None);
    };
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// How many bytes of the frame at the head of `buffer` are still to come: 0 when it is whole, `None` while even its
/// prefix is incomplete.
///
/// # Errors
/// [`FrameError`] when the prefix is not within `1..=limit`.
pub fn missing(buffer: &BytesMut, limit: usize) -> Result<Option<usize>, FrameError> {
    Ok(announced(buffer, limit)?.map(|length| (4 + length).saturating_sub(buffer.len())))
}

fn announced(buffer: &BytesMut, limit: usize) -> Result<Option<usize>, FrameError> {
    let Some(prefix) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let announced = i32::from_be_bytes(*prefix);
    match usize::try_from(announced) {
        Ok(length) if length >= 1 && length <= limit => Ok(Some(length)),
        _outside => Err(FrameError { announced, limit }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_are_split_off_and_partial_ones_wait() {
        let mut buffer = BytesMut::from(&[0, 0, 0, 2, 7, 8, 0, 0, 0, 1][..]);
        assert_eq!(next(&mut buffer, 10).unwrap().unwrap(), &[7, 8][..]);
        assert_eq!(next(&mut buffer, 10), Ok(None));
        assert_eq!(missing(&buffer, 10), Ok(Some(1)));
        buffer.extend_from_slice(&[9]);
        assert_eq!(next(&mut buffer, 10).unwrap().unwrap(), &[9][..]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_length_outside_the_limit_is_refused_at_once() {
        for prefix in [
            [0, 0, 0, 11],
            [0xff, 0xff, 0xff, 0xff],
            [0, 0, 0, 0],
            [0x7f, 0xff, 0xff, 0xff],
        ] {
            let mut buffer = BytesMut::from(&prefix[..]);
            assert!(next(&mut buffer, 10).is_err());
        }
    }
}
