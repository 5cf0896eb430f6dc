//! `keyaki findings`

use std::io::{self, Write as _};

use keyaki::Cancel;
use keyaki::findings::{FindingsInquiry, question_of};
use keyaki::job::{Setting, engines};
use keyaki::question::Side;

use super::{Exit, Failure, Files, configuration, options, print_json, refuse};
use crate::arguments::{Asked, Findings};
use crate::render;

/// Lists who breaks a property.
pub(crate) fn findings(arguments: &Findings) -> Result<Exit, Failure> {
    let timeout = arguments.solving.timeout;
    let setting = Setting { timeout, ..Setting::default() };
    let asked = match Files::from_paths(&asked(arguments), setting) {
        Ok(asked) => asked,
        Err((record, files)) => return refuse(*record, &files, arguments.json),
    };
    let config = match configuration(arguments.solving.config.as_deref()) {
        Ok(config) => config,
        Err(record) => return refuse(record, &asked.files, arguments.json),
    };
    let Files { inquiry, files } = asked;
    let resource_type = arguments.resource_type.clone();
    let task = FindingsInquiry { inquiry, all: arguments.all, resource_type };
    let result = task.answer(&engines(&config, &options(&arguments.solving)), &Cancel::new());
    if arguments.json {
        print_json(&result)?;
    } else if let Some(error) = &result.error {
        render::error(error, Some(&files));
        render::attempts(&result);
        render::incident(&result);
    } else {
        let text = render::findings(&task.inquiry, &files, &result);
        io::stdout().write_all(text.as_bytes())?;
    }
    Ok(Exit::of_rows(&result))
}

/// The question whose rows are wanted.
fn asked(arguments: &Findings) -> Asked {
    let is_comparison = !arguments.existing.is_empty() || !arguments.new.is_empty();
    let side = if is_comparison { Side::New } else { Side::Policy };
    Asked {
        question: question_of([side]).to_owned(),
        policies: arguments.policies.clone(),
        existing: arguments.existing.clone(),
        new: arguments.new.clone(),
        action: Vec::new(),
        resource: Vec::new(),
        property: None,
        set: Vec::new(),
        trust: arguments.trust.clone(),
        policy_type: arguments.policy_type,
        resource_type: arguments.resource_type.clone(),
        public_reading: None,
        reading: arguments.reading.clone(),
    }
}
