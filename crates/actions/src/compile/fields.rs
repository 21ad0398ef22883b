//! Paths of steps: read, not in one another, of fields that there are.

use super::Compiler;
use crate::known::Lookup;
use crate::limits::ENTRIES_MAX;
use crate::path::{self, Path, shown};
use crate::problem::ProblemCode;
use crate::tree::Tree;

impl Compiler<'_> {
    /// Reads paths; `None` if something is wrong with one, which is told. `pointer` says where the path at a place stands.
    pub(crate) fn paths<'p>(
        &mut self,
        texts: impl ExactSizeIterator<Item = &'p str>,
        pointer: &dyn Fn(usize, &str) -> String,
        field: &str,
    ) -> Option<Vec<Path>> {
        if texts.len() == 0 {
            self.problem(ProblemCode::Missing, field, "Name at least one field.");
            return None;
        }
        if texts.len() > ENTRIES_MAX {
            let message = format!("At most {ENTRIES_MAX} fields are allowed in a step; add another step.");
            self.problem(ProblemCode::TooLong, field, message);
            return None;
        }
        let mut paths = Vec::new();
        let mut good = true;
        for (place, text) in texts.enumerate() {
            match path::read(text) {
                Ok(path) => paths.push(path),
                Err(message) => {
                    good = false;
                    self.problem(ProblemCode::BadPath, &pointer(place, text), message);
                }
            }
        }
        good.then_some(paths)
    }

    /// A tree of paths, if none lies in another.
    pub(crate) fn tree(&mut self, paths: &[Path], field: &str) -> Option<Tree> {
        let tree = Tree::of(paths);
        if tree.is_none() {
            let message = "A path is there twice, or lies in another one; leave the outer or the inner one.";
            self.problem(ProblemCode::OverlappingPaths, field, message);
        }
        tree
    }

    /// Tells a path that no record has.
    pub(crate) fn must_be(&mut self, path: &Path, field: &str) -> bool {
        let message = match self.known.at(path) {
            Lookup::Here(_) | Lookup::Perhaps => return true,
            Lookup::Missing(names) if names.is_empty() => {
                format!("No record has a field `{}` at this step.", shown(path))
            }
            Lookup::Missing(names) => {
                format!(
                    "No record has a field `{}` at this step; there are {}.",
                    shown(path),
                    names.join(", ")
                )
            }
            Lookup::NoFields => format!(
                "`{}` leads through a value that has no fields; shorten the path.",
                shown(path)
            ),
        };
        self.problem(ProblemCode::UnknownField, field, message);
        false
    }

    /// Reads the paths of a list, all of which must be there.
    pub(crate) fn listed(&mut self, texts: &[String], field: &str) -> Option<(Vec<Path>, Tree)> {
        let place = |place: usize, _text: &str| format!("{field}/{place}");
        let paths = self.paths(texts.iter().map(String::as_str), &place, field)?;
        let mut good = true;
        for (at, path) in paths.iter().enumerate() {
            good &= self.must_be(path, &format!("{field}/{at}"));
        }
        let tree = self.tree(&paths, field)?;
        good.then_some((paths, tree))
    }
}
