//! Pages of a list: bounded size, opaque token, stable order by id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Where the last page ended. Opaque outside; ids are time-ordered, so the order is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageToken(Uuid);

impl PageToken {
    /// The token after the row with this id.
    #[must_use]
    pub const fn after(id: Uuid) -> Self {
        Self(id)
    }

    /// Reads a token; `None` when it is not one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Uuid::from_slice(&bytes).ok().map(Self)
    }

    /// What the caller sends back.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }
}

/// A request for one page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows on the page: 1 to 1000.
    pub size: i64,
    /// Where to go on; from the start when absent.
    pub token: Option<PageToken>,
}

impl Page {
    /// The id after which the page begins.
    #[must_use]
    pub fn after(self) -> Uuid {
        self.token.map_or(Uuid::nil(), |it| it.0)
    }

    /// The id before which the page begins, for lists that show the newest first.
    #[must_use]
    pub fn before(self) -> Uuid {
        self.token.map_or(Uuid::max(), |it| it.0)
    }

    /// One more than the size: the extra row tells whether another page follows.
    #[must_use]
    pub const fn limit(self) -> i64 {
        self.size + 1
    }

    /// Cuts the extra row off and makes the next token of the last one kept.
    pub fn cut<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, Option<PageToken>) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = if more {
            rows.last().map(|row| PageToken::after(id(row)))
        } else {
            None
        };
        (rows, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_the_last_row_only_when_more_follow() {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = Page { size: 2, token: None };
        let (rows, next) = page.cut(ids.clone(), |it| *it);
        assert_eq!((rows.len(), next), (2, Some(PageToken::after(ids[1]))));
        let (_, end) = page.cut(ids[..2].to_vec(), |it| *it);
        assert_eq!(end, None);
        assert_eq!(
            PageToken::parse(&PageToken::after(ids[1]).encode()),
            Some(PageToken::after(ids[1]))
        );
        assert_eq!(PageToken::parse("!"), None);
    }
}
