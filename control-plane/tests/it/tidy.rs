//! Rules of the house that a compiler does not check: which way paths point, how files open and how long they are,
//! where SQL is written, and that every error code is explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use weir_control_plane::kernel::code;

/// From below to above: a module may name itself and those before it.
const RANKS: [&str; 9] = [
    "kernel",
    "runtime",
    "auth",
    "rest",
    "resources",
    "registry",
    "link",
    "config",
    "server",
];
const LINES_MAX: usize = 400;
/// The machinery of the database, and the write wrapper with its idempotency keys.
const WITH_SQL: [&str; 5] = [
    "runtime/db.rs",
    "runtime/lease.rs",
    "runtime/migrate.rs",
    "rest/write.rs",
    "rest/idempotency.rs",
];

/// Every source file: its path below `src`, and its text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let name = path.strip_prefix(&root).expect("below src");
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((name.to_string_lossy().into_owned(), text));
            }
        }
    }
    assert!(found.len() > 100, "the walk finds the sources");
    found
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The module that a file belongs to: `main.rs` and `lib.rs` belong to none.
fn rank(file: &str) -> Option<usize> {
    let module = file.split('/').next().unwrap_or_default();
    let module = module.strip_suffix(".rs").unwrap_or(module);
    RANKS.iter().position(|it| *it == module)
}

/// The top modules that a text names by `crate::`, with braces: `crate::{auth, kernel::Id}` names two.
fn named(text: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|it| it.is_ascii_alphanumeric() || *it == '_')
            .collect()
    };
    let mut names = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let Some(inner) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut fresh) = (0_usize, true);
        for (at, letter) in inner.char_indices() {
            match letter {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                it if fresh && it.is_ascii_alphabetic() => {
                    names.insert(word(&inner[at..]));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn paths_point_downwards() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(own) = rank(&file) else { continue };
        for name in named(&text) {
            match RANKS.iter().position(|it| *it == name) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{file} reaches up to crate::{name}")),
                None => wrong.push(format!("{file} names crate::{name}, which has no rank")),
            }
        }
    }
    none(&wrong);
}

#[test]
fn paths_in_braces_are_read_too() {
    let text = "use crate::{auth::{Caller, Role}, kernel::Id,\n    server};\nuse crate::rest::Call;";
    let names: Vec<String> = named(text).into_iter().collect();
    assert_eq!(names, ["auth", "kernel", "rest", "server"]);
}

#[test]
fn every_module_has_its_rank() {
    let known: BTreeSet<&str> = RANKS.into_iter().collect();
    for (file, _) in sources() {
        let top = file.split('/').next().unwrap_or_default();
        let top = top.strip_suffix(".rs").unwrap_or(top);
        assert!(matches!(top, "main" | "lib") || known.contains(top), "{file}");
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if !text.starts_with("//! ") {
            wrong.push(format!("{file} does not open with //!"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!("{file} has {lines} lines; {LINES_MAX} is the most"));
        }
    }
    none(&wrong);
}

#[test]
fn sql_is_written_in_stores() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let may = file.ends_with("/store.rs") || WITH_SQL.contains(&file.as_str());
        if !may && (text.contains("sqlx::query") || text.contains("sqlx::raw_sql")) {
            wrong.push(format!("{file} has SQL; a room keeps it in its store.rs"));
        }
    }
    none(&wrong);
}

#[test]
fn every_error_code_is_explained_and_every_explanation_has_its_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let page = std::fs::read_to_string(page).expect("docs/errors.md");
    let mut explained = BTreeSet::new();
    for part in page.split("\n## ").skip(1) {
        let (code, text) = part.split_once('\n').expect("a heading and a paragraph");
        assert!(explained.insert(code.trim()), "{code} is explained twice");
        assert!(
            text.trim().len() > 20 && text.trim_start().starts_with(|it: char| it.is_ascii_digit()),
            "the paragraph of {code} begins with its status and says what to do"
        );
    }
    let known: BTreeSet<&str> = code::ALL.iter().copied().collect();
    let missing: Vec<_> = known.difference(&explained).collect();
    assert!(missing.is_empty(), "docs/errors.md does not explain {missing:?}");
    let idle: Vec<_> = explained.difference(&known).collect();
    assert!(
        idle.is_empty(),
        "docs/errors.md explains what no code is: {idle:?}"
    );
}
