//! Terms and formulas.
/// A sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Truth values.
    Bool,
    /// Strings.
    String,
    /// Bit vectors.
    Bits(u32),
}
/// A term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(u32);
/// An arena.
#[derive(Clone, Debug)]
pub struct Terms {}
/// A formula.
#[derive(Clone, Debug)]
pub struct Formula {}
