//! An algebra of regular languages over Unicode scalar values.
//!
//! [`Language`]s are compiled from [`Expr`]essions or made directly ([`Language::literal`],
//! [`Language::glob`]); [`decide`] says whether some word is in all of some languages and in none
//! of others, and shows one or why there is none. Nothing here knows of terms or policies.
//!
//! ```
//! use keyaki_automata::{Answer, Language, Limits, Why, decide};
//!
//! let reads = [Language::glob("s3:Get*"), Language::glob("*Object")];
//! let names = [Language::glob("s3:*Tag*"), Language::glob("s3:Get*")];
//! let word = decide(&reads, &names[..1], &Limits::default());
//! assert_eq!(word, Ok(Answer::Word("s3:GetxObject".to_owned())));
//! let none = decide(&reads, &names, &Limits::default());
//! assert!(matches!(none, Ok(Answer::Empty(Why { negatives, .. })) if negatives == [1]));
//! ```
//!
//! # Independence
//!
//! Let `p` be a pattern, and `q1 … qn` patterns whose stars are all of one class `C`. Let each item
//! of `p` be *fresh*, of a class within `C` that has a character `#` which no single item of any `q`
//! has; or *whole*, a single item whose class is within `C` or has nothing in common with it, and
//! likewise is within each single item of the `q`s or has nothing in common with that. (A character
//! is always whole; so are the letters that differ in case only, if every `q` takes them for the
//! same.) Then `p ⊆ q1 ∪ … ∪ qn` if and only if some single `q` subsumes `p`, that is, eats `p`'s items
//! as if they were characters, stars by stars only.
//!
//! *Proof.* Fill each fresh item with its `#` and each whole one with some character of its class.
//! The word is in `p`, so some `q` matches it. What fills a fresh item was eaten by a star of `q`,
//! which has all of the item's class, so it eats the item, if that is a star too. What fills a whole
//! item was eaten by an item of `q` that has something in common with it, and so has all of it. ∎
//!
//! So one test of one word decides: if no `q` matches it, it is a witness, else some `q` that does
//! subsumes `p`. Each condition is needed: with `?`, `*` ⊆ `ε` ∪ `?*`; with two classes of stars,
//! `a*` ⊆ `[^:]*` ∪ `[^:]*:*`; without a spare character, `[ab]` ⊆ `a` ∪ `b`, also where these are all
//! of a finite domain that matter; and a word that occurs nowhere is no substitute for a character that
//! does not, `**` against `*a`. Here soundness never
//! rests on them: a word is tested against every language before it is returned, and one pattern
//! that subsumes is a proof in any case. They only tell when the product of the automata is not
//! needed.
//!
//! # Limits
//!
//! Patterns that float between stars have exponentially many meets, and products exponentially many
//! states: emptiness of a Boolean combination is PSPACE-complete. Whatever may take long has [`Limits`],
//! and [`LimitExceeded`] is its error; nothing recurses over its input, except, up to a fixed depth,
//! over complements inside concatenations.

mod alphabet;
mod class;
mod expr;
mod language;
mod limits;
mod meet;
mod nfa;
mod pattern;
mod product;
mod query;
mod realistic;
mod words;

pub use class::CharClass;
pub use expr::Expr;
pub use language::Language;
pub use limits::{LimitExceeded, Limits};
pub use pattern::{Item, Pattern};
pub use query::{
    Answer, Why, core, decide, equivalent, find, includes, is_empty, is_universal, overlap,
    shortest, shrink,
};
pub use realistic::find_realistic;
pub use words::{Count, count, count_by_length, find_n};
