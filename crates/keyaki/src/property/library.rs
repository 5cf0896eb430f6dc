//! The properties that come with the program, by name.
//!
//! Each is a file of `properties/`, written as any property is, so that whoever needs another one can begin with a copy.

use keyaki_policy::diagnostic::closest;

/// A property that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of them, by name.
pub const ALL: [Ready; 0] = [];

/// The property of that name.
///
/// # Errors
///
/// There is none; a hint says which there are.
pub fn by_name(name: &str) -> Result<Ready, String> {
    let find = |name: &str| ALL.into_iter().find(|ready| ready.name == name);
    find(name).ok_or_else(|| match closest(name, ALL.iter().map(|ready| ready.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`keyaki properties` lists those that there are".to_owned(),
    })
}
