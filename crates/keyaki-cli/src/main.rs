//! The program `keyaki`.
//!
//! [`arguments`] is what the user typed, [`input`] reads what it names, [`commands`] does it, and
//! [`render`] says it in words. [`lines`] and [`pipeline`] are how `batch` reads and writes. JSON is written by the library, so that every door gives the same.

mod arguments;
mod commands;
mod input;
mod lines;
mod pipeline;
mod render;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Check(check) => commands::check(&check),
        Command::Findings(findings) => commands::findings(&findings),
        Command::WhoCan(who_can) => commands::who_can(&who_can),
        Command::Evaluate(evaluate) => commands::evaluate(&evaluate),
        Command::Bucket(bucket) => commands::bucket(&bucket),
        Command::Batch(batch) => commands::batch(&batch),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => commands::serve(serve),
        Command::Encode(encode) => commands::encode(&encode),
        Command::Validate(validate) => commands::validate(&validate),
        Command::Solve(solve) => commands::solve(&solve),
        Command::Solvers(solvers) => commands::solvers(&solvers),
        Command::Properties(properties) => commands::properties(&properties),
        Command::Schema => commands::schema(),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(failure) => failure.report(),
    }
}
