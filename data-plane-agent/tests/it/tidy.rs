//! Which module may reach which: checked in the sources, so that the direction of things stays one.

use std::path::{Path, PathBuf};

/// A folder or file under `src`, and the modules that it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "link",
        &[
            "platform",
            "resources",
            "driver",
            "lane",
            "inside",
            "gateway",
            "policy",
        ],
    ),
    (
        "gateway",
        &[
            "link",
            "platform",
            "driver",
            "resources",
            "inside",
            "policy",
            "metering",
        ],
    ),
    (
        "platform",
        &["driver", "resources", "link", "lane", "policy", "inside"],
    ),
    (
        "processor",
        &[
            "link",
            "platform",
            "driver",
            "resources",
            "lane",
            "inside",
            "policy",
            "metering",
        ],
    ),
    (
        "policy",
        &["driver", "resources", "link", "lane", "platform", "inside"],
    ),
    ("resources", &["driver", "link", "lane", "inside", "gateway"]),
    (
        "metering.rs",
        &["driver", "resources", "link", "lane", "platform"],
    ),
    ("desired.rs", &["driver", "resources", "link", "lane", "platform"]),
    ("inside", &["driver", "platform", "resources", "lane", "gateway"]),
    ("driver", &["cli", "agent", "inside", "gateway"]),
    (
        "models",
        &[
            "driver",
            "platform",
            "resources",
            "link",
            "lane",
            "inside",
            "policy",
        ],
    ),
];
const LINES_MAX: usize = 400;

fn sources(at: &Path) -> Vec<PathBuf> {
    if at.is_file() {
        return vec![at.to_owned()];
    }
    let items = std::fs::read_dir(at).unwrap().map(|item| item.unwrap().path());
    items
        .flat_map(|path| sources(&path))
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn nothing_reaches_upward() {
    for (part, forbidden) in FORBIDDEN {
        for file in sources(&src().join(part)) {
            let text = std::fs::read_to_string(&file).unwrap();
            for module in *forbidden {
                assert!(
                    !text.contains(&format!("crate::{module}::")),
                    "{} names crate::{module}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    for file in sources(&src()) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is for",
            file.display()
        );
        let own = !file.components().any(|it| it.as_os_str() == "gateway");
        if own {
            assert!(
                text.lines().count() <= LINES_MAX,
                "{} is longer than {LINES_MAX} lines",
                file.display()
            );
        }
    }
}
