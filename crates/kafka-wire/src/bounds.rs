//! Walks a message by its shape before it is decoded.
//!
//! What passes has only lengths and counts that the bytes at hand cover, ends where the frame ends (a request may be
//! followed by bytes that nobody reads), and would not take more memory decoded than its [`Budget`] allows. The walk
//! itself allocates nothing.

use crate::shape::{Direction, Field, Length, Shape, shape};

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// Kafka has no such message.
    #[error("no message has this key and version")]
    Unknown,
    /// A length or count reaches past the end.
    #[error("a length reaches past the end of the message")]
    Overrun,
    /// Bytes follow the last field.
    #[error("bytes follow the end of the message")]
    Trailing,
    /// A length is negative where null is -1, or a varint has more than five bytes.
    #[error("a length is malformed")]
    Malformed,
    /// Decoded it would take more memory than allowed.
    #[error("the message would take more memory than allowed")]
    Costly,
}

/// How much memory the decoded message may take beside its bytes: `factor` times its length, but at least `floor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Always allowed.
    pub floor: usize,
    /// Times the message's length.
    pub factor: usize,
}

impl Budget {
    /// For what arrives before anybody is authenticated.
    pub const STRANGER: Self = Self {
        floor: 16 * 1024,
        factor: 0,
    };
    /// For what an authenticated client sends.
    pub const CLIENT: Self = Self {
        floor: 1024 * 1024,
        factor: 1,
    };
    /// For what a broker answers.
    pub const BROKER: Self = Self {
        floor: 4 * 1024 * 1024,
        factor: 24,
    };
}

/// Checks the body (what follows the header) of a message.
///
/// # Errors
/// [`BoundsError`]: the message must not be decoded.
pub fn check(
    direction: Direction,
    api_key: i16,
    version: i16,
    body: &[u8],
    budget: Budget,
) -> Result<(), BoundsError> {
    let shape = shape(direction, api_key, version).ok_or(BoundsError::Unknown)?;
    check_shape(shape, body, budget)
}

/// Checks a message of a given shape.
///
/// # Errors
/// [`BoundsError`]: the message must not be decoded.
pub fn check_shape(shape: &Shape, body: &[u8], budget: Budget) -> Result<(), BoundsError> {
    match walk(shape, body, budget)? {
        [] => Ok(()),
        _more => Err(BoundsError::Trailing),
    }
}

/// Checks a request's body and tells how many of its bytes the request takes. Brokers ignore what follows, and
/// librdkafka relies on that: its question for all topics (Metadata 9 and above) ends with three stray bytes.
///
/// # Errors
/// [`BoundsError`]: the message must not be decoded.
pub fn request_length(api_key: i16, version: i16, body: &[u8], budget: Budget) -> Result<usize, BoundsError> {
    let shape = shape(Direction::Request, api_key, version).ok_or(BoundsError::Unknown)?;
    Ok(body.len() - walk(shape, body, budget)?.len())
}

/// What follows the message.
fn walk<'a>(shape: &Shape, body: &'a [u8], budget: Budget) -> Result<&'a [u8], BoundsError> {
    let allowed = body.len().saturating_mul(budget.factor).max(budget.floor);
    let mut walk = Walk {
        rest: body,
        left: allowed,
    };
    walk.fields(&shape.fields)?;
    Ok(walk.rest)
}

/// Checks the tagged fields at the head of `bytes` (those of a flexible header) and returns what follows them.
///
/// # Errors
/// [`BoundsError`]: the header must not be decoded.
pub fn after_tagged_fields(bytes: &[u8], budget: Budget) -> Result<&[u8], BoundsError> {
    let mut walk = Walk {
        rest: bytes,
        left: budget.floor,
    };
    walk.tagged(&[])?;
    Ok(walk.rest)
}

/// What follows the first `count` fields of a message of a given shape. A run of fixed-size fields is one.
///
/// # Errors
/// [`BoundsError`]: the message is shorter or malformed.
pub fn after_leading_fields<'a>(
    shape: &Shape,
    body: &'a [u8],
    count: usize,
) -> Result<&'a [u8], BoundsError> {
    let mut walk = Walk {
        rest: body,
        left: usize::MAX,
    };
    for field in shape.fields.iter().take(count) {
        walk.field(field)?;
    }
    Ok(walk.rest)
}

/// What a tagged field that nobody knows takes in the decoder's map.
const UNKNOWN_TAG_COST: usize = 128;

struct Walk<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Walk<'a> {
    fn fields(&mut self, fields: &[Field]) -> Result<(), BoundsError> {
        fields.iter().try_for_each(|field| self.field(field))
    }

    fn field(&mut self, field: &Field) -> Result<(), BoundsError> {
        match field {
            Field::Fixed(size) => self.take(*size).map(|_bytes| ()),
            Field::Text(length) => {
                let size = self.length(*length)?;
                self.take(size).map(|_bytes| ())
            }
            Field::Array(array) => {
                let count = self.length(array.count)?;
                if count > self.rest.len() / array.least {
                    return Err(BoundsError::Overrun);
                }
                self.pay(count.saturating_mul(array.decoded))?;
                if let [Field::Fixed(size)] = array.element[..] {
                    return self.take(count.saturating_mul(size)).map(|_bytes| ());
                }
                (0..count).try_for_each(|_element| self.fields(&array.element))
            }
            Field::Optional(inner) => match self.take(1)?[0].cast_signed() {
                -1 => Ok(()),
                1 => self.fields(inner),
                _other => Err(BoundsError::Malformed),
            },
            Field::Tagged(known) => self.tagged(known),
        }
    }

    fn tagged(&mut self, known: &[(u32, Vec<Field>)]) -> Result<(), BoundsError> {
        let count = self.varint()?;
        // Tag and size take a byte each at least.
        if count as usize > self.rest.len() / 2 {
            return Err(BoundsError::Overrun);
        }
        for _field in 0..count {
            let tag = self.varint()?;
            // The decoder keeps unknown fields under signed tags, and would write others back with another length.
            if i32::try_from(tag).is_err() {
                return Err(BoundsError::Malformed);
            }
            let size = self.varint()? as usize;
            let body = self.take(size)?;
            match known.iter().find(|(it, _fields)| *it == tag) {
                Some((_tag, fields)) => {
                    let mut inner = Walk {
                        rest: body,
                        left: self.left,
                    };
                    inner.fields(fields)?;
                    if !inner.rest.is_empty() {
                        return Err(BoundsError::Trailing);
                    }
                    self.left = inner.left;
                }
                None => self.pay(UNKNOWN_TAG_COST)?,
            }
        }
        Ok(())
    }

    fn pay(&mut self, bytes: usize) -> Result<(), BoundsError> {
        self.left = self.left.checked_sub(bytes).ok_or(BoundsError::Costly)?;
        Ok(())
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], BoundsError> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(BoundsError::Overrun)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length or count; null counts as 0.
    fn length(&mut self, length: Length) -> Result<usize, BoundsError> {
        let signed = match length {
            Length::Compact => return Ok(self.varint()?.saturating_sub(1) as usize),
            Length::Short => {
                let bytes = self.take(2)?;
                i32::from(i16::from_be_bytes([bytes[0], bytes[1]]))
            }
            Length::Long => {
                let bytes = self.take(4)?;
                i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            }
        };
        match signed {
            -1 => Ok(0),
            length => usize::try_from(length).map_err(|_negative| BoundsError::Malformed),
        }
    }

    fn varint(&mut self) -> Result<u32, BoundsError> {
        let mut value = 0_u32;
        for place in 0..5_u32 {
            let byte = self.take(1)?[0];
            // The fifth byte has room for four bits only.
            if place == 4 && byte > 0x0f {
                return Err(BoundsError::Malformed);
            }
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BoundsError::Malformed)
    }
}

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;
