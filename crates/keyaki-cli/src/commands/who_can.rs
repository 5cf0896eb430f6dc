//! `keyaki who-can`

use std::io::{self, Write as _};

use keyaki::Cancel;
use keyaki::access;
use keyaki::job::engines;
use keyaki::who_can::WhoCan as Task;
use keyaki::wire::ErrorRecord;

use super::{Exit, Failure, configuration, options, print_json, refuse};
use crate::arguments::WhoCan;
use crate::{input, render};

/// Lists who can do something in an account.
pub(crate) fn who_can(arguments: &WhoCan) -> Result<Exit, Failure> {
    // Whatever the pointer, it is one file.
    let files = vec![(String::new(), arguments.account.clone())];
    let read = || -> Result<Task, Box<ErrorRecord>> {
        let is_named = !arguments.action.is_empty() || !arguments.resource.is_empty();
        let accesses = match is_named {
            true => vec![access::from_texts(&arguments.action, &arguments.resource)?],
            false => Vec::new(),
        };
        let text = input::text(&arguments.account)?;
        Task::from_file(&text, accesses, arguments.solving.timeout)
    };
    let config = match configuration(arguments.solving.config.as_deref()) {
        Ok(config) => config,
        Err(record) => return refuse(record, &files, arguments.json),
    };
    let task = match read() {
        Ok(task) => task,
        Err(record) => {
            return refuse(ErrorRecord { policy: None, ..*record }, &files, arguments.json);
        }
    };
    let result = task.answer(&engines(&config, &options(&arguments.solving)), &Cancel::new());
    if arguments.json {
        print_json(&result)?;
    } else if let Some(error) = &result.error {
        render::error(error, Some(&files));
        render::attempts(&result);
        render::incident(&result);
    } else {
        io::stdout().write_all(render::who_can(&result).as_bytes())?;
    }
    Ok(Exit::of_rows(&result))
}
