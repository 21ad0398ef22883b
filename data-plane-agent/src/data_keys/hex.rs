//! Bytes as hexadecimal digits.

/// Lower case.
pub fn written(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(u32::from(it), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|it| [digit(it >> 4), digit(it & 15)])
        .collect()
}

/// `None`: it is something else.
pub fn read(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let digit = |it: u8| u8::try_from(char::from(it).to_digit(16)?).ok();
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _odd => None,
        })
        .collect()
}
