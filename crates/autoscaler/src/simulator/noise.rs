//! Random numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.

/// A stream of numbers; the same seed gives the same stream.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// Begins a stream.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }

    /// At least 0, below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least `least`, below `most`.
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.unit()
    }

    /// A whole number of `least..=most`.
    pub fn whole(&mut self, least: u32, most: u32) -> u32 {
        let span = u64::from(most.saturating_sub(least)) + 1;
        least + u32::try_from(self.bits() % span).unwrap_or(0)
    }

    /// A factor of at most `share` above or below 1.
    pub fn about_one(&mut self, share: f64) -> f64 {
        1.0 + self.between(-share, share)
    }
}
