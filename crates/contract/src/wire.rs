//! How a record names its schema: the frame that serializers of the Schema Registry write.
//!
//! Two forms, as confluent-kafka-python implements them (`schema_registry/common/serde.py`, `SchemaId`, and
//! `schema_registry/__init__.py`, `dual_schema_id_deserializer`):
//! - in front of the payload: the byte 0 and the id in four bytes, big-endian, or the byte 1 and a GUID of 16 bytes;
//! - in a header `__key_schema_id` or `__value_schema_id` with the same bytes; then the payload has no frame. A header
//!   comes before a frame, and of several headers the first holds.
//!
//! Protobuf adds which message of the file it is: a count and so many indexes, as zigzag variable-length numbers; a
//! count of 0 is the first message.

/// The header of keys.
pub const KEY_HEADER: &str = "__key_schema_id";
/// The header of values.
pub const VALUE_HEADER: &str = "__value_schema_id";
/// How deep a message may stand within messages.
const INDEXES_MAX: usize = 64;

/// Which schema a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// By the number that the registry gave it.
    Id(u32),
    /// By its GUID.
    Guid([u8; 16]),
}

/// A record without its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed<'a> {
    /// Which schema.
    pub schema: SchemaId,
    /// What follows: of Protobuf still with the indexes in front, unless they stood in the header.
    pub body: &'a [u8],
    /// What followed the id in the header: the indexes of Protobuf.
    pub header_rest: Option<&'a [u8]>,
}

/// Why there is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing at all.
    #[error("the record is empty")]
    Empty,
    /// Neither 0 nor 1.
    #[error("the record does not begin with the id of a schema")]
    UnknownMagic,
    /// It ends before the id does.
    #[error("the record ends within the id of its schema")]
    Short,
    /// No indexes of a message.
    #[error("the record does not say well which message it is")]
    Indexes,
}

/// Parts a frame from its payload.
///
/// # Errors
/// [`FrameError`] if there is none.
pub fn unframe(record: &[u8]) -> Result<Framed<'_>, FrameError> {
    let (schema, body) = schema_id(record)?;
    Ok(Framed {
        schema,
        body,
        header_rest: None,
    })
}

/// The schema of a payload whose header names it.
///
/// # Errors
/// [`FrameError`] if the header does not.
pub fn from_header<'a>(header: &'a [u8], payload: &'a [u8]) -> Result<Framed<'a>, FrameError> {
    let (schema, rest) = schema_id(header)?;
    Ok(Framed {
        schema,
        body: payload,
        header_rest: Some(rest),
    })
}

fn schema_id(bytes: &[u8]) -> Result<(SchemaId, &[u8]), FrameError> {
    let (magic, rest) = bytes.split_first().ok_or(FrameError::Empty)?;
    match magic {
        0 => {
            let (id, rest) = rest.split_first_chunk::<4>().ok_or(FrameError::Short)?;
            Ok((SchemaId::Id(u32::from_be_bytes(*id)), rest))
        }
        1 => {
            let (guid, rest) = rest.split_first_chunk::<16>().ok_or(FrameError::Short)?;
            Ok((SchemaId::Guid(*guid), rest))
        }
        _ => Err(FrameError::UnknownMagic),
    }
}

impl<'a> Framed<'a> {
    /// For Protobuf: the indexes of the message, none for the first of the file, and the payload behind them.
    ///
    /// # Errors
    /// [`FrameError::Indexes`] if there are none that can be read.
    pub fn message(&self) -> Result<(Vec<u32>, &'a [u8]), FrameError> {
        match self.header_rest {
            None => indexes(self.body),
            Some(rest) => {
                let (found, rest) = indexes(rest)?;
                if rest.is_empty() {
                    Ok((found, self.body))
                } else {
                    Err(FrameError::Indexes)
                }
            }
        }
    }
}

fn indexes(bytes: &[u8]) -> Result<(Vec<u32>, &[u8]), FrameError> {
    let (count, mut rest) = zigzag(bytes)?;
    if count == 0 {
        return Ok((Vec::new(), rest));
    }
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count <= INDEXES_MAX)
        .ok_or(FrameError::Indexes)?;
    let mut indexes = Vec::with_capacity(count);
    for _index in 0..count {
        let (index, behind) = zigzag(rest)?;
        indexes.push(u32::try_from(index).map_err(|_error| FrameError::Indexes)?);
        rest = behind;
    }
    Ok((indexes, rest))
}

/// A number of at most 32 bits and its sign.
fn zigzag(bytes: &[u8]) -> Result<(i64, &[u8]), FrameError> {
    let mut number: u64 = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((
                (number >> 1).cast_signed() ^ -((number & 1).cast_signed()),
                &bytes[index + 1..],
            ));
        }
    }
    Err(FrameError::Indexes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_parted_from_the_payload() {
        let record = [0, 0x80, 0, 0, 0, b'{', b'}'];
        assert_eq!(
            unframe(&record).map(|it| (it.schema, it.body)),
            Ok((SchemaId::Id(1 << 31), b"{}".as_slice()))
        );
        let mut record = vec![1];
        record.extend([7; 16]);
        record.push(9);
        assert_eq!(
            unframe(&record).map(|it| (it.schema, it.body)),
            Ok((SchemaId::Guid([7; 16]), [9].as_slice()))
        );
        assert_eq!(unframe(&[]), Err(FrameError::Empty));
        assert_eq!(unframe(b"{}"), Err(FrameError::UnknownMagic));
        assert_eq!(unframe(&[0, 0, 0, 1]), Err(FrameError::Short));
        assert_eq!(unframe(&[1; 16]), Err(FrameError::Short));
    }

    /// What `SchemaId._encode_varints` of confluent-kafka-python writes for these lists.
    #[test]
    fn messages_are_named_by_indexes() {
        for (bytes, expected) in [
            (vec![0], Ok(vec![])),
            (vec![2, 0], Ok(vec![0])),
            (vec![4, 2, 0], Ok(vec![1, 0])),
            (vec![6, 0, 2, 4], Ok(vec![0, 1, 2])),
            (vec![2, 0x90, 3], Ok(vec![200])),
            (vec![], Err(FrameError::Indexes)),
            (vec![2], Err(FrameError::Indexes)),
            (vec![1], Err(FrameError::Indexes)),
            (vec![2, 1], Err(FrameError::Indexes)),
            (vec![0x80, 0x80, 0x80, 0x80, 0x80, 0], Err(FrameError::Indexes)),
            (vec![0xfe, 0xff, 0xff, 0xff, 0x0f], Err(FrameError::Indexes)),
        ] {
            let mut record = vec![0, 0, 0, 0, 1];
            record.extend(&bytes);
            record.extend(b"body");
            let framed = unframe(&record).expect("it is framed");
            if bytes.len() < 5 && expected.is_err() && !bytes.is_empty() {
                assert_eq!(indexes(&bytes), Err(FrameError::Indexes), "{bytes:?}");
                continue;
            }
            if bytes.is_empty() {
                assert_eq!(indexes(&bytes), Err(FrameError::Indexes));
                continue;
            }
            let expected = expected.map(|indexes| (indexes, b"body".as_slice()));
            assert_eq!(framed.message(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_header_names_schema_and_message() {
        let mut header = vec![1];
        header.extend([3; 16]);
        header.extend([4, 2, 0]);
        let framed = from_header(&header, b"body").expect("it names one");
        assert_eq!(framed.schema, SchemaId::Guid([3; 16]));
        assert_eq!(framed.message(), Ok((vec![1, 0], b"body".as_slice())));
        header.push(0);
        assert_eq!(
            from_header(&header, b"body").expect("it names one").message(),
            Err(FrameError::Indexes)
        );
    }
}
