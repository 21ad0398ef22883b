//! Makes messages from their shapes: every list filled, every optional part present. For tests of tables and walkers.

use bytes::{BufMut, Bytes, BytesMut};

use crate::shape::{Field, Length, Shape};

/// A body of this shape; the same seed gives the same bytes.
#[must_use]
pub fn body(shape: &Shape, seed: u64) -> Bytes {
    let mut maker = Maker {
        out: BytesMut::new(),
        random: seed | 1,
    };
    maker.fields(&shape.fields);
    maker.out.freeze()
}

struct Maker {
    out: BytesMut,
    random: u64,
}

impl Maker {
    /// xorshift64*: enough variety for samples.
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            self.field(field);
        }
    }

    fn field(&mut self, field: &Field) {
        match field {
            // Small numbers: a boolean must read as one.
            Field::Fixed(size) => (0..*size).for_each(|_byte| {
                let bit = (self.next() >> 60) & 1;
                self.out.put_u8(bit as u8);
            }),
            Field::Text(length) => {
                let size = (self.next() >> 32) % 9;
                self.length(*length, size as usize);
                (0..size).for_each(|_letter| {
                    let letter = (self.next() >> 33) % 26;
                    self.out.put_u8(b'a' + letter as u8);
                });
            }
            Field::Array(array) => {
                let count = 1 + (self.next() >> 33) % 2;
                self.length(array.count, count as usize);
                (0..count).for_each(|_element| self.fields(&array.element));
            }
            Field::Optional(inner) => {
                self.out.put_i8(1);
                self.fields(inner);
            }
            Field::Tagged(_known) => self.out.put_u8(0),
        }
    }

    fn length(&mut self, length: Length, value: usize) {
        match length {
            Length::Short => self.out.put_u16(value as u16),
            Length::Long => self.out.put_u32(value as u32),
            Length::Compact => self.out.put_u8(value as u8 + 1),
        }
    }
}
