//! The data keys of one topic as they are kept: wrapped. Never without.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::files::{KeyName, Wrapped, Wrapping, random};
use super::hex;

/// One who reads a topic encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The share.
    pub share: String,
    /// Who gives it.
    pub provider: String,
    /// Who receives it.
    pub consumer: String,
    /// Rises when other keys are wished.
    pub generation: u64,
}

/// All data keys of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The topic.
    pub topic: String,
    /// Whose it is.
    pub provider: String,
    /// Which generation was made last for each share.
    generations: BTreeMap<String, u64>,
    /// Oldest first.
    keys: Vec<DataKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DataKey {
    /// Seconds since 1970, and always later than the one before: whoever lost this book knows that its keys are older than his.
    id: u64,
    /// Every gateway knows it, so that it is written with.
    active: bool,
    own: Wrapped,
    /// By shares.
    copies: BTreeMap<String, ShareCopy>,
}

/// Wrapped by the consumer's key, and that by the provider's: without either of them it is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ShareCopy {
    consumer: String,
    inner_by: String,
    outer: Wrapped,
}

/// What a topic's owner, or a share's readers, can have now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// By ids.
    pub keys: BTreeMap<u64, Vec<u8>>,
    /// What wraps the newest is gone.
    pub closed: bool,
}

/// What the consumer's key wrapped, and what is in that; `None`: it cannot be unwrapped.
type Layers = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Book {
    /// Of a topic that has none yet.
    #[must_use]
    pub fn new(topic: &str, provider: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            provider: provider.to_owned(),
            ..Self::default()
        }
    }

    /// The newest data key, if it is written with.
    #[must_use]
    pub fn active(&self) -> Option<u64> {
        self.keys.last().filter(|it| it.active).map(|it| it.id)
    }

    /// The newest data key.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.keys.last().map(|it| it.id)
    }

    /// Every gateway knows the newest one.
    pub fn activate(&mut self) {
        if let Some(newest) = self.keys.last_mut() {
            newest.active = true;
        }
    }

    fn own_name(&self) -> KeyName {
        KeyName {
            tenant: self.provider.clone(),
            of: self.topic.clone(),
        }
    }

    /// What the owner can have.
    ///
    /// # Errors
    /// As the file system says.
    pub fn own(&self, keys: &impl Wrapping) -> io::Result<Opened> {
        let mut opened = Opened::default();
        for key in &self.keys {
            if let Some(plain) = keys.unwrap(&self.own_name(), &purpose(&self.topic, key.id, ""), &key.own)? {
                opened.keys.insert(key.id, plain);
            }
        }
        opened.closed = self.newest().is_none_or(|it| !opened.keys.contains_key(&it));
        Ok(opened)
    }

    /// What readers of a share can have.
    ///
    /// # Errors
    /// As the file system says.
    pub fn of_share(&self, share: &str, keys: &impl Wrapping) -> io::Result<Opened> {
        let mut opened = Opened::default();
        for key in &self.keys {
            let Some(copy) = key.copies.get(share) else {
                continue;
            };
            if let Some(plain) = self.open_copy((key.id, share, copy), keys)?.1 {
                opened.keys.insert(key.id, plain);
            }
        }
        opened.closed = self.newest().is_none_or(|it| !opened.keys.contains_key(&it));
        Ok(opened)
    }

    fn open_copy(
        &self,
        (id, share, copy): (u64, &str, &ShareCopy),
        keys: &impl Wrapping,
    ) -> io::Result<Layers> {
        let purpose = purpose(&self.topic, id, share);
        let Some(inner) = keys.unwrap(&self.own_name(), &purpose, &copy.outer)? else {
            return Ok((None, None));
        };
        let wrapped = Wrapped {
            by: copy.inner_by.clone(),
            bytes: hex::written(&inner),
        };
        let plain = keys.unwrap(&name_of(share, &copy.consumer), &purpose, &wrapped)?;
        Ok((Some(inner), plain))
    }

    /// Makes what is wished: the first data key, a new one with other wrapping keys where the generation rose, copies for shares
    /// that are new. A key that is gone is never made again by itself.
    ///
    /// # Errors
    /// As the file system says.
    pub fn follow(&mut self, wishes: &[Wish], keys: &impl Wrapping) -> io::Result<()> {
        let rises = |it: &&Wish| {
            self.generations
                .get(&it.share)
                .is_some_and(|held| *held < it.generation)
        };
        let rising: Vec<Wish> = wishes.iter().filter(rises).cloned().collect();
        if self.keys.is_empty() {
            if wishes.is_empty() {
                return Ok(());
            }
            keys.make(&self.own_name())?;
            self.add_key(keys)?;
        } else if !rising.is_empty() && keys.wrap(&self.own_name(), "", &[])?.is_some() {
            keys.renew(&self.own_name())?;
            for wish in &rising {
                keys.renew(&name_of(&wish.share, &wish.consumer))?;
            }
            self.rewrap(keys)?;
            if self.add_key(keys)? {
                let risen = rising.into_iter().map(|it| (it.share, it.generation));
                self.generations.extend(risen);
            }
        }
        for wish in wishes {
            self.copy_for(wish, keys)?;
        }
        Ok(())
    }

    /// False: the owner's key is gone.
    fn add_key(&mut self, keys: &impl Wrapping) -> io::Result<bool> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |it| it.as_secs());
        let id = self.newest().map_or(now, |it| now.max(it + 1)).max(1);
        let plain = random::<32>()?;
        let Some(own) = keys.wrap(&self.own_name(), &purpose(&self.topic, id, ""), &plain)? else {
            return Ok(false);
        };
        // Gateways hold back what is under a key of which they are still to hear; of the first one they know nothing at all.
        let active = self.active().is_some();
        self.keys.push(DataKey {
            id,
            active,
            own,
            copies: BTreeMap::new(),
        });
        Ok(true)
    }

    /// Copies for a share of the data keys that it has none of.
    fn copy_for(&mut self, wish: &Wish, keys: &impl Wrapping) -> io::Result<()> {
        let (name, own_name) = (name_of(&wish.share, &wish.consumer), self.own_name());
        if !self.generations.contains_key(&wish.share) {
            keys.make(&name)?;
            self.generations.insert(wish.share.clone(), wish.generation);
        }
        let missing = |it: &&mut DataKey| !it.copies.contains_key(&wish.share);
        for key in self.keys.iter_mut().filter(missing) {
            let Some(plain) = keys.unwrap(&own_name, &purpose(&self.topic, key.id, ""), &key.own)? else {
                continue;
            };
            let purpose = purpose(&self.topic, key.id, &wish.share);
            let Some(inner) = keys.wrap(&name, &purpose, &plain)? else {
                continue;
            };
            let outer = keys.wrap(&own_name, &purpose, &hex::read(&inner.bytes).unwrap_or_default())?;
            if let Some(outer) = outer {
                let copy = ShareCopy {
                    consumer: wish.consumer.clone(),
                    inner_by: inner.by,
                    outer,
                };
                key.copies.insert(wish.share.clone(), copy);
            }
        }
        Ok(())
    }

    /// Wraps all that can be unwrapped by the keys that wrap now. A copy is made of the copy alone: who destroyed his key does
    /// not have what was under it again.
    fn rewrap(&mut self, keys: &impl Wrapping) -> io::Result<()> {
        let own_name = self.own_name();
        let mut rewrapped = self.keys.clone();
        for key in &mut rewrapped {
            let id = key.id;
            let bound = purpose(&self.topic, id, "");
            if let Some(plain) = keys.unwrap(&own_name, &bound, &key.own)?
                && let Some(own) = keys.wrap(&own_name, &bound, &plain)?
            {
                key.own = own;
            }
            for (share, copy) in &mut key.copies {
                let (inner, plain) = self.open_copy((id, share, copy), keys)?;
                let Some(mut inner) = inner else { continue };
                let bound = purpose(&self.topic, id, share);
                let name = name_of(share, &copy.consumer);
                if let Some(plain) = plain
                    && let Some(anew) = keys.wrap(&name, &bound, &plain)?
                {
                    inner = hex::read(&anew.bytes).unwrap_or_default();
                    copy.inner_by = anew.by;
                }
                if let Some(outer) = keys.wrap(&own_name, &bound, &inner)? {
                    copy.outer = outer;
                }
            }
        }
        self.keys = rewrapped;
        Ok(())
    }

    /// Ends renewals of wrapping keys. Once the book is on the disk.
    ///
    /// # Errors
    /// As the file system says.
    pub fn settle(&self, keys: &impl Wrapping) -> io::Result<()> {
        let copies = || self.keys.iter().flat_map(|it| it.copies.iter());
        let own = self.keys.iter().map(|it| it.own.by.clone());
        let own: BTreeSet<String> = own
            .chain(copies().map(|(_share, it)| it.outer.by.clone()))
            .collect();
        keys.settle(&self.own_name(), &own)?;
        let mut of_shares: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        for (share, copy) in copies() {
            of_shares
                .entry((share, &copy.consumer))
                .or_default()
                .insert(copy.inner_by.clone());
        }
        for ((share, consumer), in_use) in of_shares {
            keys.settle(&name_of(share, consumer), &in_use)?;
        }
        Ok(())
    }
}

/// The consumer's key of a share.
fn name_of(share: &str, consumer: &str) -> KeyName {
    KeyName {
        tenant: consumer.to_owned(),
        of: share.to_owned(),
    }
}

/// What a wrapped data key is bound to; without a share it is the owner's.
fn purpose(topic: &str, id: u64, share: &str) -> String {
    format!("weir data key {topic} {id} {share}")
}
