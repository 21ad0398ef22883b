//! The fence under any text.

use proptest::prelude::*;

use super::judged;
use crate::token::{print, tokens};

/// Pieces that programs, and attempts at getting out of them, are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "SELECT",
            "FROM",
            "payments",
            "INSERT",
            "INTO",
            "alerts",
            "CREATE",
            "TABLE",
            "AS",
            "WITH",
            "(",
            ")",
            ",",
            ";",
            "'",
            "''",
            "`",
            "--",
            "\n",
            "/*",
            "*/",
            "/*+",
            "OPTIONS",
            "STATE_TTL",
            "SET",
            "'a'",
            "=",
            "*",
            "1",
            "1.5",
            ".",
            "JOIN",
            "EXECUTE STATEMENT SET BEGIN",
            "END",
            "DROP",
            "ADD JAR",
            "secrets",
            "//",
            "\"",
            "U&",
            "TEMPORARY VIEW",
            "MODEL",
            "ML_PREDICT(",
            "INPUT (q STRING)",
            "OUTPUT (a STRING)",
            "v",
            " ",
        ])
        .prop_map(str::to_owned),
        "[a-z'`;()/*+ -]{0,6}",
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn no_text_is_too_odd_to_judge(text in ".{0,200}") {
        let _verdict = judged(&text);
    }

    #[test]
    fn what_is_printed_reads_as_the_same_tokens(pieces in prop::collection::vec(piece(), 0..30)) {
        if let Ok(read) = tokens(&pieces.join(" ")) {
            let printed = print(&read);
            let again = tokens(&printed).expect("what was printed is read");
            let kinds = |tokens: Vec<crate::token::Token>| tokens.into_iter().map(|it| it.kind).collect::<Vec<_>>();
            prop_assert_eq!(kinds(again), kinds(read));
        }
    }

    #[test]
    fn whatever_is_let_through_begins_as_it_must_and_has_no_second_statement(
        pieces in prop::collection::vec(piece(), 0..25),
        glue in prop::sample::select(vec!["", " "]),
    ) {
        let text = format!("INSERT INTO alerts SELECT a FROM payments {}", pieces.join(glue));
        let Ok(fenced) = judged(&text) else { return Ok(()) };
        for insert in &fenced.inserts {
            let read = tokens(insert).expect("what is sent is read");
            prop_assert!(read[0].is("INSERT") && read[1].is("INTO"));
            prop_assert!(read.iter().skip(1).all(|it| !it.is_symbol(";") && !it.is("INSERT") && !it.is("DROP") && !it.is("CREATE")));
            // No comment and no options of a table.
            let words = insert.split('\'').step_by(2).collect::<String>();
            let outside: String = words.split('`').step_by(2).collect();
            prop_assert!(!outside.contains("--") && !outside.contains("//") && !outside.contains("/*+ OPTIONS"));
        }
        for view in &fenced.views {
            prop_assert!(view.starts_with("CREATE TEMPORARY VIEW `"));
        }
    }
}
