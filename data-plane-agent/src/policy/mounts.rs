//! What another tenant's topic that is shown here means to the customer's policy.

use weir_proto::agent::v1::{Mount, Topic};

use super::Kind;

/// Nothing is done to what is shown; it may be shown, or not.
pub(super) fn mount_change(held: Option<&Topic>, wish: &Topic) -> Vec<Kind> {
    match held {
        _any if wish.deleted && wish.mount.is_some() => Vec::new(),
        Some(held) if held.deleted => Vec::new(),
        Some(held) if held.mount.is_some() != wish.mount.is_some() => {
            // No honest wish: what could destroy it is asked for.
            vec![Kind::TopicMount, Kind::TopicDelete]
        }
        Some(held) if is_no_wider(held.mount.as_ref(), wish.mount.as_ref()) => Vec::new(),
        _new => vec![Kind::TopicMount],
    }
}

/// Whether no more is shown than before, and no longer: the end of a share is nobody's to refuse. That it is encrypted from now on, or
/// under other keys, shows no more; that it is not any longer does.
fn is_no_wider(held: Option<&Mount>, wish: Option<&Mount>) -> bool {
    let (Some(held), Some(wish)) = (held, wish) else {
        return held.is_none() && wish.is_none();
    };
    let end = |it: &Mount| match it.expires_at_unix_seconds {
        0 => i64::MAX,
        at => at,
    };
    let bounded = Mount {
        expires_at_unix_seconds: wish.expires_at_unix_seconds,
        fetch_bytes_per_second: wish.fetch_bytes_per_second,
        encryption: wish.encryption.clone().or_else(|| held.encryption.clone()),
        ..held.clone()
    };
    bounded == *wish && end(wish) <= end(held)
}

#[cfg(test)]
mod tests {
    use weir_proto::agent::v1::MountEncryption;

    use super::*;

    fn mount(change: impl FnOnce(&mut Mount)) -> Topic {
        let mut mount = Mount {
            topic_id: "topic_1".to_owned(),
            view_steps_json: "[]".to_owned(),
            expires_at_unix_seconds: 100,
            ..Mount::default()
        };
        change(&mut mount);
        Topic {
            mount: Some(mount),
            ..Topic::default()
        }
    }

    #[test]
    fn what_shows_more_is_asked_for_and_an_end_is_not() {
        let held = mount(|_it| ());
        let asked = |wish: &Topic| mount_change(Some(&held), wish);
        assert_eq!(mount_change(None, &held), [Kind::TopicMount]);
        assert_eq!(asked(&mount(|it| it.expires_at_unix_seconds = 99)), []);
        assert_eq!(asked(&mount(|it| it.fetch_bytes_per_second = 1)), []);
        let encrypted = mount(|it| it.encryption = Some(MountEncryption::default()));
        assert_eq!(asked(&encrypted), []);
        assert_eq!(mount_change(Some(&encrypted), &held), [Kind::TopicMount]);
        let gone = Topic {
            deleted: true,
            ..held.clone()
        };
        assert_eq!(asked(&gone), []);
        for later in [0, 101] {
            let wish = mount(|it| it.expires_at_unix_seconds = later);
            assert_eq!(asked(&wish), [Kind::TopicMount]);
        }
        for wish in [
            mount(|it| it.view_steps_json = String::new()),
            mount(|it| it.from_unix_ms = 1),
            mount(|it| it.topic_id = "topic_2".to_owned()),
        ] {
            assert_eq!(asked(&wish), [Kind::TopicMount]);
        }
        assert_eq!(asked(&Topic::default()), [Kind::TopicMount, Kind::TopicDelete]);
    }
}
