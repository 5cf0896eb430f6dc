//! What `cargo xtask bench` measures: throughput, latency, growth and memory on questions about real policies.
//!
//! [`mix`] makes questions of the jobs that the chore draws, with the names of [`rename`](mod@rename) so that no text repeats; [`throughput`] and
//! [`child`] put them to the program, [`latency`] to the library, [`growth`] asks about ever larger policies, [`service`] puts them to `keyaki serve`
//! by the clients of [`load`], [`findings`] asks for the rows of policies made to have many, and [`report`] tells. A crate of its own, because chores
//! depend on no crate of ours and what is claimed about speed is only worth something in a release build; and no benchmark harness of a registry, as
//! none reads the memory and the times of a child.
//!
//! benchmarks/BIAS.md says why to doubt the numbers.

pub mod answers;
pub mod certificates;
pub mod child;
pub mod findings;
pub mod growth;
pub mod latency;
pub mod load;
pub mod mix;
mod random;
pub mod record;
pub mod rename;
pub mod report;
pub mod service;
pub mod throughput;
pub mod variables;
