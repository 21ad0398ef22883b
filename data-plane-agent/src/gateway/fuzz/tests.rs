//! The committed corpus and the seeds, replayed: what the fuzzer once found stays mended.

use super::*;

#[test]
fn the_corpus_of_every_target_holds() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in TARGETS {
        let mut replayed = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            replayed += 1;
        }
        assert!(replayed >= 4, "{name}: {replayed} inputs");
    }
    let mut folders: Vec<_> = std::fs::read_dir(&corpus)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names = TARGETS.map(|(name, _target)| name.to_owned());
    names.sort();
    assert_eq!(folders, names);
}

#[test]
fn seeds_hold_and_so_do_their_heads() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            for length in (0..=seed.len()).rev().step_by(7) {
                target(&seed[..length]);
            }
        }
    }
}

#[test]
fn the_right_secret_enters_so_that_the_targets_can_fail() {
    let sample = Sample::new();
    let seed = sample::seeds("login").remove(0);
    let entered = sample.wait(knock(&sample.gateway, &seed)).unwrap();
    assert_eq!(entered.id, "writer");
}
