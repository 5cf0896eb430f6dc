//! Hashes that name texts, and numbers drawn from a seed; the same on every machine.
//!
//! A random number generator of a registry was not taken: a sample has to be the same in ten years.

use sha2::{Digest as _, Sha256};

/// SHA-256 in hexadecimal digits.
pub fn hex_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number that depends on the seed and the text alone.
pub fn rank(seed: &str, text: &str) -> u64 {
    let digest = Sha256::digest([seed.as_bytes(), &[0], text.as_bytes()].concat());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers that depend on the seed alone.
    pub fn new(seed: &str) -> Random {
        Random(rank(seed, "random"))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The product of two 64-bit numbers, of which the upper half is below `end`.
        ((u128::from(mixed) * end as u128) >> 64) as usize
    }
}
