//! `keyaki bucket`

use std::io::{self, Write as _};

use keyaki::Cancel;
use keyaki::bucket::BucketTask;
use keyaki::job::engines;
use keyaki::wire::ErrorRecord;

use super::{Exit, Failure, configuration, options, print_json, refuse};
use crate::arguments::Bucket;
use crate::{input, render};

/// Tells the public status of a bucket.
pub(crate) fn bucket(arguments: &Bucket) -> Result<Exit, Failure> {
    // Whatever the pointer, it is one file.
    let names = ["", "/policy", "/new_policy"];
    let files = names.map(|pointer| (pointer.to_owned(), arguments.job.clone())).to_vec();
    let read = || -> Result<BucketTask, Box<ErrorRecord>> {
        let text = input::text(&arguments.job)?;
        BucketTask::from_file(&text, arguments.solving.timeout)
    };
    let task = match read() {
        Ok(task) => task,
        Err(record) => return refuse(*record, &files, arguments.json),
    };
    let config = match configuration(arguments.solving.config.as_deref()) {
        Ok(config) => config,
        Err(record) => return refuse(record, &files, arguments.json),
    };
    let result = task.answer(&engines(&config, &options(&arguments.solving)), &Cancel::new());
    if arguments.json {
        print_json(&result)?;
    } else if let Some(error) = &result.error {
        render::error(error, Some(&files));
        render::attempts(&result);
        render::incident(&result);
    } else {
        let text = render::bucket(&task, &arguments.job, &files, &result);
        io::stdout().write_all(text.as_bytes())?;
    }
    Ok(Exit::of(result.verdict))
}
