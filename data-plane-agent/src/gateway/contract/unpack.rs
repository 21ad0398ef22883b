//! The codecs of record batches: unpacked into at most as much as allowed, so that a bomb costs what any batch may cost.

use std::cell::RefCell;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use zstd::zstd_safe::{self, DCtx};

/// How the records of a batch are packed: bits 0 to 2 of its attributes
/// (<https://kafka.apache.org/documentation/#recordbatch>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As they are.
    None,
    /// RFC 1952.
    Gzip,
    /// In the blocks of snappy-java, or in one block as librdkafka writes it.
    Snappy,
    /// In LZ4's frame format.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Codec {
    /// From a batch's attributes; `None` for one that does not exist.
    #[must_use]
    pub const fn of(attributes: u16) -> Option<Self> {
        match attributes & 7 {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _unknown => None,
        }
    }

    /// Its bits of the attributes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }
}

/// Why there is nothing unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUnpacked {
    /// More than is allowed would come out.
    #[error("too large when unpacked")]
    TooLarge,
    /// The codec cannot read it.
    #[error("not packed as it says")]
    Broken,
}

/// Unpacks into at most `most` bytes.
///
/// # Errors
/// [`NotUnpacked`]
pub fn unpack(codec: Codec, packed: &[u8], most: usize) -> Result<Vec<u8>, NotUnpacked> {
    match codec {
        Codec::None if packed.len() > most => Err(NotUnpacked::TooLarge),
        Codec::None => Ok(packed.to_vec()),
        Codec::Gzip => drain(MultiGzDecoder::new(packed), packed.len(), most),
        Codec::Snappy => snappy(packed, most),
        Codec::Lz4 => drain(FrameDecoder::new(packed), packed.len(), most),
        Codec::Zstd => zstd(packed, most),
    }
}

fn drain(mut reader: impl Read, packed: usize, most: usize) -> Result<Vec<u8>, NotUnpacked> {
    let mut out = Vec::with_capacity(packed.saturating_mul(4).min(most));
    let mut piece = [0; 8 * 1024];
    loop {
        let read = reader.read(&mut piece).map_err(|_broken| NotUnpacked::Broken)?;
        if read == 0 {
            return Ok(out);
        }
        let room = most - out.len();
        if read > room {
            return Err(NotUnpacked::TooLarge);
        }
        if out.capacity() - out.len() < read {
            // Twice as much each time, and never more than is allowed.
            out.reserve_exact(out.len().max(read).min(room));
        }
        out.extend_from_slice(&piece[..read]);
    }
}

/// What snappy-java's `SnappyOutputStream` begins with: this and two versions of four bytes.
pub(super) const XERIAL: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER: usize = 16;

fn snappy(packed: &[u8], most: usize) -> Result<Vec<u8>, NotUnpacked> {
    let mut out = Vec::new();
    if !packed.starts_with(&XERIAL) {
        snappy_block(packed, most, &mut out)?;
        return Ok(out);
    }
    let mut rest = packed;
    while !rest.is_empty() {
        // Streams may follow one another.
        if rest.starts_with(&XERIAL) {
            rest = rest.get(XERIAL_HEADER..).ok_or(NotUnpacked::Broken)?;
            continue;
        }
        let (length, after) = rest.split_first_chunk::<4>().ok_or(NotUnpacked::Broken)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_negative| NotUnpacked::Broken)?;
        let (block, after) = after.split_at_checked(length).ok_or(NotUnpacked::Broken)?;
        snappy_block(block, most, &mut out)?;
        rest = after;
    }
    Ok(out)
}

/// A block says first how long it will be.
fn snappy_block(block: &[u8], most: usize, out: &mut Vec<u8>) -> Result<(), NotUnpacked> {
    let length = snap::raw::decompress_len(block).map_err(|_broken| NotUnpacked::Broken)?;
    let begin = out.len();
    let end = begin
        .checked_add(length)
        .filter(|it| *it <= most)
        .ok_or(NotUnpacked::TooLarge)?;
    // At most 64 bytes come of a copy of two: what claims more is not worth the memory.
    if length > block.len().saturating_mul(64) {
        return Err(NotUnpacked::Broken);
    }
    out.resize(end, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut out[begin..])
        .map_err(|_broken| NotUnpacked::Broken)?;
    if written == length {
        Ok(())
    } else {
        Err(NotUnpacked::Broken)
    }
}

thread_local! {
    static ZSTD: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
}

/// In one step into one buffer, which is the window, too: so no frame makes us reserve what its header claims.
fn zstd(packed: &[u8], most: usize) -> Result<Vec<u8>, NotUnpacked> {
    const TOO_SMALL: &str = "Destination buffer is too small";
    if matches!(zstd_safe::get_frame_content_size(packed), Ok(Some(told)) if told > most as u64) {
        return Err(NotUnpacked::TooLarge);
    }
    ZSTD.with_borrow_mut(|slot| {
        let context = match slot {
            Some(context) => context,
            None => slot.insert(DCtx::try_create().ok_or(NotUnpacked::Broken)?),
        };
        // Small batches first into a little, for reserving much is not free either.
        let little = packed
            .len()
            .saturating_mul(8)
            .clamp(16 * 1024, 1024 * 1024)
            .min(most);
        for room in [little, most] {
            let mut out = Vec::new();
            out.try_reserve_exact(room)
                .map_err(|_no_memory| NotUnpacked::TooLarge)?;
            match context.decompress(&mut out, packed) {
                Ok(_written) => return Ok(out),
                Err(code) if zstd_safe::get_error_name(code) != TOO_SMALL => return Err(NotUnpacked::Broken),
                Err(_too_small) => {}
            }
        }
        Err(NotUnpacked::TooLarge)
    })
}

/// Packs as a client would.
///
/// # Errors
/// As the codec says; never for want of room.
pub fn pack(codec: Codec, records: &[u8]) -> io::Result<Vec<u8>> {
    match codec {
        Codec::None => Ok(records.to_vec()),
        Codec::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            io::Write::write_all(&mut writer, records)?;
            writer.finish()
        }
        Codec::Snappy => snappy_stream(records),
        Codec::Lz4 => {
            // Brokers take independent blocks only.
            let form = lz4_flex::frame::FrameInfo::new()
                .block_mode(lz4_flex::frame::BlockMode::Independent)
                .block_size(lz4_flex::frame::BlockSize::Max64KB);
            let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(form, Vec::new());
            io::Write::write_all(&mut writer, records)?;
            writer.finish().map_err(io::Error::other)
        }
        Codec::Zstd => zstd::bulk::compress(records, 0),
    }
}

/// As snappy-java does by default, in blocks of 32 KiB.
fn snappy_stream(records: &[u8]) -> io::Result<Vec<u8>> {
    const BLOCK: usize = 32 * 1024;
    let mut out = [&XERIAL[..], &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(BLOCK) {
        let packed = encoder.compress_vec(block).map_err(io::Error::other)?;
        let length = i32::try_from(packed.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&packed);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    fn text(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| b"the same words "[at % 15] ^ (at / 4099) as u8)
            .collect()
    }

    #[test]
    fn what_was_packed_comes_out_up_to_the_last_byte_allowed() {
        for codec in ALL {
            for length in [0, 1, 100, 70_000, 300_000] {
                let records = text(length);
                let packed = pack(codec, &records).unwrap();
                assert!(
                    unpack(codec, &packed, length.max(1)).as_ref() == Ok(&records),
                    "{codec:?} {length}"
                );
                if length > 0 {
                    let short = unpack(codec, &packed, length - 1);
                    assert!(short == Err(NotUnpacked::TooLarge), "{codec:?} {length}");
                }
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 48 << 20];
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let bomb = pack(codec, &zeros).unwrap();
            assert_eq!(
                unpack(codec, &bomb, 1 << 20),
                Err(NotUnpacked::TooLarge),
                "{codec:?}"
            );
        }
        // Without the size in the frame's header, and in two frames.
        let mut stream = zstd::stream::encode_all(&zeros[..], 3).unwrap();
        assert_eq!(unpack(Codec::Zstd, &stream, 1 << 20), Err(NotUnpacked::TooLarge));
        stream.extend(zstd::bulk::compress(b"more", 3).unwrap());
        assert_eq!(
            unpack(Codec::Zstd, &stream, 64 << 20).map(|it| it.len()),
            Ok((48 << 20) + 4)
        );
    }

    #[test]
    fn poison_is_broken_whatever_it_claims() {
        let records = text(5000);
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let packed = pack(codec, &records).unwrap();
            // The mark at the end of LZ4's frames may be missing: nothing else is.
            for cut in [9, packed.len() / 2] {
                let cut = unpack(codec, &packed[..packed.len() - cut], 1 << 20);
                assert!(
                    cut.is_err() || cut.is_ok_and(|it| it.len() < records.len()),
                    "{codec:?}"
                );
            }
            assert_eq!(
                unpack(codec, b"no such thing", 1 << 20),
                Err(NotUnpacked::Broken),
                "{codec:?}"
            );
        }
        // Five bytes that promise 16 MiB.
        let promise = [0x80, 0x80, 0x80, 0x08, 0];
        assert_eq!(
            unpack(Codec::Snappy, &promise, 64 << 20),
            Err(NotUnpacked::Broken)
        );
    }

    #[test]
    fn snappy_comes_in_blocks_and_in_one() {
        let records = text(100_000);
        let one = snap::raw::Encoder::new().compress_vec(&records).unwrap();
        assert!(unpack(Codec::Snappy, &one, 100_000).as_ref() == Ok(&records));
        let twice = [
            pack(Codec::Snappy, &records).unwrap(),
            pack(Codec::Snappy, b"x").unwrap(),
        ]
        .concat();
        assert_eq!(
            unpack(Codec::Snappy, &twice, 200_000).map(|it| it.len()),
            Ok(100_001)
        );
    }
}
