//! Where a pool's jobs keep what they remember: in its folder on this machine, or in a bucket of the customer's.
//!
//! The rule is the same for both: the newest whole checkpoint or savepoint of a job's line counts, and where nobody can look a job
//! does not begin.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

use super::bucket::{Bucket, Object};
use super::configuration::Folders;
use super::launch::FlinkInstall;
use super::recovery;
use crate::credentials::Credential;
use crate::disk;

const FILE_BYTES_MAX: u64 = 16 * 1024;

/// A bucket, as the customer's file says it; its secret key is a credential of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// What its keys begin with; empty, or without slashes at its ends.
    pub prefix: String,
    /// `http(s)://host[:port]`; AWS's of the region if nothing is said.
    endpoint: Option<String>,
    /// Of the bucket.
    pub region: String,
    /// `endpoint/bucket/key` and not `bucket.endpoint/key`.
    pub path_style: bool,
    /// Who writes there.
    pub access_key: String,
    /// The credential with the secret key.
    pub credential: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    state: String,
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default)]
    path_style: bool,
    access_key: String,
    credential: String,
}

impl S3 {
    /// What the customer's file says.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = disk::read_bounded(path, FILE_BYTES_MAX).map_err(|it| it.to_string())?;
        let bytes = bytes.ok_or("there is no such file")?;
        let text = std::str::from_utf8(&bytes).map_err(|_no_text| "it is no text")?;
        Self::parse(text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|it| it.message().to_owned())?;
        let File {
            state,
            endpoint,
            region,
            path_style,
            access_key,
            credential,
        } = file;
        let place = state
            .strip_prefix("s3://")
            .ok_or("`state` is s3://bucket/prefix")?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_matches('/');
        let plain = |text: &str, also: &str| {
            text.bytes()
                .all(|it| it.is_ascii_alphanumeric() || also.as_bytes().contains(&it))
        };
        if !(3..=63).contains(&bucket.len()) || !plain(bucket, ".-") {
            return Err("`state` names no bucket".to_owned());
        }
        let parts = prefix.split('/').all(|it| !it.starts_with('.'));
        if prefix.len() > 200 || !plain(prefix, "._-/") || !parts || prefix.contains("//") {
            return Err("the prefix in `state` has letters, digits and ._-/ alone".to_owned());
        }
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        if region.is_empty() || !plain(&region, "-") {
            return Err("`region` is no region".to_owned());
        }
        let endpoint = endpoint.map(|it| it.trim_end_matches('/').to_owned());
        let is_address = |it: &String| {
            let host = it.strip_prefix("https://").or_else(|| it.strip_prefix("http://"));
            host.is_some_and(|it| !it.is_empty() && plain(it, ".-:[]"))
        };
        if !endpoint.as_ref().is_none_or(is_address) {
            return Err("`endpoint` is http(s)://host[:port]".to_owned());
        }
        if access_key.is_empty() || access_key.chars().any(char::is_control) {
            return Err("`access_key` is missing".to_owned());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint,
            region,
            path_style,
            access_key,
            credential,
        })
    }

    /// Where the service is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let of_region = || format!("https://s3.{}.amazonaws.com", self.region);
        self.endpoint.clone().unwrap_or_else(of_region)
    }

    /// The secret key, out of the customer's credentials; the file must name the endpoint among its hosts.
    ///
    /// # Errors
    /// A sentence, without anything that the file holds.
    pub fn secret(&self, credentials: &Path) -> Result<String, String> {
        let found = Credential::read(credentials, &self.credential).map_err(|it| it.to_string())?;
        let (host, port) =
            crate::processor::hosts::place(&self.endpoint()).ok_or("the endpoint is no address")?;
        if !found.is_for(&host, port) {
            return Err("the credential is not for the endpoint".to_owned());
        }
        Ok(found.password().to_owned())
    }

    /// What Flink is told of it. The secret is for a file that the pool alone can read.
    #[must_use]
    pub fn settings(&self, secret: &str) -> Settings {
        let all = [
            ("s3.endpoint", self.endpoint()),
            ("s3.region", self.region.clone()),
            ("s3.path-style-access", self.path_style.to_string()),
            ("s3.access-key", self.access_key.clone()),
            ("s3.secret-key", secret.to_owned()),
        ];
        all.map(|(key, value)| (key.to_owned(), value)).into()
    }
}

/// Lines of Flink's configuration.
pub type Settings = Vec<(String, String)>;

/// Where one pool's state is.
#[derive(Debug, Clone)]
pub enum Store {
    /// On this machine.
    Local(Folders),
    /// In a bucket, below this prefix, which ends with a slash.
    Bucket(Box<Bucket>, String),
}

impl Store {
    /// The customer's bucket for one pool, if they named one, and what Flink is told of it.
    ///
    /// # Errors
    /// A sentence, if they did and it cannot be used: then nothing is kept elsewhere.
    pub fn of(
        install: &FlinkInstall,
        credentials: &Path,
        pool: &str,
    ) -> Result<Option<(Self, Settings)>, String> {
        let Some(s3) = &install.bucket else {
            return Ok(None);
        };
        if !install.plugins().join("s3").is_dir() {
            return Err("the folder of Flink's jars has no plugins/s3".to_owned());
        }
        let secret = s3.secret(credentials)?;
        let prefix = match s3.prefix.as_str() {
            "" => format!("{pool}/"),
            prefix => format!("{prefix}/{pool}/"),
        };
        let bucket = Bucket::open(s3, &secret).map_err(|it| it.to_string())?;
        Ok(Some((
            Self::Bucket(Box::new(bucket), prefix),
            s3.settings(&secret),
        )))
    }

    /// Where a line's checkpoints and savepoints lie, as Flink is told.
    #[must_use]
    pub fn places(&self, job: &str, line: u32) -> (String, String) {
        match self {
            Self::Local(folders) => {
                let url = |folder: std::path::PathBuf| {
                    format!("file://{}", folder.join(line.to_string()).display())
                };
                (url(folders.checkpoints(job)), url(folders.savepoints(job)))
            }
            Self::Bucket(bucket, prefix) => {
                let url = |kind: &str| format!("s3://{}/{prefix}{kind}/{job}/{line}", bucket.name());
                (url("checkpoints"), url("savepoints"))
            }
        }
    }

    /// The newest of a line's checkpoints and savepoints that is whole, as Flink is told.
    ///
    /// # Errors
    /// When it cannot be looked at: then nobody knows whether there is one.
    pub async fn newest(&self, job: &str, line: u32) -> io::Result<Option<String>> {
        match self {
            Self::Local(folders) => {
                let line = line.to_string();
                let found = [
                    recovery::newest(&folders.checkpoints(job).join(&line))?,
                    recovery::newest_savepoint(&folders.savepoints(job).join(&line))?,
                ];
                let newest = found.into_iter().flatten().max_by_key(|it| it.at);
                Ok(newest.map(|it| format!("file://{}", it.path.display())))
            }
            Self::Bucket(bucket, prefix) => {
                let (checkpoints, savepoints) = (
                    format!("{prefix}checkpoints/{job}/{line}/"),
                    format!("{prefix}savepoints/{job}/{line}/"),
                );
                let checkpoint = newest_checkpoint(&bucket.list(&checkpoints).await?, &checkpoints);
                let savepoint = newest_savepoint(&bucket.list(&savepoints).await?, &savepoints);
                let newest = later(checkpoint, savepoint);
                Ok(newest.map(|folder| format!("s3://{}/{folder}", bucket.name())))
            }
        }
    }

    /// Removes a job's state.
    ///
    /// # Errors
    /// As file system or bucket say.
    pub async fn bury(&self, job: &str) -> io::Result<()> {
        match self {
            Self::Local(folders) => recovery::bury(folders, job),
            Self::Bucket(bucket, prefix) => {
                for kind in ["checkpoints", "savepoints"] {
                    for object in bucket.list(&format!("{prefix}{kind}/{job}/")).await? {
                        bucket.delete(&object.key).await?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// One that is whole: when, its run, its number and its folder's key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whole {
    at: SystemTime,
    run: String,
    number: u64,
    folder: String,
}

/// Flink writes a checkpoint's `_metadata` last, and an object is there in one go or not at all.
fn folder_of<'a>(object: &'a Object, below: &str) -> Option<&'a str> {
    let rest = object.key.strip_prefix(below)?;
    (object.bytes > 0).then(|| rest.strip_suffix("/_metadata"))?
}

/// `<run>/chk-<number>/_metadata`. Numbers go on from one run of a line to the next, and tell those of one second apart.
fn newest_checkpoint(objects: &[Object], below: &str) -> Option<Whole> {
    let whole = objects.iter().filter_map(|it| {
        let folder = folder_of(it, below)?;
        let (run, checkpoint) = folder.split_once('/')?;
        Some(Whole {
            at: it.at,
            run: run.to_owned(),
            number: checkpoint.strip_prefix("chk-")?.parse().ok()?,
            folder: format!("{below}{folder}"),
        })
    });
    whole.max_by_key(|it| (it.at, it.number))
}

/// `savepoint-<begin of the run>-<chance>/_metadata`.
fn newest_savepoint(objects: &[Object], below: &str) -> Option<Whole> {
    let whole = objects.iter().filter_map(|it| {
        let folder = folder_of(it, below)?;
        let run = folder.strip_prefix("savepoint-")?.split('-').next()?;
        Some(Whole {
            at: it.at,
            run: run.to_owned(),
            number: 0,
            folder: format!("{below}{folder}"),
        })
    });
    whole.max_by_key(|it| it.at)
}

/// Of one second: a savepoint is the end of its run, and what another run wrote came after it.
fn later(checkpoint: Option<Whole>, savepoint: Option<Whole>) -> Option<String> {
    let newest = match (checkpoint, savepoint) {
        (Some(checkpoint), Some(savepoint)) => {
            let is_its_end = savepoint.at == checkpoint.at && checkpoint.run.starts_with(&savepoint.run);
            if savepoint.at > checkpoint.at || is_its_end {
                savepoint
            } else {
                checkpoint
            }
        }
        (checkpoint, savepoint) => checkpoint.or(savepoint)?,
    };
    Some(newest.folder)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
