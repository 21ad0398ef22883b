//! Tests of the whole: specs in, outcomes out, in three formats.

mod calls;
mod cost;
mod docs;
mod formats;
mod host;
mod output;
mod poison;
mod problems;
mod properties;
mod verdicts;
