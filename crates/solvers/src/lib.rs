//! Solvers: one in process, others as child processes, checked and raced.
//!
//! All threads and all processes of the project are here, and nothing about policies is. Read the modules in this order: [`automaton`] (the one that
//! is always there), [`config`] (which solvers there are), [`process`] (asking one), [`persistent`] (asking one that is kept running), [`checked`]
//! (not believing its models), [`proved`] (having its proofs checked), [`cached`] (not asking twice), [`portfolio`] (asking several), [`discover`]
//! (which of them are installed and work). The others are inner parts: `child` runs a program under limits, `session` keeps one running, `listen`
//! reads what a solver says, `record` keeps scripts, `system` is the only `unsafe` code.
//!
//! Invariant: when a call returns, every process that it started has been killed and reaped, and
//! every thread has ended, whatever the solver did; those of a [`Persistent`] solver when it is dropped.
//! The one exception is a program that leaves its process group on purpose; see `child`.

mod child;
mod listen;
mod record;
mod session;
mod system;

pub mod automaton;
pub mod cached;
pub mod checked;
pub mod config;
pub mod discover;
pub mod persistent;
pub mod portfolio;
pub mod process;
pub mod proved;

pub use automaton::{Automaton, Scripted};
pub use cached::{CACHE, Cached, OutcomeCache};
pub use checked::Checked;
pub use child::{Processes, processes};
pub use config::{Config, ConfigError, Definition, Forget, ProofChecker};
pub use discover::{Found, Status, embedded, find, locate};
pub use persistent::Persistent;
pub use portfolio::{GRACE, Mode, Portfolio, ScriptAnswer};
pub use process::{Process, RawAnswer, ScriptSolver};
pub use proved::Proved;
