//! What a session has told, and what is news to the other side. Pure.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{ItemStatus, RefusedFrame};

use super::Board;

/// Items that differ from what was told; those not named keep theirs.
pub(super) fn changed(
    told: &BTreeMap<String, ItemStatus>,
    now: &BTreeMap<String, ItemStatus>,
) -> Vec<ItemStatus> {
    now.iter()
        .filter(|(id, status)| told.get(*id) != Some(status))
        .map(|(_id, status)| status.clone())
        .collect()
}

/// Refusals that this session has not told.
pub(super) fn newly_refused(told: &Board, now: &Board) -> Vec<RefusedFrame> {
    let fresh = usize::try_from(now.refused_count.saturating_sub(told.refused_count)).unwrap_or(usize::MAX);
    now.refused[now.refused.len().saturating_sub(fresh)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::Phase;

    fn status(id: &str, phase: Phase) -> (String, ItemStatus) {
        let status = ItemStatus {
            id: id.to_owned(),
            phase: phase.into(),
            ..Default::default()
        };
        (id.to_owned(), status)
    }

    #[test]
    fn only_what_changed_is_told() {
        let told = BTreeMap::from([status("a", Phase::Ready), status("b", Phase::Pending)]);
        let now = BTreeMap::from([
            status("a", Phase::Ready),
            status("b", Phase::Ready),
            status("c", Phase::Pending),
        ]);
        let ids: Vec<_> = changed(&told, &now).into_iter().map(|it| it.id).collect();
        assert_eq!(ids, ["b", "c"]);
        assert_eq!(
            changed(&BTreeMap::new(), &now).len(),
            3,
            "a new session tells all"
        );
    }

    #[test]
    fn a_refusal_is_told_once_per_session() {
        let mut board = Board::default();
        board.refuse(RefusedFrame::default());
        assert_eq!(newly_refused(&Board::default(), &board).len(), 1);
        let told = board.clone();
        assert_eq!(newly_refused(&told, &board).len(), 0);
        for _ in 0..40 {
            board.refuse(RefusedFrame::default());
        }
        assert_eq!(newly_refused(&told, &board).len(), 16, "only the newest are kept");
    }
}
