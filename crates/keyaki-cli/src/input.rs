//! Files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use keyaki::policy::json;
use keyaki::wire::ErrorRecord;

/// What standard input is called.
pub(crate) const STANDARD_INPUT: &str = "-";

/// The text of a policy file or script.
///
/// # Errors
///
/// A record if the file cannot be read, is too large or is not UTF-8.
pub(crate) fn text(path: &Path) -> Result<String, ErrorRecord> {
    let shown = path.display();
    let unreadable = |cause: io::Error| {
        let cause = match cause.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => cause.to_string(),
        };
        ErrorRecord::new("unreadable-file", format!("cannot read `{shown}`: {cause}"))
    };
    let mut bytes = Vec::new();
    // One byte more than the limit, so that a file at the limit can be told from one beyond.
    let most = json::MAX_SOURCE_BYTES as u64 + 1;
    if path.as_os_str() == STANDARD_INPUT {
        io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        let file = File::open(path).map_err(unreadable)?;
        file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() > json::MAX_SOURCE_BYTES {
        let limit = json::MAX_SOURCE_BYTES >> 20;
        let message = format!("`{shown}` is larger than {limit} MiB");
        return Err(ErrorRecord::new("too-large", message));
    }
    match json::decode(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(ErrorRecord::in_policy(&shown.to_string(), &error)),
    }
}
