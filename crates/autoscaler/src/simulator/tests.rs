//! The suite: every policy on every trace, and generated jobs.

use super::generated::figures;
use super::*;
use crate::policy::Policy;

#[test]
fn the_table() {
    let rows = suite(&Policy::default(), &Settings::default());
    println!("{}", table(&rows));
}

#[test]
fn generated_jobs() {
    let ours = figures(0..1_000, |policy| Box::new(Ours::from(policy)));
    println!("ours {ours:?}");
    let ds2 = figures(0..1_000, |_| Box::new(Ds2::new()));
    println!("ds2 {ds2:?}");
}
