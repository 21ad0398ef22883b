//! Contracts in other standards: generated ones through ODCS, AsyncAPI and YAML and back; documents of others in and out, and
//! everything that is written by the standards' own JSON Schemas. Where the fixtures come from: `fixtures/README.md`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod contract;
#[path = "../generated/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "schemas are changed and filled by other tests"
)]
mod generated;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use contract::document;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;
use weir_contract::document::{Document, read_value, write_yaml};
use weir_contract::standards::{Standard, asyncapi, import, odcs};

fn validator(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::options().build(&schema).expect("it is a schema")
}

/// What a standard's own JSON Schema says against a document.
fn faults(standard: Standard, value: &Value) -> Vec<String> {
    static ODCS: OnceLock<Validator> = OnceLock::new();
    static ASYNCAPI: OnceLock<Validator> = OnceLock::new();
    let validator = match standard {
        Standard::Odcs => {
            ODCS.get_or_init(|| validator(include_str!("../fixtures/odcs/odcs-json-schema-v3.1.0.json")))
        }
        Standard::AsyncApi => {
            ASYNCAPI.get_or_init(|| validator(include_str!("../fixtures/asyncapi/asyncapi-3.0.0.json")))
        }
        Standard::Weir => return Vec::new(),
    };
    let told = validator.iter_errors(value).take(5);
    told.map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn export(standard: Standard, document: &Document) -> Value {
    match standard {
        Standard::Odcs => odcs::export(document),
        Standard::AsyncApi => asyncapi::export(document),
        Standard::Weir => Ok(serde_json::to_value(document).expect("it can be written")),
    }
    .unwrap_or_else(|error| panic!("{error}\n{document:#?}"))
}

/// Out, by the standard's schema, through YAML or JSON, and in again.
fn comes_back(standard: Standard, document: &Document, yaml: bool) -> Result<(), TestCaseError> {
    let value = export(standard, document);
    let faults = faults(standard, &value);
    prop_assert!(faults.is_empty(), "{:?}\n{:#}", faults, value);
    let text = if yaml {
        write_yaml(&value).expect("it can be written")
    } else {
        value.to_string()
    };
    prop_assert_eq!(&read_value(&text).expect("it can be read"), &value, "{}", text);
    let (found, documents) =
        import(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    prop_assert_eq!(found, standard);
    prop_assert_eq!(documents, vec![document.clone()], "{}", text);
    Ok(())
}

/// Each case is validated by the standards' schemas, which are large: more cases than this cost minutes.
fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: (default.cases / 2).clamp(1, 1_000),
        ..default
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn contracts_come_back_from_odcs(document in document(), yaml in any::<bool>()) {
        comes_back(Standard::Odcs, &document, yaml)?;
    }

    #[test]
    fn contracts_come_back_from_asyncapi(document in document(), yaml in any::<bool>()) {
        comes_back(Standard::AsyncApi, &document, yaml)?;
    }

    #[test]
    fn contracts_come_back_from_their_own_words(document in document(), yaml in any::<bool>()) {
        comes_back(Standard::Weir, &document, yaml)?;
        let text = document.to_yaml().expect("it can be written");
        prop_assert_eq!(Document::read(&text), Ok(document), "{}", text);
    }

    /// Out to one standard, and from there to the other.
    #[test]
    fn contracts_come_back_over_both(document in document()) {
        let over = |first, second| {
            let (_, mut documents) = import(&export(first, &document).to_string()).expect("it can be read");
            let value = export(second, &documents.remove(0));
            import(&value.to_string()).expect("it can be read").1
        };
        prop_assert_eq!(over(Standard::Odcs, Standard::AsyncApi), vec![document.clone()]);
        prop_assert_eq!(over(Standard::AsyncApi, Standard::Odcs), vec![document.clone()]);
    }

    #[test]
    fn no_text_breaks_the_readers(text in "(asyncapi: 3.0.0\n|apiVersion: v3.1.0\nkind: DataContract\nschema:\n)?[-\\[\\]{}\":,a-z0-9 &*|>#$/=\n]{0,200}") {
        if let Err(error) = import(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// The documents of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// A document of others: all its contracts, in and out as it was, on through the other standard and Weir's own words, and
/// written anew without what it said beside the contract. Counts contracts, and those whose schema stands alone.
fn comes_and_goes(path: &Path) -> (Standard, usize, usize) {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let value = read_value(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (standard, documents) = import(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let valid = faults(standard, &value);
    assert!(valid.is_empty(), "{} is none itself: {valid:?}", path.display());
    let mut sound = 0;
    for document in &documents {
        let place = format!("{}, {}", path.display(), document.subject);
        assert_eq!(export(standard, document), value, "{place}");
        let own = document.to_yaml().expect("it can be written");
        assert_eq!(Document::read(&own).as_ref(), Ok(document), "{place}");
        // One that refers to other files cannot stand elsewhere.
        if document.parsed_schema().is_err() {
            continue;
        }
        sound += 1;
        let mut bare = document.clone();
        bare.carried.clear();
        for other in [Standard::Odcs, Standard::AsyncApi] {
            for document in [document, &bare] {
                let exported = export(other, document);
                let faults = faults(other, &exported);
                assert!(
                    faults.is_empty(),
                    "{place} as {other:?}: {faults:?}\n{exported:#}"
                );
                let (_, back) =
                    import(&exported.to_string()).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert!(back.contains(document), "{place} as {other:?}");
            }
        }
    }
    (standard, documents.len(), sound)
}

/// The published documents of a standard.
fn come_and_go(expected: Standard, examples: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(examples);
    let files = files(&folder);
    assert!(files.len() >= 10, "{}", files.len());
    let (mut contracts, mut sound) = (0, 0);
    for path in &files {
        let (standard, of_it, sound_of_it) = comes_and_goes(path);
        assert_eq!(standard, expected, "{}", path.display());
        assert!(of_it > 0, "{}", path.display());
        contracts += of_it;
        sound += sound_of_it;
    }
    println!(
        "{} documents, {contracts} contracts, {sound} schemas stand alone",
        files.len()
    );
    assert!(sound * 10 >= contracts * 9, "{sound} of {contracts}");
}

#[test]
fn public_documents_of_asyncapi_come_in_and_go_out() {
    come_and_go(Standard::AsyncApi, "asyncapi/examples");
}

#[test]
fn public_documents_of_odcs_come_in_and_go_out() {
    come_and_go(Standard::Odcs, "odcs/examples");
}

#[test]
#[ignore = "wants documents of one's own: WEIR_STANDARDS_EXAMPLES names their folder"]
fn documents_of_a_folder_come_in_and_go_out() {
    let folder = std::env::var("WEIR_STANDARDS_EXAMPLES").expect("it names a folder");
    for path in files(Path::new(&folder)) {
        let (_, contracts, sound) = comes_and_goes(&path);
        println!(
            "{}: {contracts} contracts, {sound} schemas stand alone",
            path.display()
        );
    }
}
