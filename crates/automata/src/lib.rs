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
//! Let `p` be a pattern, and `q1 … qn` patterns whose single items are characters and whose stars
//! are of one class `C`; let every class in `p` lie in `C` or be a character, and let each have a
//! character `#` that no `q` names. Then `p ⊆ q1 ∪ … ∪ qn` if and only if some single `q` subsumes
//! `p`, that is, eats `p`'s items as if they were characters, stars by stars only.
//!
//! *Proof.* Fill `p`'s stars and classes with their `#`s. The word is in `p`, so some `q` matches
//! it, and of `q` only stars can have eaten the `#`s. Replace each `#` again by any word of the
//! star (any character of the class) that it stands for: the same star of `q`, whose class
//! includes it, eats that too. So `q` includes `p`, and the items of `p` were eaten as claimed. ∎
//!
//! So one test of one word decides: if no `q` matches it, it is a witness, else some `q` that does
//! subsumes `p`. Each condition is needed: with `?`, `*` ⊆ `ε` ∪ `?*`; with two classes of stars,
//! `a*` ⊆ `[^:]*` ∪ `[^:]*:*`; without a spare character, `[ab]` ⊆ `a` ∪ `b`. Here soundness never
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

pub use class::CharClass;
pub use expr::Expr;
pub use language::Language;
pub use limits::{LimitExceeded, Limits};
pub use pattern::{Item, Pattern};
pub use query::{
    Answer, Why, core, count, decide, equivalent, find, find_n, includes, is_empty, is_universal,
    overlap, shortest, shrink,
};
