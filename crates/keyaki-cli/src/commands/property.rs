//! The property of `custom`: from a file, or one of those that come with the program, which `keyaki properties` lists.

use std::io::{self, Write as _};
use std::path::Path;

use keyaki::property::parameters::{Values, is_name};
use keyaki::property::{Written, from_text, library};
use keyaki::wire::ErrorRecord;

use super::{Exit, Failure, FileNames};
use crate::arguments::{Asked, Properties};
use crate::input;

/// `keyaki properties`
pub(crate) fn properties(arguments: &Properties) -> Result<Exit, Failure> {
    if let Some(name) = &arguments.name {
        let ready = library::by_name(name).map_err(|hint| ErrorRecord {
            hint: Some(hint),
            ..ErrorRecord::new("unknown-property", format!("there is no property `{name}`"))
        })?;
        io::stdout().write_all(ready.text.as_bytes())?;
        return Ok(Exit::Success);
    }
    let mut out = String::new();
    for ready in library::ALL {
        let about = ready.about().map_err(|record| *record)?;
        let description = about.description.unwrap_or_default();
        out += &format!("{:<24} {description}\n", ready.name);
        for (name, what) in about.parameters {
            out += &format!("{:<24}   --set {name}=…  {what}\n", "");
        }
    }
    io::stdout().write_all(out.as_bytes())?;
    Ok(Exit::Success)
}

/// Where the property stands in a job.
const POINTER: &str = "/property";

/// The property that the flags name, if they do. Whatever it is called, its rules are of its file.
pub(super) fn property(
    asked: &Asked,
    files: &mut FileNames,
) -> Result<Option<Written>, (Box<ErrorRecord>, FileNames)> {
    let Some(path) = &asked.property else { return Ok(None) };
    files.push((POINTER.to_owned(), path.clone()));
    let read = || -> Result<Written, Box<ErrorRecord>> {
        let text = text(path)?;
        from_text(&text, &values(&asked.set)?)
    };
    match read() {
        Ok(written) => {
            let pointers = written.documents.iter().map(|document| document.pointer.clone());
            files.extend(pointers.map(|pointer| (pointer, path.clone())));
            Ok(Some(written))
        }
        Err(record) => Err((record, files.clone())),
    }
}

/// The text of a property: of that name, or of the file.
fn text(path: &Path) -> Result<String, Box<ErrorRecord>> {
    let name = path.to_str().unwrap_or_default();
    match library::by_name(name) {
        Ok(ready) => Ok(ready.text.to_owned()),
        // What is written like a name and is no file is a mistyped name.
        Err(hint) if is_name(name) && !path.exists() => {
            let message = format!("there is no property `{name}`, and no such file");
            let record = ErrorRecord::new("unknown-property", message);
            Err(Box::new(ErrorRecord { hint: Some(hint), ..record }))
        }
        Err(_) => input::text(path).map_err(|mut record| {
            record.policy = Some(POINTER.to_owned());
            Box::new(record)
        }),
    }
}

/// The values that parameters stand for.
fn values(texts: &[String]) -> Result<Values, Box<ErrorRecord>> {
    let mut values = Values::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=') else {
            let message = format!("`{text}` gives no parameter a value");
            let hint = Some("write one as `--set organization=o-a1b2c3d4e5`".to_owned());
            return Err(Box::new(ErrorRecord {
                hint,
                ..ErrorRecord::new("invalid-usage", message)
            }));
        };
        values.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    Ok(values)
}
